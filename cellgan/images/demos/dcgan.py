"""A DCGAN on simulated shapes, and a walk between two of its images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cellgan.core import Adam, Batches, seeded
from cellgan.images.dcgan import dcgan
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.drawings import images as drawn_images
from cellgan.images.evaluation.classifier import train_classifier
from cellgan.images.evaluation.inception_score import class_score
from cellgan.images.evaluation.panel import image_measures
from cellgan.images.gan import Gan
from cellgan.images.image_data import shapes
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup

N_NOISE, STEPS, PATHS = 16, 9, 200


def grey(x: Tensor) -> float:
    """Return the share of pixels that are neither black nor white."""
    return float((x.abs() < 0.5).float().mean())


def play(stage: Stage) -> Result:
    """Play the game, and look at what is drawn and at what lies between."""
    images = stage.pictures()
    channels, side, _ = images.shape
    game = dcgan(channels, side=side, n_noise=N_NOISE, width=16, optimizer=Adam(lr=1e-3))

    def drawn(n: int) -> Tensor:
        with torch.no_grad(), seeded(stage.seed + 1):
            return game.draw(torch.empty(n))

    def show() -> Markup:
        return drawn_images(drawn(40), alt="forty generated images")

    played = stage.play(game, Batches({"x": images.x}, size=64, seed=stage.seed), show=show)
    judge = train_classifier(images, seed=stage.seed)
    half = len(images.x_test) // 2
    generated = drawn(half)
    p = judge.probabilities(generated)
    share = torch.bincount(p.argmax(1), minlength=images.n_classes) / half
    with torch.no_grad(), seeded(stage.seed + 2):
        first, last = torch.randn(2, PATHS, N_NOISE)
        path = torch.stack([game.generator(torch.lerp(first, last, t)) for t in torch.linspace(0, 1, STEPS)])
    mixed = (path[0] + path[-1]) / 2
    walks = path[:, :5].transpose(0, 1).flatten(0, 1)
    return Result(
        played,
        measures=(
            Measure(
                "class score, over that of real images",
                class_score(p) / class_score(judge.probabilities(images.x_test[:half])),
                "The Inception Score's formula with a small classifier of our own.",
                floor=1.0,
                at_least=0.8,
            ),
            Measure(
                "classes found",
                int((share >= 0.3 / images.n_classes).sum()) / images.n_classes,
                "Share of classes that are drawn at least 3 times in 10 as often as all would be alike.",
                floor=1.0,
                at_least=0.95,
            ),
            Measure(
                "grey halfway between two images",
                grey(path[STEPS // 2]) / grey(mixed),
                "Pixels neither black nor white, halfway in the noise, over halfway between the pixels.",
                floor=grey(images.x_test) / grey(mixed),
                off=1.0,
                at_most=0.44,
            ),
            *image_measures(generated, images, judge),
        ),
        figures=(Figure(drawn_images(walks, columns=STEPS, alt="walks"), "Walks between two draws", "five"),),
    )


DEMO = Demo(
    paper="Radford, Metz and Chintala (2016), Unsupervised representation learning with deep convolutional "
    "generative adversarial networks. ICLR, arXiv:1511.06434.",
    idea="Strided convolutions and batch normalisation that keep the game in balance. Between two points of "
    "the noise lie images, not mixtures of two.",
    objectives=(
        ("D ascends\nE log D(x) + E log(1 − D(G(z)))", Gan.discriminate),
        ("G ascends\nE log D(G(z))", Gan.generate),
        ("the networks", dcgan),
    ),
    rounds=1200,
    play=play,
    images=shapes,
    side=16,
)
