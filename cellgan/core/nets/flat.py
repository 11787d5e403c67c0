"""Perceptrons that take images, or give them: each pixel is a feature."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import nn

from cellgan.core.nets.mlp import mlp

if TYPE_CHECKING:
    from collections.abc import Sequence


def image_mlp(
    n_in: int, shape: tuple[int, ...], *, hidden: Sequence[int] = (128, 128), bounded: bool = True
) -> nn.Sequential:
    """Return a perceptron that gives images.

    Parameters
    ----------
    n_in
        Features in, all that a row has: ``(n, ...)`` is flattened.
    shape
        Of one image: channels, height, width.
    hidden
        Width of each layer in between.
    bounded
        End in a tanh, from -1 to 1.
    """
    layers = [nn.Flatten(), mlp(n_in, math.prod(shape), hidden=hidden), nn.Unflatten(1, shape)]
    return nn.Sequential(*layers, nn.Tanh()) if bounded else nn.Sequential(*layers)


def from_image_mlp(
    shape: tuple[int, ...], n_out: int, *, hidden: Sequence[int] = (128, 128), dropout: float = 0.0
) -> nn.Sequential:
    """Return a perceptron that takes images of a shape, and gives ``(n, n_out)``."""
    return nn.Sequential(nn.Flatten(), mlp(math.prod(shape), n_out, hidden=hidden, dropout=dropout))
