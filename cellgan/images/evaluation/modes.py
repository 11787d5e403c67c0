"""Mode counting: on a mixture whose centres are known, which of them were found.

A point belongs to its nearest centre if it lies within three standard deviations of it. A mode is found if
at least one point in a hundred belongs to it.

References
----------
Metz et al. (2017), Unrolled generative adversarial networks. Srivastava et al. (2017), VEEGAN, section 4.1:
modes, and the share of points within three standard deviations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

_WITHIN = 3.0  # standard deviations
_FOUND = 0.01  # of all points


@dataclass(frozen=True)
class Modes:
    """How many modes were found, and the share of points that belong to any."""

    found: int
    inside: float


def count_modes(points: Tensor, centres: Tensor, *, sd: float) -> Modes:
    """Count the modes that points have found.

    Parameters
    ----------
    points
        ``(n, d)``.
    centres
        Of the mixture, ``(n_modes, d)``.
    sd
        Standard deviation around each centre.
    """
    near = torch.cdist(points, centres).min(1)
    inside = near.values < _WITHIN * sd
    share = torch.bincount(near.indices[inside], minlength=len(centres)) / len(points)
    return Modes(int((share >= _FOUND).sum()), float(inside.float().mean()))
