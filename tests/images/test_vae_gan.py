from __future__ import annotations

import pytest
import torch
from torch import nn

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.core.losses import Gaussian
from cellgan.core.nets import mlp
from cellgan.errors import ConfigError
from cellgan.images.toys import ring, ring_centres
from cellgan.images.vae_gan import VaeGan


def kept(*, blind: bool) -> float:
    """Return the share of points that are decoded nearest to the Gaussian that they were encoded from."""
    x = ring(2000, seed=0)
    with seeded(0):
        game = VaeGan(
            mlp(2, 4, hidden=(32, 32)),
            mlp(2, 2, hidden=(32, 32)),
            nn.Sequential(mlp(2, 16, hidden=(32,)), nn.LeakyReLU(0.2)),
            nn.Linear(16, 1),
            prior_weight=0.01,
            optimizer=Adam(lr=2e-3),
        )
        if blind:  # the reconstruction is compared with another row's data
            unlike = game.unlike
            object.__setattr__(game, "unlike", lambda made, x: unlike(made, x.roll(1, 0)))
    play(Match(game, seed=0), Batches({"x": x}, size=64, seed=0), rounds=400)
    with torch.no_grad():
        decoded = game.decoder(Gaussian.of(game.encoder(x)).mean)
    near = [torch.cdist(points, ring_centres()).argmin(1) for points in (x, decoded)]
    return float((near[0] == near[1]).float().mean())


def test_reconstructions_are_kept_by_the_features_alone():
    assert kept(blind=False) > 0.8
    assert kept(blind=True) < 0.4


def test_weights_of_nothing_are_refused():
    nets = [nn.Linear(2, 2) for _ in range(4)]
    with pytest.raises(ConfigError, match="feature_weight=0"):
        VaeGan(*nets, feature_weight=0)
