"""A WGAN-GP on a ring of eight Gaussians, and its critic's gap in true units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from cellgan.core import Adam, Batches, seeded
from cellgan.core.losses import gradient_penalty
from cellgan.core.nets import mlp
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.drawings import lines, points
from cellgan.images.evaluation.parallel import DISTANCES, critic_gap
from cellgan.images.evaluation.ring import ring_measures
from cellgan.images.toys import Segment, ring
from cellgan.images.wgan_gp import WganGp
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup

N = 2000
ADAM = Adam(lr=1e-3, betas=(0.0, 0.9))


def play(stage: Stage) -> Result:
    """Play on the ring, and measure known distances."""
    x = ring(8000, seed=stage.seed)
    game = WganGp(mlp(2, 2, hidden=(64, 64)), mlp(2, 1, hidden=(64, 64)), n_noise=2, optimizer=ADAM)

    def drawn() -> torch.Tensor:
        with torch.no_grad(), seeded(stage.seed + 1):
            return game.draw(torch.empty(N, 2))

    def show() -> Markup:
        return points([x, drawn()], alt="eight clouds of real points, and those generated")

    played = stage.play(game, Batches({"x": x}, size=128, seed=stage.seed), show=show)
    gaps = []
    for number, distance in enumerate(DISTANCES):
        stage.progress("measuring the gap", number / len(DISTANCES))
        with seeded(stage.seed):
            critic = WganGp(Segment(0.0), mlp(2, 1, hidden=(64, 64)), n_noise=1, optimizer=ADAM)
        gaps.append(critic_gap(critic, distance, rounds=60, seed=stage.seed))
    # What the critic ascends over a distance d, s d - 10 (s - 1)², is largest at the slope s = 1 + d / 20.
    expected = [d * (1 + d / 20) for d in DISTANCES]
    return Result(
        played,
        measures=(
            *ring_measures(drawn(), seed=stage.seed, modes=8, inside=0.5),
            Measure(
                "error of the critic's gap",
                float(np.abs(np.subtract(gaps, expected)).mean()),
                "Mean over five distances between two segments, a new critic each; expected: d (1 + d/20).",
                at_most=0.05,
            ),
        ),
        figures=(
            Figure(
                lines(DISTANCES, {"d": expected, "gap": gaps}, alt="the critic's gap by the true distance"),
                "The critic's gap, by the distance of two segments",
                "expected grey, measured blue: with the penalty it has the data's unit",
            ),
        ),
    )


DEMO = Demo(
    paper="Gulrajani et al. (2017), Improved training of Wasserstein GANs. NeurIPS, arXiv:1704.00028.",
    idea="The critic pays for every slope that is not 1, instead of having its weights clipped: its gap is "
    "the earth mover's distance.",
    objectives=(
        ("the critic descends\nE f(G(z)) − E f(x) + λ E (‖∇f(x̂)‖ − 1)²", WganGp.criticise),
        ("x̂ on lines between x and G(z)", gradient_penalty),
        ("G ascends\nE f(G(z))", WganGp.generate),
    ),
    rounds=500,
    play=play,
)
