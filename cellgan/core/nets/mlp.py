"""Multi-layer perceptrons."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from torch import nn

from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence


def mlp(
    n_in: int, n_out: int, *, hidden: Sequence[int] = (128, 128), slope: float = 0.2, dropout: float = 0.0
) -> nn.Sequential:
    """Return a perceptron with leaky ReLU between its layers, and a linear last layer.

    Parameters
    ----------
    n_in
        Features in, ``(n, n_in)``.
    n_out
        Features out, ``(n, n_out)``.
    hidden
        Width of each layer in between.
    slope
        Slope of the leaky ReLU where its input is negative; 0 makes it a ReLU.
    dropout
        Share of the hidden features that are dropped in training.

    Raises
    ------
    ConfigError
        If a layer would have no features.
    """
    widths = [n_in, *hidden, n_out]
    if min(widths) < 1:
        msg = f"A perceptron's layers need at least one feature each; got {widths}."
        raise ConfigError(msg)
    layers: list[nn.Module] = []
    for width, following in pairwise(widths[:-1]):
        layers += [nn.Linear(width, following), nn.LeakyReLU(slope, inplace=True)]
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(widths[-2], n_out))
