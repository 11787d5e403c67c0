"""Intensities of one volume, made comparable with those of others: scanners and coils differ thirty-fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cellgan.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LIMIT = 4.0
_WHOLE = 1.349  # interquartile range of a normal distribution of SD 1


def normalise(slices: NDArray[Any], *, path: Path | str) -> NDArray[np.float32]:
    """Centre on the median and scale by the interquartile range, robustly against bright coils and implants.

    Parameters
    ----------
    slices
        ``(n_slices, size, size)`` in any unit; NaN outside of the volume.
    path
        The file, for errors.

    Returns
    -------
    The same shape, in units of one robust SD, between -4 and 4; 0 outside of the volume. It does not change
    when the volume is multiplied by a positive number, or a number is added.

    Raises
    ------
    InputError
        More than half of the values, and the 5 and 95 % quantiles, are all alike.
    """
    known = slices[np.isfinite(slices)]
    low, first, middle, third, high = (
        np.quantile(known, (0.05, 0.25, 0.5, 0.75, 0.95)) if known.size else np.zeros(5)
    )
    spread = max((third - first) / _WHOLE, (high - low) / 8)
    if not spread > 0:
        msg = f"{path}: nearly all voxels are {middle:g}; expected an image. Was it exported empty?"
        raise InputError(msg)
    scaled = np.clip((slices - middle) / spread, -LIMIT, LIMIT)
    found: NDArray[np.float32] = np.nan_to_num(scaled).astype(np.float32)
    return found
