from __future__ import annotations

import math

import pytest
import torch

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.core.nets import mlp, noisy_mlp
from cellgan.errors import ConfigError
from cellgan.images.catgan import CatGan, entropy, marginal_entropy
from cellgan.images.toys import two_rings


class Unbalanced(CatGan):
    """Nothing asks its discriminator to use both classes."""

    def classify(self, batch):
        return {name: term for name, term in super().classify(batch).items() if name != "balance"}


@pytest.mark.parametrize(("kind", "low", "high"), [(CatGan, 0.95, 1.0), (Unbalanced, 0.5, 0.6)])
def test_two_clouds_are_told_apart_without_a_label(kind, low, high):
    with seeded(0):
        y = torch.arange(1000) % 2
        x = 0.2 * torch.randn(1000, 2) + torch.where(y == 0, -1.0, 1.0).unsqueeze(1)
        game = kind(mlp(2, 2, hidden=(16,)), mlp(2, 2, hidden=(32, 32)), n_noise=2, optimizer=Adam(lr=5e-3))
        game.discriminator[-1].bias.data.copy_(torch.tensor([3.0, 0.0]))  # all in one class, at first
    play(Match(game, seed=0), Batches({"x": x}, size=64, seed=0), rounds=150)
    with torch.no_grad():
        right = float((game.discriminator(x).argmax(1) == y).float().mean())
    assert low <= max(right, 1 - right) <= high


def test_a_few_labels_name_the_classes():
    with seeded(0):
        y = torch.arange(1000) % 2
        x = 0.2 * torch.randn(1000, 2) + torch.where(y == 0, -1.0, 1.0).unsqueeze(1)
        game = CatGan(mlp(2, 2, hidden=(16,)), mlp(2, 2, hidden=(32, 32)), 2, 1.0, optimizer=Adam(lr=5e-3))
    rows = {"x": x, "known": x[:4], "label": 1 - y[:4]}
    play(Match(game, seed=0), Batches(rows, size=64, seed=0, together=(("known", "label"),)), rounds=150)
    with torch.no_grad():
        assert float((game.discriminator(x).argmax(1) == 1 - y).float().mean()) > 0.95


def test_entropies():
    sure = torch.tensor([[0.0, -torch.inf], [-torch.inf, 0.0]]).clamp(min=-50)
    unsure = torch.full((2, 2), -math.log(2))
    assert float(entropy(sure)) == pytest.approx(0, abs=1e-6)
    assert float(marginal_entropy(sure)) == pytest.approx(math.log(2))
    assert float(entropy(unsure)) == pytest.approx(math.log(2))
    assert float(marginal_entropy(sure[:1])) == pytest.approx(0, abs=1e-6)


def test_rings_have_their_radii():
    x, which = two_rings(4000, seed=0, factor=0.4, noise=0.01)
    radius = x.norm(dim=1)
    assert float(radius[which == 0].mean()) == pytest.approx(1, abs=0.01)
    assert float(radius[which == 1].mean()) == pytest.approx(0.4, abs=0.01)


def test_noise_is_for_training_alone():
    with seeded(0):
        net, x = noisy_mlp(2, 1, hidden=(8,), noise=0.5), torch.randn(16, 2)
        net.train()
        assert not torch.equal(net(x), net(x))
        net.eval()
        assert torch.equal(net(x), net(x))
    with pytest.raises(ConfigError, match="at least one feature"):
        noisy_mlp(2, 0)
