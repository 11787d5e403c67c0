from __future__ import annotations

import pytest
import torch

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.core.nets import mlp
from cellgan.errors import ConfigError
from cellgan.images.cyclegan import CycleGan
from cellgan.images.domains import three_and_three
from cellgan.images.history import ImageHistory


def played(*, cycle_weight: float = 10.0, identity_weight: float = 0.5, rounds: int = 300) -> CycleGan:
    a, b, _ = three_and_three(600, seed=0)
    with seeded(0):
        game = CycleGan(
            *(mlp(2, n_out, hidden=(32, 32)) for n_out in (2, 2, 1, 1)),
            ImageHistory(50, (2,)),
            ImageHistory(50, (2,)),
            cycle_weight=cycle_weight,
            identity_weight=identity_weight,
            optimizer=Adam(lr=2e-3),
        )
    play(Match(game, seed=0), Batches({"a": a, "b": b}, size=64, seed=0), rounds=rounds)
    return game


def away(x: torch.Tensor, y: torch.Tensor) -> float:
    return float((x - y).abs().mean().detach())


def test_the_cycle_leads_back_and_the_identity_leaves_the_target_alone():
    a, b, _ = three_and_three(600, seed=1)
    full = played()
    assert away(full.translate({"a": a, "b": b})["aba"], a) < 0.1
    assert away(full.generator_ab(b), b) < 0.1
    bare = played(cycle_weight=1e-9, identity_weight=0)
    assert away(bare.translate({"a": a, "b": b})["aba"], a) > 0.15
    assert away(played(identity_weight=0).generator_ab(b), b) > 1


def test_the_history_shows_older_images_and_is_saved_with_the_match():
    game = played(rounds=20)
    history = game.history_a
    assert history is not None
    assert int(history.n_held) == 50
    old = history.images.clone()
    with seeded(0):
        shown = history(torch.full((40, 2), 99.0))
    older = (shown != 99).all(1)
    assert 8 <= int(older.sum()) <= 32  # about half
    assert all((old == image).all(1).any() for image in shown[older])
    assert int((history.images == 99).all(1).sum()) == int(older.sum())
    assert set(Match(game, seed=0).state_dict()["networks"]) >= {"history_a", "history_b"}


def test_a_history_holds_all_that_it_is_shown_until_it_is_full():
    history = ImageHistory(5, (1,))
    first = torch.arange(4.0).unsqueeze(1)
    assert torch.equal(history(first), first)
    assert int(history.n_held) == 4
    history(first + 10)
    assert int(history.n_held) == 5
    with pytest.raises(ConfigError, match="n_images=0"):
        ImageHistory(0, (1,))


def test_a_game_without_a_cycle_is_refused():
    with pytest.raises(ConfigError, match="cycle_weight=0"):
        CycleGan(*(mlp(2, 2) for _ in range(4)), cycle_weight=0)
