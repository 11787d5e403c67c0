"""A two-sample test with kernel MMD: could both samples come from one distribution.

The bandwidth is the median distance between all points. The pooled rows are dealt into two heaps again and
again, and the p-value is the share of deals, the one at hand included, whose discrepancy is as large.

References
----------
Gretton et al. (2012), A kernel two-sample test, section 8: the median heuristic. Phipson and Smyth (2010),
Permutation p-values should never be zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cellgan.core import seeded
from cellgan.core.losses import median_distance, squared_mmd


@dataclass(frozen=True)
class KernelTest:
    """The squared discrepancy, unbiased, and the chance of one as large by dealing alone."""

    squared_mmd: float
    p: float


def kernel_test(x: Tensor, y: Tensor, *, deals: int = 200, seed: int = 0) -> KernelTest:
    """Test whether two samples come from one distribution.

    Parameters
    ----------
    x, y
        ``(n, ...)`` and ``(m, ...)``; a few hundred rows each are enough, and time grows with their square.
    deals
        How often the pooled rows are dealt.
    seed
        Of the deals.
    """
    n, m = len(x), len(y)
    pooled = torch.cat([x.flatten(1), y.flatten(1)])
    sigma = median_distance(pooled, pooled)
    found = float(squared_mmd(x, y, bandwidths=[sigma]))
    kernel = torch.exp(-torch.cdist(pooled, pooled).square() / (2 * sigma**2)).fill_diagonal_(0)
    with seeded(seed):
        heaps = torch.stack([torch.randperm(n + m) < n for _ in range(deals)]).float()
    first, rest = heaps @ kernel, 1 - heaps
    within = (first * heaps).sum(1) / (n * (n - 1))
    across = (first * rest).sum(1) / (n * m)
    others = ((rest @ kernel) * rest).sum(1) / (m * (m - 1))
    dealt = within + others - 2 * across
    return KernelTest(found, (1 + int((dealt >= found).sum())) / (1 + deals))
