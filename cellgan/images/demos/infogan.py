"""An InfoGAN on small images, whose code comes to stand for their class."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from sklearn.metrics import normalized_mutual_info_score
from torch import Tensor, nn

from cellgan.core import Adam, Batches, seeded
from cellgan.core.nets import from_image_mlp, image_mlp, mlp
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.drawings import images as drawn_images
from cellgan.images.evaluation.classifier import train_classifier
from cellgan.images.evaluation.panel import image_measures
from cellgan.images.image_data import Images, digits
from cellgan.images.infogan import InfoGan
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup

N_NOISE = 4


def new_game(images: Images, *, weight: float = 1.0) -> InfoGan:
    """Return a game of perceptrons for images, with as many categories as they have classes."""
    k = images.n_classes
    return InfoGan(
        image_mlp(N_NOISE + k, images.shape),
        nn.Sequential(from_image_mlp(images.shape, 128, hidden=(128,), dropout=0.2), nn.LeakyReLU(0.2)),
        nn.Linear(128, 1),
        mlp(128, k, hidden=(64,)),
        N_NOISE,
        k,
        information_weight=weight,
        optimizer=Adam(lr=1e-3),
    )


def read(game: InfoGan, x: Tensor) -> Tensor:
    """Return the category that Q sees in images, ``(n,)``."""
    with torch.no_grad():
        return game.recogniser(game.body(x))[:, : game.n_categories].argmax(1)  # type: ignore[no-any-return]


def common(a: Tensor, b: Tensor) -> float:
    """Return the normalised mutual information of two labellings."""
    return float(normalized_mutual_info_score(a.numpy(), b.numpy()))


def play(stage: Stage) -> Result:
    """Play the game, and see what the code stands for."""
    images = stage.pictures()
    k = images.n_classes
    game = new_game(images)

    def drawn(of: InfoGan, category: Tensor) -> Tensor:
        with torch.no_grad(), seeded(stage.seed + 1):
            return of.draw(category, torch.zeros(len(category), 0))

    def show() -> Markup:
        each = torch.arange(min(k, 10))
        return drawn_images(drawn(game, each.repeat(8)), columns=len(each), alt="a category in each column")

    batches = Batches({"x": images.x}, size=64, seed=stage.seed)
    played = stage.play(game, batches, show=show)
    judge = train_classifier(images, seed=stage.seed)
    with torch.no_grad(), seeded(stage.seed + 2):
        bound = game.bound(2000)
        category, _ = game.codes(max(len(images.x_test) // 2, 1000))
    generated = drawn(game, category)
    deaf = new_game(images, weight=0.0)
    stage.play(deaf, batches, rounds=math.ceil(stage.rounds / 2), label="with λ = 0")
    without = drawn(deaf, category)
    return Result(
        played,
        measures=(
            Measure(
                "information of the code, of all it has",
                bound / math.log(k),
                f"The bound L_I, over log {k} nats: how much of the category can be read from the image.",
                at_least=0.94,
            ),
            Measure(
                "code and class of generated images",
                common(category, judge.labels(generated)),
                "Normalised mutual information; the class is that of a classifier of real images. Off: "
                "λ = 0, half as many rounds.",
                off=common(category, judge.labels(without)),
                floor=common(images.y_test, judge.labels(images.x_test)),
                at_least=0.14,
            ),
            Measure(
                "Q and class of real images",
                common(images.y_test, read(game, images.x_test)),
                "Normalised mutual information on held-out images: no label was ever seen.",
            ),
            *image_measures(generated, images, judge),
        ),
        figures=(Figure(show(), "One category a column", "eight draws each; nobody named the categories"),),
    )


DEMO = Demo(
    paper="Chen et al. (2016), InfoGAN: interpretable representation learning by information maximizing "
    "generative adversarial nets. NeurIPS, arXiv:1606.03657.",
    idea="Part of the noise must be readable from the image. So it comes to stand for the class.",
    objectives=(
        ("D ascends E log D(x) + E log(1 − D(G(z, c)))\nand, with Q, λ L_I", InfoGan.discriminate),
        ("G ascends\nE log D(G(z, c)) + λ L_I", InfoGan.generate),
        ("L_I = E log Q(c|G(z, c)) + H(c)", InfoGan.information),
    ),
    rounds=1500,
    play=play,
    images=digits,
)
