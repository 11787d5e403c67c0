"""A learning rate that falls to nothing, against torch's Adam with its rate set by hand, bit for bit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cellgan.core import Adam, Batches, Match, load_match, play, save_match, seeded
from cellgan.errors import ConfigError
from cellgan.images.gan import Gan

LR, BETAS, STEPS = 0.01, (0.9, 0.999), 5
X = torch.randn(60, 3, generator=torch.Generator().manual_seed(1))


def network() -> nn.Module:
    with seeded(0):
        return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))


def descend(own: nn.Module, optimizer, n: int) -> list[torch.Tensor]:
    """Take so many steps of least squares; return the weights after each."""
    seen = []
    for _ in range(n):
        own.zero_grad()
        (own(X) - 1).square().mean().backward()
        optimizer.step()
        seen.append(own[0].weight.detach().clone())
    return seen


@pytest.mark.parametrize("decay_steps", [STEPS, None])
def test_the_rate_falls_in_a_straight_line(decay_steps):
    ours = network()
    found = descend(ours, Adam(lr=LR, betas=BETAS, decay_steps=decay_steps)(ours.parameters()), STEPS + 2)
    theirs = network()
    optimizer = torch.optim.Adam(theirs.parameters(), lr=LR, betas=BETAS, fused=True)
    left = (lambda step: max(0.0, 1 - step / STEPS)) if decay_steps else (lambda _: 1.0)
    expected = []
    for step in range(STEPS + 2):
        optimizer.param_groups[0]["lr"] = left(step) * LR
        expected += descend(theirs, optimizer, 1)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_nothing_moves_once_the_rate_is_nothing():
    own = network()
    seen = descend(own, Adam(lr=LR, betas=BETAS, decay_steps=STEPS)(own.parameters()), STEPS + 3)
    assert not torch.equal(seen[STEPS - 2], seen[STEPS - 1])
    assert all(torch.equal(seen[STEPS - 1], later) for later in seen[STEPS:])


def match(decay_steps: int | None = STEPS) -> Match:
    with seeded(0):
        game = Gan(
            nn.Linear(2, 3), nn.Linear(3, 1), n_noise=2, optimizer=Adam(lr=LR, decay_steps=decay_steps)
        )
    return Match(game, seed=4)


def test_a_match_that_stopped_goes_on_at_the_rate_it_had(tmp_path):
    batches = Batches({"x": X}, size=16, seed=0)
    whole, first, second = match(), match(), match()
    play(whole, batches, rounds=4)
    play(first, batches, rounds=2)
    save_match(first, tmp_path / "stopped")
    load_match(second, tmp_path / "stopped")
    play(second, batches, rounds=2)
    save_match(whole, tmp_path / "whole")
    save_match(second, tmp_path / "resumed")
    assert (tmp_path / "resumed").read_bytes() == (tmp_path / "whole").read_bytes()
    steady = match(decay_steps=None)
    play(steady, batches, rounds=4)
    save_match(steady, tmp_path / "steady")
    assert (tmp_path / "steady").read_bytes() != (tmp_path / "whole").read_bytes()


def test_a_rate_that_is_nothing_from_the_start_is_refused():
    with pytest.raises(ConfigError, match="decay_steps=0"):
        Adam(decay_steps=0)
