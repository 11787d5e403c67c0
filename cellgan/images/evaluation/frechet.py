"""The Frechet distance of two sets of features, each taken for a Gaussian.

    d² = ‖m - n‖² + tr(S + T - 2 (S^½ T S^½)^½)

With the features of Inception this is the FID; here they are those of a small classifier, and the figure is
not comparable with any FID.

References
----------
Heusel et al. (2017), GANs trained by a two time-scale update rule converge to a local Nash equilibrium,
section 4. Dowson and Landau (1982), The Fréchet distance between multivariate normal distributions.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cellgan.errors import InputError


def frechet_distance(x: Tensor, y: Tensor) -> float:
    """Return the squared distance d².

    Parameters
    ----------
    x, y
        Features, ``(n, d)`` and ``(m, d)`` with at least 2 rows each.

    Raises
    ------
    InputError
        If there are too few rows for a covariance.
    """
    if min(len(x), len(y)) < 2:
        msg = f"The two sets have {len(x)} and {len(y)} rows; a covariance needs at least 2 each."
        raise InputError(msg)
    x, y = x.double(), y.double()
    s, t = (torch.cov(z.T).reshape(z.shape[1], z.shape[1]) for z in (x, y))
    root = _root(s)
    apart = (x.mean(0) - y.mean(0)).square().sum()
    return float(apart + torch.trace(s) + torch.trace(t) - 2 * torch.trace(_root(root @ t @ root)))


def _root(matrix: Tensor) -> Tensor:
    """Return the square root of a symmetric matrix without negative eigenvalues, but for rounding."""
    values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
    root: Tensor = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    return root
