"""GRAN on small images: a canvas that is painted in three steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cellgan.core import Adam, Batches, seeded
from cellgan.core.nets import from_image_mlp, image_mlp
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.drawings import images as drawn_images
from cellgan.images.evaluation.classifier import train_classifier
from cellgan.images.evaluation.inception_score import class_score
from cellgan.images.evaluation.panel import image_measures
from cellgan.images.gan import Gan
from cellgan.images.gran import Painter, gran
from cellgan.images.image_data import digits
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup

N_NOISE, N_SEEN, STEPS = 16, 32, 3


def play(stage: Stage) -> Result:
    """Play, and score the canvas after each step."""
    images = stage.pictures()
    painter = Painter(
        from_image_mlp(images.shape, N_SEEN, hidden=(64,)),
        image_mlp(N_NOISE + N_SEEN, images.shape, bounded=False),
        n_noise=N_NOISE,
        shape=images.shape,
        n_steps=STEPS,
        squash=torch.tanh,
    )
    game = gran(painter, from_image_mlp(images.shape, 1, dropout=0.2), optimizer=Adam(lr=5e-4))
    with seeded(stage.seed + 1):
        z = torch.randn(len(images.x_test), N_NOISE)

    def canvases() -> list[Tensor]:
        with torch.no_grad():
            return painter.canvases(z)

    def show() -> Markup:
        return drawn_images(canvases()[-1][:40], alt="forty generated images")

    played = stage.play(game, Batches({"x": images.x}, size=64, seed=stage.seed), show=show)
    judge = train_classifier(images, seed=stage.seed)
    scores = [class_score(judge.probabilities(canvas)) for canvas in canvases()]
    real = class_score(judge.probabilities(images.x_test))
    rows = torch.cat([canvas[:10] for canvas in canvases()])
    return Result(
        played,
        measures=(
            Measure(
                "class score of the last canvas",
                scores[-1],
                "The Inception Score's formula with a small classifier of our own; more is better.",
                floor=real,
                at_least=5.0,
            ),
            Measure(
                "gained since the first step",
                scores[-1] - scores[0],
                f"Class scores after each step: {', '.join(f'{score:.2f}' for score in scores)}.",
                at_least=1.0,
            ),
            *image_measures(canvases()[-1], images, judge)[1:],
        ),
        figures=(
            Figure(
                drawn_images(rows, columns=10, alt="ten canvases after each of three steps"),
                "Ten canvases after one, two and three steps",
                "one row a step; what is painted is added up and squashed",
            ),
        ),
        notes=("Only the last canvas is judged: how the first ones look is the generator's own affair.",),
    )


DEMO = Demo(
    paper="Im et al. (2016), Generating images with recurrent adversarial networks. arXiv:1602.05110.",
    idea="The generator looks at its canvas and paints more before the discriminator sees it.",
    objectives=(
        ("h_z = tanh(W z + b), h_c = g(canvas)\nΔC_t = f([h_z, h_c])", Painter.strokes),
        ("C = σ(ΔC_1 + ... + ΔC_T)", Painter.canvases),
        ("G ascends\nE log D(C)", Gan.generate),
    ),
    rounds=2000,
    play=play,
    images=digits,
)
