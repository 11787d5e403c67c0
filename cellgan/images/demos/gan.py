"""A GAN on a ring of eight Gaussians, all of which are to be found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cellgan.core import Adam, Batches, seeded
from cellgan.core.nets import mlp
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.drawings import points
from cellgan.images.evaluation.modes import count_modes
from cellgan.images.gan import Gan
from cellgan.images.toys import RING_SD, ring, ring_centres

if TYPE_CHECKING:
    from markupsafe import Markup

N = 2000


def play(stage: Stage) -> Result:
    """Play the game, and count what was found."""
    x = ring(8000, seed=stage.seed)
    game = Gan(mlp(2, 2, hidden=(64, 64)), mlp(2, 1, hidden=(64, 64)), n_noise=2, optimizer=Adam(lr=1e-3))

    def drawn() -> torch.Tensor:
        with torch.no_grad(), seeded(stage.seed + 1):
            return game.draw(torch.empty(N, 2))

    def show() -> Markup:
        return points([x, drawn()], alt="eight clouds of real points, and those generated")

    played = stage.play(game, Batches({"x": x}, size=256, seed=stage.seed), show=show)
    found, real = (
        count_modes(p, ring_centres(), sd=RING_SD) for p in (drawn(), ring(N, seed=stage.seed + 1))
    )
    return Result(
        played,
        measures=(
            Measure(
                "modes found",
                found.found,
                "Gaussians, of eight, that hold at least 1 % of the generated points.",
                floor=real.found,
                at_least=7,
            ),
            Measure(
                "points inside",
                found.inside,
                "Share of generated points within three standard deviations of a centre.",
                floor=real.inside,
                at_least=0.45,
            ),
        ),
        notes=("The ring's points cover 5 % of a broad cloud of their size: that would be chance.",),
    )


DEMO = Demo(
    paper="Goodfellow et al. (2014), Generative adversarial nets. NeurIPS, arXiv:1406.2661.",
    idea="A generator learns from nothing but a discriminator that tells its points from the data.",
    objectives=(
        ("D ascends\nE log D(x) + E log(1 − D(G(z)))", Gan.discriminate),
        ("G ascends\nE log D(G(z))", Gan.generate),
    ),
    rounds=1500,
    play=play,
)
