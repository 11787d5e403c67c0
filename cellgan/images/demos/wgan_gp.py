"""A WGAN-GP on two parallel segments: its critic's gap is the distance, in true units."""

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
from cellgan.images.toys import Segment, segment
from cellgan.images.wgan_gp import WganGp
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup

N = 1000
START = 1.0
ADAM = Adam(lr=1e-3, betas=(0.0, 0.9))


def play(stage: Stage) -> Result:
    """Let the generator find its way over a gap, and measure the gap at five distances."""
    x = segment(4000, seed=stage.seed)
    fast = Adam(lr=0.01, betas=(0.0, 0.9))
    game = WganGp(Segment(START), mlp(2, 1, hidden=(32,)), n_noise=1, optimizer=fast)
    with torch.no_grad():
        start = game.draw(torch.empty(N, 2))

    def drawn() -> torch.Tensor:
        with torch.no_grad(), seeded(stage.seed + 1):
            return game.draw(torch.empty(N, 2))

    def show() -> Markup:
        return points([x, drawn(), start], alt="a segment of real points, the generated one, and its start")

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
        notes=("Real points are grey, generated ones blue; where they began is vermilion.",),
        measures=(
            Measure(
                "distance left",
                abs(float(drawn()[:, 0].mean())),
                f"Of the generated segment, which began at {START:g}, where the two do not overlap.",
                floor=0.0,
                at_most=0.31,
            ),
            Measure(
                "error of the critic's gap",
                float(np.abs(np.subtract(gaps, expected)).mean()),
                "Mean over five distances between two segments, a new critic each; expected: d (1 + d/20).",
                at_most=0.059,
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
    rounds=200,
    play=play,
)
