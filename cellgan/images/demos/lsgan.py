"""An LSGAN on a ring of eight Gaussians, and what it does with points that fool the discriminator already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cellgan.core import Adam, Batches, seeded
from cellgan.core.losses import LEAST_SQUARES, NON_SATURATING
from cellgan.core.nets import mlp
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.drawings import lines, points
from cellgan.images.evaluation.ring import ring_measures
from cellgan.images.gan import Gan
from cellgan.images.lsgan import lsgan
from cellgan.images.slopes import pull
from cellgan.images.toys import ring
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup

N = 2000
SCORE = 5.0  # of what is drawn: far on the side of real data


def fooled(seed: int) -> Gan:
    """Return a game whose discriminator scores everything that is drawn at about `SCORE`."""
    with seeded(seed):
        game = lsgan(mlp(2, 2, hidden=(64, 64)), torch.nn.Linear(2, 1), n_noise=2)
    with torch.no_grad():
        game.discriminator.bias.fill_(SCORE)  # type: ignore[operator]
    return game


def play(stage: Stage) -> Result:
    """Play the game, and count what was found."""
    x = ring(8000, seed=stage.seed)
    game = lsgan(mlp(2, 2, hidden=(64, 64)), mlp(2, 1, hidden=(64, 64)), n_noise=2, optimizer=Adam(lr=1e-3))

    def drawn() -> torch.Tensor:
        with torch.no_grad(), seeded(stage.seed + 1):
            return game.draw(torch.empty(N, 2))

    def show() -> Markup:
        return points([x, drawn()], alt="eight clouds of real points, and those generated")

    played = stage.play(game, Batches({"x": x}, size=256, seed=stage.seed), show=show)
    beyond = fooled(stage.seed)
    with seeded(stage.seed):
        ratio = pull(beyond, LEAST_SQUARES, x) / pull(beyond, NON_SATURATING, x)
    scores = torch.linspace(-3, 5, 81)
    slopes = {"cross-entropy": (-scores).sigmoid().tolist(), "squares": (scores - 1).abs().tolist()}
    return Result(
        played,
        measures=(
            *ring_measures(drawn(), seed=stage.seed, modes=7, inside=0.62),
            Measure(
                "pull over that of cross-entropy",
                ratio,
                f"Norm of the generator's slope where D scores what it draws at about {SCORE:g}.",
                at_least=10,
            ),
        ),
        figures=(
            Figure(
                lines(scores.tolist(), slopes, alt="slopes of two losses by the discriminator's score"),
                "How hard each loss pulls at the generator",
                "by D's raw score: cross-entropy grey, squares blue; real data score 1",
            ),
        ),
    )


DEMO = Demo(
    paper="Mao et al. (2017), Least squares generative adversarial networks. ICCV, arXiv:1611.04076.",
    idea="Squares instead of cross-entropy: what the discriminator takes for real already is pulled in, too.",
    objectives=(
        ("D descends\n½ E (D(x) − 1)² + ½ E D(G(z))²", Gan.discriminate),
        ("G descends\n½ E (D(G(z)) − 1)²", Gan.generate),
    ),
    rounds=1500,
    play=play,
)
