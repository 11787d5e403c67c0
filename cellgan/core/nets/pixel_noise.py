"""Gaussian noise around a mean, of one learned spread for each feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cellgan.core.losses import Gaussian

if TYPE_CHECKING:
    from collections.abc import Sequence


class PixelNoise(nn.Module):
    """From means ``(n, ...)`` to Gaussians around them, whose variances are learned and alike in all rows.

    Parameters
    ----------
    shape
        Of one row.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.zeros(1, *shape))

    def forward(self, mean: Tensor) -> Gaussian:
        """Return the Gaussians."""
        return Gaussian(mean, self.log_variance.expand_as(mean))
