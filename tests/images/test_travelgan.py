from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cosine_similarity

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.core.nets import mlp
from cellgan.errors import ConfigError
from cellgan.images.domains import three_and_three
from cellgan.images.travelgan import TravelGan, differences


def kept(travel_weight: float) -> float:
    """Return how well the directions between points are kept, a mean cosine."""
    a, b, _ = three_and_three(600, seed=0)
    with seeded(0):
        game = TravelGan(
            mlp(2, 2, hidden=(32, 32)),
            mlp(2, 8, hidden=(32,)),
            mlp(2, 1, hidden=(32, 32)),
            travel_weight=travel_weight,
            margin=2.0,
            optimizer=Adam(lr=2e-3),
        )
    play(Match(game, seed=0), Batches({"a": a, "b": b}, size=32, seed=0), rounds=400)
    with torch.no_grad():
        before, after = (differences(game.siamese(x[::10])) for x in (a, game.generator(a)))
    return float(cosine_similarity(before, after).mean())


def test_what_lies_between_points_is_kept_and_only_by_the_travel_term():
    assert kept(10.0) > 0.9
    assert kept(1e-9) < 0.8


def test_the_differences_are_those_of_all_pairs():
    codes = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    by_hand = [codes[i] - codes[j] for i in range(5) for j in range(i + 1, 5)]
    assert torch.equal(differences(codes), torch.stack(by_hand))


def test_a_game_that_keeps_nothing_is_refused():
    with pytest.raises(ConfigError, match="margin=0"):
        TravelGan(mlp(2, 2), mlp(2, 2), mlp(2, 1), margin=0)
