from __future__ import annotations

import math

import torch

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.core.nets import mlp
from cellgan.images.gan import Gan

ANGLES = torch.arange(8) * math.pi / 4
CENTRES = torch.stack([ANGLES.cos(), ANGLES.sin()], 1)
SD = 0.05


def ring() -> torch.Tensor:
    """Eight Gaussians on a circle, 1,000 points each."""
    generator = torch.Generator().manual_seed(0)
    return CENTRES.repeat(1000, 1) + SD * torch.randn(8000, 2, generator=generator)


def score(points: torch.Tensor) -> tuple[int, float]:
    """Return how many Gaussians hold at least 1 % of the points, and the share of points within 3 SD."""
    near = torch.cdist(points, CENTRES).min(1)
    inside = near.values < 3 * SD
    share = torch.bincount(near.indices[inside], minlength=8) / len(points)
    return int((share >= 0.01).sum()), float(inside.float().mean())


class Silent(torch.nn.Module):
    """A discriminator whose scores depend on its weights alone: it can say nothing about the data."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp(2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(torch.zeros_like(x)) + 0 * x.sum(1, keepdim=True)


def trained(discriminator: torch.nn.Module, rounds: int) -> tuple[int, float]:
    with seeded(0):
        game = Gan(mlp(2, 2, hidden=(64, 64)), discriminator, n_noise=2, optimizer=Adam(lr=1e-3))
    play(Match(game, seed=0), Batches({"x": ring()}, size=256, seed=0), rounds=rounds)
    with torch.no_grad(), seeded(1):
        return score(game.draw(torch.empty(2000, 2)))


def test_the_ring_is_found_and_only_through_the_discriminator():
    with seeded(0):
        modes, inside = trained(mlp(2, 1, hidden=(64, 64)), rounds=1200)
    assert modes >= 7
    assert inside > 0.45  # a Gaussian of the ring's size has .05
    _, inside = trained(Silent(), rounds=200)
    assert inside < 0.15
