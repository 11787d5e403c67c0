"""Perceptrons with batch normalisation, and noise between their layers.

References
----------
Salimans et al. (2016), Improved techniques for training GANs: noise in the discriminator's layers.
Springenberg (2016), Categorical generative adversarial networks, appendix C: both, for the same reason.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Noise(nn.Module):
    """Adds normal noise in training, and none in evaluation.

    Parameters
    ----------
    sd
        Its standard deviation.
    """

    def __init__(self, sd: float) -> None:
        super().__init__()
        self.sd = sd

    def forward(self, x: Tensor) -> Tensor:
        """Return x with noise, of the shape of x."""
        return x + self.sd * torch.randn_like(x) if self.training else x


def noisy_mlp(
    n_in: int, n_out: int, *, hidden: Sequence[int] = (128, 128), noise: float = 0.3, slope: float = 0.2
) -> nn.Sequential:
    """Return a perceptron whose hidden features are normalised over the mini-batch and made noisy.

    In evaluation, too, features are normalised by the rows at hand: averages gathered in training would be of
    real and generated rows together, and fit neither. So give it many rows at a time, of one kind.

    Parameters
    ----------
    n_in
        Features in, ``(n, n_in)``.
    n_out
        Features out, ``(n, n_out)``.
    hidden
        Width of each layer in between.
    noise
        Standard deviation of the noise, where features have one of about 1.
    slope
        Slope of the leaky ReLU where its input is negative.

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
        layers += [nn.Linear(width, following), nn.BatchNorm1d(following, track_running_stats=False)]
        layers += [nn.LeakyReLU(slope), Noise(noise)]
    return nn.Sequential(*layers, nn.Linear(widths[-2], n_out))
