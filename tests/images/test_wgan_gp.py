from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.core.nets import mlp
from cellgan.errors import ConfigError
from cellgan.images.wgan_gp import WganGp


class Line(nn.Module):
    """Draws from Q: (shift, u), u uniform; only the shift can move."""

    def __init__(self, shift: float) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(shift))

    def forward(self, noise: torch.Tensor) -> torch.Tensor:
        u = torch.rand(len(noise))
        return torch.stack([self.shift.expand(len(noise)), u], 1)


@dataclass(frozen=True)
class CriticAlone(WganGp):
    """The game with the generator held still, so that the critic can be seen at its best."""

    def players(self):
        return super().players()[:1]

    def spectators(self):
        return {"generator": self.generator}


def p() -> torch.Tensor:
    """P: (0, u), u uniform."""
    u = torch.rand(4000, 1, generator=torch.Generator().manual_seed(0))
    return torch.cat([torch.zeros_like(u), u], 1)


def gap(shift: float, *, penalty_weight: float = 10.0) -> float:
    """Return what a trained critic measures between P and Q at a distance."""
    with seeded(0):
        game = CriticAlone(
            Line(shift),
            mlp(2, 1, hidden=(64, 64)),
            n_noise=1,
            penalty_weight=penalty_weight,
            optimizer=Adam(lr=1e-3, betas=(0.0, 0.9)),
        )
    play(Match(game, seed=0), Batches({"x": p()}, size=256, seed=0), rounds=60)
    with torch.no_grad(), seeded(1):
        return float(game.gap(p(), game.draw(p())))


def test_the_critics_gap_is_the_earth_movers_distance():
    distances = [0.0, 0.25, 0.5, 1.0]
    # The best slope s of s d - 10 (s - 1)², which is what a critic ascends over a distance d, is 1 + d / 20.
    expected = [d * (1 + d / 20) for d in distances]
    assert [gap(d) for d in distances] == pytest.approx(expected, abs=0.06)


def test_without_the_penalty_the_gap_has_no_unit():
    assert gap(0.25, penalty_weight=1e-6) > 2


def test_the_generator_closes_the_gap_although_the_two_never_overlap():
    with seeded(0):
        generator = Line(1.0)
        game = WganGp(
            generator, mlp(2, 1, hidden=(32,)), n_noise=1, optimizer=Adam(lr=0.01, betas=(0.0, 0.9))
        )
    play(Match(game, seed=0), Batches({"x": p()}, size=256, seed=0), rounds=150)
    assert abs(float(generator.shift.detach())) < 0.15


def test_every_step_of_the_critic_sees_fresh_data():
    with seeded(0):
        game = WganGp(Line(1.0), mlp(2, 1, hidden=(4,)), n_noise=1, n_critic=4)
    match = Match(game, seed=0)
    play(match, Batches({"x": p()}, size=8, seed=0), rounds=3)
    assert match.batches_drawn == 12


def test_a_penalty_of_no_weight_is_refused():
    with pytest.raises(ConfigError, match="penalty_weight=0"):
        WganGp(nn.Linear(1, 2), nn.Linear(2, 1), n_noise=1, penalty_weight=0)
