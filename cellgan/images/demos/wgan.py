"""A WGAN on two parallel segments: its critic feels a distance where the GAN's discriminator feels none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from cellgan.core import Adam, Batches, seeded
from cellgan.core.nets import mlp
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.drawings import lines, points
from cellgan.images.evaluation.parallel import DISTANCES, critic_gap, jensen_shannon
from cellgan.images.toys import Segment, segment
from cellgan.images.wgan import Wgan
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup

N = 1000
START = 1.0
ADAM = Adam(lr=2e-3, betas=(0.0, 0.99))
CLIP = 0.1


def new_game(shift: float) -> Wgan:
    """Return a game whose generator draws a segment that is shifted."""
    return Wgan(Segment(shift), mlp(2, 1, hidden=(64, 64)), n_noise=1, clip=CLIP, optimizer=ADAM)


def play(stage: Stage) -> Result:
    """Let the generator find its way over a gap, and measure the gap at five distances."""
    x = segment(4000, seed=stage.seed)
    game = new_game(START)
    with torch.no_grad():
        start = game.draw(torch.empty(N, 2))

    def drawn() -> torch.Tensor:
        with torch.no_grad(), seeded(stage.seed + 1):
            return game.draw(torch.empty(N, 2))

    def show() -> Markup:
        return points([x, drawn(), start], alt="a segment of real points, the generated one, and its start")

    played = stage.play(game, Batches({"x": x}, size=128, seed=stage.seed), show=show)
    shift = float(drawn()[:, 0].mean())
    gaps, values = [], []
    for number, distance in enumerate(DISTANCES):
        stage.progress("measuring the gap", number / len(DISTANCES))
        with seeded(stage.seed):
            critic = new_game(0.0)
        gaps.append(critic_gap(critic, distance, rounds=60, seed=stage.seed))
        values.append(jensen_shannon(distance, rounds=200, seed=stage.seed))
    straight = float(np.corrcoef(DISTANCES, gaps)[0, 1])
    unit = gaps[-1] / DISTANCES[-1]
    return Result(
        played,
        notes=("Real points are grey, generated ones blue; where they began is vermilion.",),
        measures=(
            Measure(
                "distance left",
                abs(shift),
                f"Of the generated segment, which began at {START:g}, where the two do not overlap.",
                floor=0.0,
                at_most=0.015,
            ),
            Measure(
                "correlation of gap and distance",
                straight,
                "The critic's gap at five distances, each with a new critic.",
                at_least=0.94,
            ),
            Measure(
                "Jensen-Shannon at the smallest distance, over log 2",
                values[1] / math.log(2),
                "What the GAN's discriminator measures: all there is, whatever the distance.",
                at_least=0.94,
            ),
            Measure("gap at distance 1", unit, "Clipping fixes no unit: with other bounds it is another."),
        ),
        figures=(
            Figure(
                lines(
                    DISTANCES,
                    {"JS": values, "W": [gap / unit for gap in gaps]},
                    alt="two measures of the distance of two segments",
                ),
                "What the opponent measures, by distance",
                "the GAN's discriminator grey (log 2 = 0.69), the critic blue, in units of its last value",
            ),
        ),
    )


DEMO = Demo(
    paper="Arjovsky, Chintala and Bottou (2017), Wasserstein generative adversarial networks. ICML, "
    "arXiv:1701.07875.",
    idea="A critic whose weights are clipped measures how far data and generated are apart, also where they "
    "do not overlap.",
    objectives=(
        ("the critic ascends\nE f(x) − E f(G(z))", Wgan.criticise),
        ("w ← clip(w, −c, c)", Wgan.clip_critic),
        ("G ascends\nE f(G(z))", Wgan.generate),
    ),
    rounds=700,
    play=play,
)
