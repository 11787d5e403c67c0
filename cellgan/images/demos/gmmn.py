"""A generator without an opponent, on a ring of eight Gaussians."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cellgan.core import Adam, Batches, seeded
from cellgan.core.nets import mlp
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.drawings import points
from cellgan.images.evaluation.kernel_test import kernel_test
from cellgan.images.evaluation.ring import ring_measures
from cellgan.images.gmmn import Gmmn
from cellgan.images.toys import ring

if TYPE_CHECKING:
    from markupsafe import Markup

N = 2000
TESTED = 300  # points of each sample in the kernel test
BANDWIDTHS = (0.05, 0.1, 0.2, 0.5, 1.0)


def play(stage: Stage) -> Result:
    """Play the game, and count what was found."""
    x = ring(8000, seed=stage.seed)
    game = Gmmn(
        mlp(4, 2, hidden=(64, 64, 64)),
        n_noise=4,
        bandwidths=BANDWIDTHS,
        optimizer=Adam(lr=3e-3, betas=(0.9, 0.99), decay_steps=stage.rounds),
    )

    def drawn() -> torch.Tensor:
        with torch.no_grad(), seeded(stage.seed + 1):
            return game.draw(torch.empty(N, 2))

    def show() -> Markup:
        return points([x, drawn()], alt="eight clouds of real points, and those generated")

    played = stage.play(game, Batches({"x": x}, size=128, seed=stage.seed), show=show)
    held_out = ring(TESTED, seed=30_000 + stage.seed)
    tests = [
        kernel_test(sample, held_out, seed=stage.seed)
        for sample in (drawn()[:TESTED], ring(TESTED, seed=40_000 + stage.seed))
    ]
    return Result(
        played,
        measures=(
            *ring_measures(drawn(), seed=stage.seed, modes=7, inside=0.51),
            Measure(
                "p of a kernel test",
                tests[0].p,
                f"{TESTED} drawn points against as many held-out ones, by dealing.",
                floor=tests[1].p,
                at_least=0.01,
            ),
        ),
    )


DEMO = Demo(
    paper="Li, Swersky and Zemel (2015), Generative moment matching networks. ICML, arXiv:1502.02761.",
    idea="No discriminator: the generator descends a kernel's distance between two samples, "
    "and nobody has to keep up with anybody.",
    objectives=(("G descends\nE k(x, x′) + E k(G(z), G(z′)) − 2 E k(x, G(z))", Gmmn.generate),),
    rounds=1200,
    play=play,
)
