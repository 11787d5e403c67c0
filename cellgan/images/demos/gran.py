"""GRAN on a ring of eight Gaussians: every point is painted in three strokes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cellgan.core import Adam, Batches, seeded
from cellgan.core.nets import mlp
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.drawings import points
from cellgan.images.evaluation.modes import Modes, count_modes
from cellgan.images.gan import Gan
from cellgan.images.gran import Painter, gran
from cellgan.images.toys import RING_SD, ring, ring_centres
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup

N, N_NOISE, N_SEEN, STEPS = 2000, 16, 16, 3
RATE = 1e-3


def new_game(n_steps: int, *, rate: float) -> Gan:
    """Return a game of perceptrons; the painter's rate is given, the discriminator's is the GAN demo's."""
    painter = Painter(
        mlp(2, N_SEEN, hidden=(64,)),
        mlp(N_NOISE + N_SEEN, 2, hidden=(64, 64)),
        n_noise=N_NOISE,
        shape=(2,),
        n_steps=n_steps,
        squash=nn.Identity(),
    )
    judge = mlp(2, 1, hidden=(64, 64))
    return gran(painter, judge, optimizer=Adam(lr=rate), discriminator_optimizer=Adam(lr=RATE))


def play(stage: Stage) -> Result:
    """Play, count what the canvas holds after each step, and play with one stroke and at equal rates."""
    x = ring(8000, seed=stage.seed)
    batches = Batches({"x": x}, size=256, seed=stage.seed)
    game = new_game(STEPS, rate=RATE / STEPS)
    with seeded(stage.seed + 1):
        z = torch.randn(N, N_NOISE)

    def canvases(of: Gan) -> list[Tensor]:
        with torch.no_grad():
            return of.generator.canvases(z)  # type: ignore[operator, no-any-return]

    def counted(of: Gan) -> list[Modes]:
        return [count_modes(canvas, ring_centres(), sd=RING_SD) for canvas in canvases(of)]

    def show() -> Markup:
        return points([x, canvases(game)[-1]], alt="real points, and those painted")

    played = stage.play(game, batches, show=show)
    stage.play(one := new_game(1, rate=RATE), batches, label="one stroke")
    stage.play(hasty := new_game(STEPS, rate=RATE), batches, label="at equal rates")
    steps = counted(game)
    real = count_modes(ring(N, seed=stage.seed + 1), ring_centres(), sd=RING_SD)
    told = ", ".join(f"{step.inside:.2f}" for step in steps)
    return Result(
        played,
        measures=(
            Measure(
                "modes found",
                steps[-1].found,
                "Gaussians, of eight, that hold at least 1 % of the finished points. Off: a painter that "
                f"learns as fast as the discriminator, instead of {STEPS} times slower.",
                floor=real.found,
                off=counted(hasty)[-1].found,
                at_least=7,
            ),
            Measure(
                "points inside",
                steps[-1].inside,
                "Share of finished points within three standard deviations of a centre. Off: painted in one "
                "stroke, by a plain GAN of the same networks.",
                floor=real.inside,
                off=counted(one)[-1].inside,
                at_least=0.58,
            ),
            Measure(
                "gained since the first step",
                steps[-1].inside - steps[0].inside,
                f"Points inside after each step: {told}.",
                at_least=0.58,
            ),
        ),
        figures=tuple(
            Figure(points([x, canvas], alt=f"after step {k}", span=2.5), f"After step {k}", f"of {STEPS}")
            for k, canvas in enumerate(canvases(game), 1)
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
    rounds=1500,
    play=play,
)
