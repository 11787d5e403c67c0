"""The sliced Wasserstein distance: the mean earth mover's distance over random directions.

    SW1 = E over directions u of ∫ |F⁻¹_u(q) - G⁻¹_u(q)| dq,    F_u, G_u: what both look like along u

References
----------
Rabin et al. (2012), Wasserstein barycenter and its application to texture mixing. Bonneel et al. (2015),
Sliced and Radon Wasserstein barycenters of measures.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cellgan.core import seeded

_QUANTILES = 500


def sliced_wasserstein(x: Tensor, y: Tensor, *, directions: int = 200, seed: int = 0) -> float:
    """Return the distance, in the units of the data.

    Parameters
    ----------
    x, y
        Two samples, ``(n, ...)`` and ``(m, ...)``.
    directions
        How many.
    seed
        Of the directions.
    """
    x, y = x.flatten(1), y.flatten(1)
    with seeded(seed):
        along = torch.nn.functional.normalize(torch.randn(x.shape[1], directions), dim=0)
    q = (torch.arange(_QUANTILES, dtype=x.dtype) + 0.5) / _QUANTILES
    apart = torch.quantile(x @ along, q, dim=0) - torch.quantile(y @ along, q, dim=0)
    return float(apart.abs().mean())
