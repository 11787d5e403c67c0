"""Twice as large, and half as large again: ``halve(double(x))`` is x."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn.functional import avg_pool2d, interpolate

if TYPE_CHECKING:
    from torch import Tensor


def halve(x: Tensor, *, times: int = 1) -> Tensor:
    """Average two by two pixels of images ``(n, c, h, w)``, so many times over."""
    for _ in range(times):
        x = avg_pool2d(x, 2)
    return x


def double(x: Tensor) -> Tensor:
    """Repeat each pixel two by two."""
    return interpolate(x, scale_factor=2.0, mode="nearest")
