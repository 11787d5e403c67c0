"""A discriminator at its best, against a generator that stands still: D* and the value of the game."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cellgan.core import Adam, Batches, seeded
from cellgan.core.nets import mlp
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.drawings import lines
from cellgan.images.gan import Gan
from cellgan.images.toys import Normal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from cellgan.core.player import Player

MEAN, SD = 1.5, 0.7
GRID = torch.linspace(-4, 5, 901)


@dataclass(frozen=True)
class DiscriminatorAlone(Gan):
    """The game with the generator held still."""

    def players(self) -> tuple[Player]:  # type: ignore[override]
        """Return the discriminator."""
        return super().players()[:1]

    def spectators(self) -> Mapping[str, nn.Module]:
        """Return the generator."""
        return {"generator": self.generator}


def densities() -> tuple[Tensor, Tensor]:
    """Return p and q on the grid: N(0, 1), and what the generator draws from."""
    p, q = (
        (-(((GRID - m) / s) ** 2) / 2).exp() / (s * math.sqrt(2 * math.pi)) for m, s in ((0, 1), (MEAN, SD))
    )
    return p, q


def best_value() -> float:
    """Return 2 JSD(p, q) - log 4, by quadrature."""
    p, q = densities()
    m = (p + q) / 2
    divergence = 0.5 * (torch.xlogy(p, p / m) + torch.xlogy(q, q / m))
    return 2 * float(torch.trapezoid(divergence, GRID)) - math.log(4)


def play(stage: Stage) -> Result:
    """Let the discriminator learn, and compare it with p / (p + q)."""
    x = torch.randn(20000, 1)
    game = DiscriminatorAlone(
        Normal(MEAN, SD),
        mlp(1, 1, hidden=(32, 32)),
        n_noise=1,
        optimizer=Adam(lr=5e-3, decay_steps=stage.rounds),
    )
    p, q = densities()
    best = p / (p + q)

    def learned() -> Tensor:
        with torch.no_grad():
            return game.discriminator(GRID.unsqueeze(1)).sigmoid().squeeze(1)  # type: ignore[no-any-return]

    def show() -> Markup:
        curves = {"D*": best[::9].tolist(), "D": learned()[::9].tolist()}
        return lines(GRID[::9].tolist(), curves, alt="the best discriminator, and the one that is learned")

    played = stage.play(game, Batches({"x": x}, size=1024, seed=stage.seed), show=show)
    with torch.no_grad(), seeded(stage.seed + 1):
        fresh = torch.randn(50000, 1)
        value = -float(sum(game.discriminate({"x": fresh}).values()))
    weight = (p + q) / 2
    apart = float(torch.trapezoid(weight * (learned() - best).abs(), GRID))
    return Result(
        played,
        measures=(
            Measure(
                "distance of D from p / (p + q)",
                apart,
                "Mean absolute difference, where data and generated points are.",
                at_most=0.0063,
            ),
            Measure(
                "value less 2 JSD − log 4",
                abs(value - best_value()),
                f"The value of the game was {value:.3f}; by quadrature it is {best_value():.3f}.",
                at_most=0.0092,
            ),
        ),
        notes=("Grey is D* = p / (p + q), blue is what was learned. p is N(0, 1), q is N(1.5, 0.7²).",),
    )


DEMO = Demo(
    paper="Goodfellow et al. (2014), Generative adversarial nets, section 4. NeurIPS, arXiv:1406.2661.",
    idea="The best discriminator is known in closed form, and with it what the generator really descends: "
    "the Jensen-Shannon divergence.",
    objectives=(
        (
            "D*(x) = p(x) / (p(x) + q(x))\nattains the maximum of\nE log D(x) + E log(1 − D(G(z)))",
            Gan.discriminate,
        ),
        ("which is\n2 JSD(p, q) − log 4", best_value),
    ),
    rounds=600,
    play=play,
)
