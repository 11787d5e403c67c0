from __future__ import annotations

import pytest
import torch

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.core.nets import mlp
from cellgan.errors import ConfigError
from cellgan.images.domains import three_and_three
from cellgan.images.unit import Unit


def played(likelihood: float) -> dict[str, torch.Tensor]:
    """Return what the game shows of both domains, of codes that are not blurred."""
    a, b, _ = three_and_three(600, seed=0)
    with seeded(0):
        game = Unit(
            encoders={"a": mlp(2, 32, hidden=(32,)), "b": mlp(2, 32, hidden=(32,))},
            to_code=mlp(32, 2, hidden=(32,)),
            from_code=mlp(2, 32, hidden=(32,)),
            generators={"a": mlp(32, 2, hidden=(32,)), "b": mlp(32, 2, hidden=(32,))},
            discriminators={"a": mlp(2, 1, hidden=(32, 32)), "b": mlp(2, 1, hidden=(32, 32))},
            adversary_weight=1.0,
            kl_weight=0.01,
            likelihood_weight=likelihood,
            optimizer=Adam(lr=2e-3),
        )
    play(Match(game, seed=0), Batches({"a": a, "b": b}, size=64, seed=0), rounds=300)
    with torch.no_grad():
        z = game.encode("a", a).mean
        ab = game.decode("b", z)
        aba = game.decode("a", game.encode("b", ab).mean)
        return {"a": a, "aa": game.decode("a", z), "aba": aba, "ab": ab, "b": b}


def away(x: torch.Tensor, y: torch.Tensor) -> float:
    return float((x - y).abs().mean())


def test_codes_can_be_read_in_their_own_domain_and_through_the_other():
    shown = played(likelihood=10.0)
    assert away(shown["aa"], shown["a"]) < 0.25
    assert away(shown["aba"], shown["a"]) < 0.25
    assert float(torch.cdist(shown["ab"], shown["b"]).min(1).values.mean()) < 0.3  # and b looks like b
    without = played(likelihood=1e-9)
    assert away(without["aa"], without["a"]) > 0.5
    assert away(without["aba"], without["a"]) > 0.5


def test_weights_of_nothing_are_refused():
    with pytest.raises(ConfigError, match="kl_weight=0"):
        Unit({}, mlp(1, 1), mlp(1, 1), {}, {}, kl_weight=0)
