"""A conditional GAN on small images, which draws the class that it is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cellgan.core import Adam, Batches, seeded
from cellgan.core.nets import mlp
from cellgan.images.conditional_gan import ConditionalGan
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.drawings import images as drawn_images
from cellgan.images.evaluation.classifier import train_classifier
from cellgan.images.evaluation.panel import image_measures
from cellgan.images.image_data import Images, digits
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup

N_NOISE = 16
ADAM = Adam(lr=1e-3)


def spread(x: Tensor, y: Tensor) -> float:
    """Return the mean standard deviation of a pixel within a class."""
    return float(torch.stack([x[y == c].std(0).mean() for c in range(int(y.max()) + 1)]).mean())


def new_game(images: Images) -> ConditionalGan:
    """Return a game of perceptrons for images."""
    k, n = images.n_classes, images.x[0].numel()
    return ConditionalGan(
        nn.Sequential(mlp(N_NOISE + k, n, hidden=(128, 128)), nn.Tanh(), nn.Unflatten(1, images.shape)),
        mlp(n + k, 1, hidden=(128, 128), dropout=0.2),
        N_NOISE,
        k,
        optimizer=ADAM,
    )


def play(stage: Stage) -> Result:
    """Play the game, and see whether what is drawn is what was asked for."""
    images = stage.pictures()
    game = new_game(images)

    def drawn(y: Tensor) -> Tensor:
        with torch.no_grad(), seeded(stage.seed + 1):
            return game.draw(y)

    asked = torch.arange(images.n_classes).repeat(8)[: 8 * 10]

    def show() -> Markup:
        return drawn_images(drawn(asked), columns=min(10, images.n_classes), alt="a class in each column")

    rows = Batches({"x": images.x, "y": images.y}, together=(("x", "y"),), size=64, seed=stage.seed)
    played = stage.play(game, rows, show=show)
    judge = train_classifier(images, seed=stage.seed)
    generated = drawn(images.y)
    agreement = float((judge.labels(generated) == images.y).float().mean())
    taught = train_classifier(replace(images, x=generated), seed=stage.seed)
    return Result(
        played,
        measures=(
            Measure(
                "the class that was asked for",
                agreement,
                "Share of drawn images that a classifier of real images calls by their class.",
                floor=judge.accuracy,
                at_least=0.92,
            ),
            Measure(
                "train on generated, test on real",
                taught.accuracy,
                "Accuracy on held-out real images of a classifier that saw generated ones alone.",
                floor=judge.accuracy,
                at_least=0.85,
            ),
            Measure(
                "spread within a class",
                spread(generated, images.y) / spread(images.x, images.y),
                "Standard deviation of a pixel, over that of real images.",
                floor=spread(images.x_test, images.y_test) / spread(images.x, images.y),
                at_least=0.75,
            ),
            *image_measures(generated, images, judge),
        ),
        figures=(Figure(show(), "One class a column", "eight draws each"),),
    )


DEMO = Demo(
    paper="Mirza and Osindero (2014), Conditional generative adversarial nets. arXiv:1411.1784.",
    idea="Both players are told the class: an image of another class than was asked for is found out.",
    objectives=(
        ("D ascends\nE log D(x|y) + E log(1 − D(G(z|y)|y))", ConditionalGan.discriminate),
        ("G ascends\nE log D(G(z|y)|y)", ConditionalGan.generate),
    ),
    rounds=2500,
    play=play,
    images=digits,
)
