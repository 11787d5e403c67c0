from __future__ import annotations

import pytest
import torch

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.core.nets import mlp
from cellgan.errors import ConfigError
from cellgan.images.discogan import DiscoGan
from cellgan.images.domains import three_and_three


def cycled(reconstruction_weight: float) -> float:
    """Return the mean squared distance of cycled points from themselves, after a short game."""
    a, b, _ = three_and_three(600, seed=0)
    with seeded(0):
        game = DiscoGan(
            *(mlp(2, n_out, hidden=(32, 32)) for n_out in (2, 2, 1, 1)),
            reconstruction_weight=reconstruction_weight,
            optimizer=Adam(lr=2e-3),
        )
    play(Match(game, seed=0), Batches({"a": a, "b": b}, size=64, seed=0), rounds=400)
    with torch.no_grad():
        shown = game.translate({"a": a, "b": b})
    return float((shown["aba"] - a).square().mean() + (shown["bab"] - b).square().mean())


def test_the_reconstruction_brings_every_point_back_and_nothing_else_does():
    assert cycled(1.0) < 0.15
    assert cycled(1e-9) > 0.4


def test_a_game_without_reconstruction_is_refused():
    with pytest.raises(ConfigError, match="reconstruction_weight=0"):
        DiscoGan(*(mlp(2, 2) for _ in range(4)), reconstruction_weight=0)
