"""A GAN on a ring of eight Gaussians, all of which are to be found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cellgan.core import Adam, Batches, seeded
from cellgan.core.losses import NON_SATURATING, SATURATING
from cellgan.core.nets import mlp
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.drawings import lines, points
from cellgan.images.evaluation.ring import ring_measures
from cellgan.images.gan import Gan
from cellgan.images.slopes import pull
from cellgan.images.toys import ring
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup

N = 2000
FAR = 5.0  # how far the real data lie from what a new generator draws


def confident(seed: int) -> Gan:
    """Return a game whose discriminator is sure: it scores what is drawn by how far it is from the data."""
    with seeded(seed):
        game = Gan(mlp(2, 2, hidden=(64, 64)), torch.nn.Linear(2, 1), n_noise=2)
    with torch.no_grad():
        game.discriminator.weight.fill_(2.0)  # type: ignore[operator]
        game.discriminator.bias.fill_(-2 * FAR)  # type: ignore[operator]
    return game


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
    sure = confident(stage.seed)
    with seeded(stage.seed):
        ratio = pull(sure, NON_SATURATING, x) / pull(sure, SATURATING, x)
    scores = torch.linspace(-6, 6, 121)
    d = scores.sigmoid()
    slopes = {"log(1 − D)": d.tolist(), "−log D": (1 - d).tolist()}
    return Result(
        played,
        measures=(
            *ring_measures(drawn(), seed=stage.seed, modes=7, inside=0.52),
            Measure(
                "pull of −log D over log(1 − D)",
                ratio,
                "Norm of the generator's slope where a discriminator is sure, over that of the minimax form.",
                at_least=10,
            ),
        ),
        figures=(
            Figure(
                lines(scores.tolist(), slopes, alt="slopes of two losses by the discriminator's score"),
                "How hard each form pulls at the generator",
                "by D's raw score of what it drew: log(1 − D) grey, −log D blue",
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
