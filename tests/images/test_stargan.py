from __future__ import annotations

import pytest
import torch
from torch import nn

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.core.nets import mlp
from cellgan.errors import ConfigError
from cellgan.images.stargan import StarGan

CENTRES = torch.tensor([[0.0, 2.0], [1.7, -1.0], [-1.7, -1.0]])


def domains(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Images of one pixel and two channels: one of three places, and a content."""
    content = 0.3 * torch.randn(1500, 2, generator=torch.Generator().manual_seed(seed))
    domain = torch.arange(1500) % 3
    return (CENTRES[domain] + content)[:, :, None, None], domain


def translated(**weights: float) -> tuple[float, float]:
    """Return the share that arrives where it should, and how far it ends from home after the way back."""
    x, domain = domains(0)
    with seeded(0):
        game = StarGan(
            nn.Sequential(nn.Flatten(), mlp(5, 2, hidden=(64, 64)), nn.Unflatten(1, (2, 1, 1))),
            nn.Sequential(nn.Flatten(), mlp(2, 4, hidden=(64,))),
            n_domains=3,
            n_critic=2,
            **{"class_weight": 3.0, **weights},
            optimizer=Adam(lr=2e-3),
        )
    batches = Batches({"x": x, "domain": domain}, size=64, seed=0, together=(("x", "domain"),))
    play(Match(game, seed=0), batches, rounds=350)
    x, domain = domains(1)
    to = (domain + 1) % 3
    with torch.no_grad():
        there = game.translate(x, to)
        back = game.translate(there, domain)
    arrived = torch.cdist(there.flatten(1), CENTRES).argmin(1) == to
    return float(arrived.float().mean()), float((back - x).abs().mean())


def test_the_class_says_where_to_and_the_reconstruction_leads_back():
    arrived, away = translated()
    assert arrived > 0.9
    assert away < 0.2
    assert translated(class_weight=1e-9)[0] < 0.6
    assert translated(reconstruction_weight=1e-9)[1] > 0.3


def test_weights_of_nothing_are_refused():
    with pytest.raises(ConfigError, match="class_weight=0"):
        StarGan(mlp(2, 2), mlp(2, 2), n_domains=2, class_weight=0)
