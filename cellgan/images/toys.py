"""Points whose distribution is known, and generators of one known parameter."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

RING_SD = 0.05


def ring_centres() -> Tensor:
    """Return the eight centres of `ring`, ``(8, 2)``, on a circle of radius 1."""
    angles = torch.arange(8) * math.pi / 4
    return torch.stack([angles.cos(), angles.sin()], 1)


def ring(n: int, *, seed: int) -> Tensor:
    """Return n points of eight Gaussians on a circle, ``(n, 2)``."""
    generator = torch.Generator().manual_seed(seed)
    which = torch.arange(n) % 8
    return ring_centres()[which] + RING_SD * torch.randn(n, 2, generator=generator)


def segment(n: int, *, seed: int) -> Tensor:
    """Return n points ``(0, u)``, u uniform in (0, 1): example 1 of Arjovsky et al. (2017)."""
    u = torch.rand(n, 1, generator=torch.Generator().manual_seed(seed))
    return torch.cat([torch.zeros_like(u), u], 1)


class Segment(nn.Module):
    """A generator of points ``(shift, u)``, u uniform: only the shift can move.

    The earth mover's distance from `segment` is the size of the shift; the Jensen-Shannon divergence is log 2
    for every shift but 0.
    """

    def __init__(self, shift: float) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(shift))

    def forward(self, noise: Tensor) -> Tensor:
        """Return as many points as there are rows of noise."""
        u = torch.rand(len(noise))
        return torch.stack([self.shift.expand(len(noise)), u], 1)


class Normal(nn.Module):
    """A generator of ``mean + sd z`` from noise z, of which the mean can move."""

    def __init__(self, mean: float, sd: float) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.tensor(mean))
        self.sd = sd

    def forward(self, noise: Tensor) -> Tensor:
        """Return points of the shape of the noise."""
        return self.mean + self.sd * noise


def two_rings(n: int, *, seed: int, factor: float = 0.4, noise: float = 0.04) -> tuple[Tensor, Tensor]:
    """Return n points of two circles, one within the other, ``(n, 2)``, and which they belong to, ``(n,)``.

    Parameters
    ----------
    n
        How many points.
    seed
        Of the points.
    factor
        Radius of the inner circle; that of the outer one is 1.
    noise
        Standard deviation around them.
    """
    generator = torch.Generator().manual_seed(seed)
    which = torch.arange(n) % 2
    angle = 2 * math.pi * torch.rand(n, generator=generator)
    radius = torch.where(which == 0, 1.0, factor)
    points = torch.stack([angle.cos(), angle.sin()], 1) * radius.unsqueeze(1)
    return points + noise * torch.randn(n, 2, generator=generator), which
