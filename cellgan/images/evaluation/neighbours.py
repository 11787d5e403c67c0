"""Precision, recall, density and coverage: neighbourhoods of real data that generated data fall into.

A point's neighbourhood is the ball to its k-th neighbour within its own set.

    precision   share of generated points in any real point's neighbourhood
    recall      share of real points in any generated point's neighbourhood
    density     mean number of real neighbourhoods that hold a generated point, over k
    coverage    share of real points whose neighbourhood holds a generated point

Precision and recall are 1 where both sets are one distribution and lie near 0 where they are apart, but one
outlier with a large neighbourhood spoils them; density and coverage stand firm. Density can exceed 1.

References
----------
Kynkäänniemi et al. (2019), Improved precision and recall metric for assessing generative models. Naeem et al.
(2020), Reliable fidelity and diversity metrics for generative models, equations 3-6.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cellgan.errors import InputError


@dataclass(frozen=True)
class Neighbourhoods:
    """The four figures."""

    precision: float
    recall: float
    density: float
    coverage: float


def neighbourhoods(generated: Tensor, real: Tensor, *, k: int = 5) -> Neighbourhoods:
    """Compare two samples by the neighbourhoods of their points.

    Parameters
    ----------
    generated, real
        ``(n, ...)`` and ``(m, ...)``; memory grows with n times m.
    k
        Which neighbour bounds a neighbourhood.

    Raises
    ------
    InputError
        If a sample has no k-th neighbours.
    """
    if min(len(generated), len(real)) <= k:
        msg = f"The samples have {len(generated)} and {len(real)} rows; expected more than k={k} each."
        raise InputError(msg)
    generated, real = generated.flatten(1), real.flatten(1)
    apart = torch.cdist(generated, real)
    near_real = apart <= _radius(real, k)
    near_generated = apart <= _radius(generated, k).unsqueeze(1)
    return Neighbourhoods(
        precision=float(near_real.any(1).float().mean()),
        recall=float(near_generated.any(0).float().mean()),
        density=float(near_real.float().sum(1).mean() / k),
        coverage=float(near_real.any(0).float().mean()),
    )


def _radius(x: Tensor, k: int) -> Tensor:
    """Return each row's distance to its k-th neighbour, itself not counted."""
    return torch.cdist(x, x).kthvalue(k + 1, dim=1).values
