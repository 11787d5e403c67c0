"""Points in the plane whose distribution is known."""

from __future__ import annotations

import math

import torch
from torch import Tensor

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
