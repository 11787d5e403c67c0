"""Two parallel segments a distance apart, as two losses measure it (Arjovsky et al. 2017, example 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.core.nets import mlp
from cellgan.images.gan import Gan
from cellgan.images.toys import Segment, segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from cellgan.core.player import Game, Player
    from cellgan.images.wgan import Wgan
    from cellgan.images.wgan_gp import WganGp

DISTANCES = (0.0, 0.25, 0.5, 0.75, 1.0)
_N = 4000


@dataclass(frozen=True)
class OpponentAlone:
    """The first player of a game, with the generator held still."""

    game: Gan | Wgan | WganGp

    def players(self) -> tuple[Player]:
        """Return the discriminator or critic."""
        return (self.game.players()[0],)

    def spectators(self) -> Mapping[str, nn.Module]:
        """Return the generator."""
        return {"generator": self.game.generator}


def critic_gap(game: Wgan | WganGp, distance: float, *, rounds: int, seed: int) -> float:
    """Return what a trained critic measures between the segments.

    Parameters
    ----------
    game
        A game whose critic is new; its generator is not used.
    distance
        Between the segments.
    rounds
        How long the critic learns.
    seed
        Of the mini-batches.
    """
    apart = replace(game, generator=Segment(distance))
    x = _learn(OpponentAlone(apart), rounds=rounds, seed=seed)
    with torch.no_grad(), seeded(seed + 1):
        return float(apart.gap(x, apart.draw(x)))


def jensen_shannon(distance: float, *, rounds: int, seed: int) -> float:
    """Return what a trained discriminator measures: the value of the GAN's game, (V + log 4) / 2, in nats."""
    with seeded(seed):
        game = Gan(Segment(distance), mlp(2, 1, hidden=(64, 64)), n_noise=1, optimizer=Adam(lr=3e-3))
    x = _learn(OpponentAlone(game), rounds=rounds, seed=seed)
    with torch.no_grad(), seeded(seed + 1):
        value = -float(sum(game.discriminate({"x": x}).values()))
    return (value + math.log(4)) / 2


def _learn(game: Game, *, rounds: int, seed: int) -> torch.Tensor:
    x = segment(_N, seed=seed)
    play(Match(game, seed=seed), Batches({"x": x}, size=128, seed=seed), rounds=rounds)
    return x
