"""Kernel maximum mean discrepancy: two samples compared without a discriminator.

With k(a, b) = Σ over bandwidths σ of exp(-‖a - b‖² / 2σ²), the unbiased estimate

    MMD² = E k(x, x') + E k(y, y') - 2 E k(x, y),    over pairs of different rows.

It is zero on average where both samples come from one distribution, and may then fall below.

References
----------
Gretton et al. (2012), A kernel two-sample test, lemma 6. Li, Swersky and Zemel (2015), Generative moment
matching networks, equation 3 and section 4: several bandwidths are summed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


def squared_mmd(x: Tensor, y: Tensor, *, bandwidths: Sequence[float]) -> Tensor:
    """Return the unbiased estimate of the squared discrepancy, a scalar.

    Parameters
    ----------
    x, y
        Two samples, ``(n, ...)`` and ``(m, ...)`` with at least 2 rows each.
    bandwidths
        σ of the kernels that are summed, in the units of x.

    Raises
    ------
    ConfigError
        If there are no bandwidths, or a sample has no pairs.
    """
    if not bandwidths or min(bandwidths) <= 0:
        msg = f"The kernel's bandwidths are {list(bandwidths)}; expected one or more numbers above 0."
        raise ConfigError(msg)
    if min(len(x), len(y)) < 2:
        msg = f"The samples have {len(x)} and {len(y)} rows; expected at least 2 each, to make pairs."
        raise ConfigError(msg)
    x, y = x.flatten(1), y.flatten(1)
    return _alike(x, bandwidths) + _alike(y, bandwidths) - 2 * _kernel(x, y, bandwidths).mean()


def median_distance(x: Tensor, y: Tensor) -> float:
    """Return the median distance between rows of two samples: the usual choice of a bandwidth."""
    return float(torch.cdist(x.flatten(1), y.flatten(1)).median())


def _alike(x: Tensor, bandwidths: Sequence[float]) -> Tensor:
    """Return the mean of the kernel over pairs of different rows."""
    kernel = _kernel(x, x, bandwidths)
    return (kernel.sum() - kernel.diagonal().sum()) / (len(x) * (len(x) - 1))


def _kernel(x: Tensor, y: Tensor, bandwidths: Sequence[float]) -> Tensor:
    # Not cdist: its slope at distance zero is not a number.
    squares = (x.square().sum(1, keepdim=True) + y.square().sum(1) - 2 * x @ y.T).clamp(min=0)
    return torch.stack([torch.exp(-squares / (2 * sigma**2)) for sigma in bandwidths]).sum(0)
