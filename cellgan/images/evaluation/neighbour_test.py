"""A two-sample test by neighbours: does a point's neighbourhood tell which sample it came from.

Each point is assigned to the sample that most of its k nearest others are from. Where both samples come from
one distribution that is right half the time; where they are apart, always.

References
----------
Schilling (1986), Multivariate two-sample tests based on nearest neighbors. Lopez-Paz and Oquab (2017),
Revisiting classifier two-sample tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def neighbour_accuracy(x: Tensor, y: Tensor, *, k: int = 5) -> float:
    """Return the share of points that are assigned to their own sample.

    Parameters
    ----------
    x, y
        Two samples of equal size, ``(n, ...)``.
    k
        How many neighbours vote; an odd number.
    """
    pooled = torch.cat([x.flatten(1), y.flatten(1)])
    own = torch.arange(len(pooled)) < len(x)
    apart = torch.cdist(pooled, pooled).fill_diagonal_(torch.inf)
    votes = own[apart.topk(k, largest=False).indices].float().mean(1) > 0.5
    return float((votes == own).float().mean())
