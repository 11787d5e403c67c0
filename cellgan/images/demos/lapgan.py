"""A Laplacian pyramid of GANs on small images: half the size first, then the detail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from cellgan.core import Adam, Batches, seeded
from cellgan.core.nets import from_image_mlp, image_mlp
from cellgan.core.nets.resizing import double, halve
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.drawings import images as drawn_images
from cellgan.images.evaluation.classifier import train_classifier
from cellgan.images.evaluation.panel import image_measures
from cellgan.images.evaluation.sliced_wasserstein import sliced_wasserstein
from cellgan.images.image_data import digits
from cellgan.images.lapgan import LapGan
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup

N_NOISE = 16


def new_game(shape: tuple[int, int, int]) -> LapGan:
    """Return two levels of perceptrons for images."""
    c, h, w = shape
    small = (c, h // 2, w // 2)
    return LapGan(
        (image_mlp(N_NOISE, small), image_mlp((c + 1) * h * w, shape, bounded=False)),
        (from_image_mlp(small, 1), from_image_mlp((2 * c, h, w), 1)),
        N_NOISE,
        optimizer=Adam(lr=5e-4),
    )


def play(stage: Stage) -> Result:
    """Play, and compare added detail with enlarging alone."""
    images = stage.pictures()
    game = new_game(images.shape)

    def drawn(n: int) -> list[Tensor]:
        with torch.no_grad(), seeded(stage.seed + 1):
            return game.draw(n)

    def show() -> Markup:
        return drawn_images(drawn(40)[-1], alt="forty generated images")

    played = stage.play(game, Batches({"x": images.x}, size=64, seed=stage.seed), show=show)
    small = halve(images.x_test)
    with torch.no_grad(), seeded(stage.seed + 2):
        detailed = game.add_detail(1, small)
    smooth = interpolate(small, scale_factor=2.0, mode="bilinear")
    judge = train_classifier(images, seed=stage.seed)
    blurred, sharpened = (sliced_wasserstein(x, images.x_test) for x in (smooth, detailed))
    called = [float((judge.labels(x) == images.y_test).float().mean()) for x in (detailed, smooth)]
    half = len(images.x_test) // 2
    coarse, fine = drawn(40)
    steps = torch.stack([double(small[:20]), smooth[:20], detailed[:20], images.x_test[:20]], 1).flatten(0, 1)
    return Result(
        played,
        measures=(
            Measure(
                "distance to real images, over that of enlarging",
                sharpened / blurred,
                "Sliced Wasserstein distance of held-out images made small and given new detail, over "
                "that of the same enlarged bilinearly.",
                floor=sliced_wasserstein(images.x_test[:half], images.x_test[half:]) / blurred,
                off=1.0,
                at_most=0.59,
            ),
            Measure(
                "made small again",
                float((halve(detailed) - small).square().mean()),
                "Mean squared distance from the small image: detail may not change it.",
                floor=0.0,
                at_most=1e-6,
            ),
            Measure(
                "class kept with new detail",
                called[0],
                "By a classifier of real images. Off: enlarged bilinearly.",
                floor=judge.accuracy,
                off=called[1],
                at_least=0.74,
            ),
            *image_measures(drawn(len(images.x_test))[-1], images, judge),
        ),
        figures=(
            Figure(
                drawn_images(steps, columns=8, alt="small, enlarged, with new detail, and the real image"),
                "Small, enlarged, with new detail, and the real image",
                "two of each a row; the detail is drawn, not recovered",
            ),
            Figure(
                drawn_images(torch.cat([double(coarse[:10]), fine[:10]]), columns=10, alt="both levels"),
                "Both levels, all drawn",
                "",
            ),
        ),
    )


DEMO = Demo(
    paper="Denton et al. (2015), Deep generative image models using a Laplacian pyramid of adversarial "
    "networks. NeurIPS, arXiv:1506.05751.",
    idea="A GAN draws a small image; another one, which sees it enlarged, draws the detail to be added.",
    objectives=(
        ("Ĩ_k = u(Ĩ_k+1) + G_k(z, u(Ĩ_k+1))", LapGan.add_detail),
        ("D_k ascends\nE log D_k(l, l + h) + E log(1 − D_k(l, l + G_k(z, l)))", LapGan.discriminate),
        ("G_k ascends\nE log D_k(l, l + G_k(z, l))", LapGan.generate),
    ),
    rounds=1500,
    play=play,
    images=digits,
)
