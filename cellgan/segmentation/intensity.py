"""Intensities of one volume, made comparable with those of others: scanners and coils differ thirty-fold.

Each image becomes two. One is centred and scaled as a whole, and keeps what is bright and what is dark. The
other is centred and scaled against its own surroundings, and keeps structures where an endorectal coil makes
everything beside it a hundred times brighter than the rest, which the first one cuts off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import gaussian_filter

from cellgan.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LIMIT = 4.0
N_VIEWS = 2
_AROUND = 20.0  # mm, SD of the surroundings that a value is compared with: an organ's size
_LEAST_CONTRAST = 0.05  # of a logarithm: where all is alike, noise is not blown up
_LEAST_SHARE = 1e-3
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


def local_contrast(slices: NDArray[Any], *, pixel: float) -> NDArray[np.float32]:
    """Compare the logarithm of each value with its surroundings in the slice.

    With l = log(I - I_min + ε), where ε is a tenth of the volume's median above its minimum, G a Gaussian
    mean over 20 mm and H one over 40 mm, both of what lies within the volume, it is

        (l - G l) / sqrt(H (l - G l)^2).

    Parameters
    ----------
    slices
        ``(n_slices, size, size)`` in any unit; NaN outside of the volume. Not all alike: see `normalise`.
    pixel
        Their pixels' distance in mm.

    Returns
    -------
    The same shape, between -4 and 4; 0 outside of the volume. It does not change when the volume is
    multiplied by a positive number, or a number is added; and hardly by a factor that varies slowly.

    References
    ----------
    Jobson et al. (1997), Properties and performance of a center/surround retinex: the logarithm less that of
    the surroundings.
    """
    inside = np.isfinite(slices)
    known = slices[inside]
    # The darkest values are noise, or a scanner's filling.
    low, middle, high = np.quantile(known, (0.005, 0.5, 0.95))
    least = 0.1 * max(middle - low, (high - low) / 8)
    light = np.where(inside, np.log(np.clip(slices - low, 0, None) + least), 0)
    sd = _AROUND / pixel
    apart = np.where(inside, light - _mean_around(light, inside, sd), 0)
    spread = np.sqrt(_mean_around(apart**2, inside, 2 * sd)) + _LEAST_CONTRAST
    found: NDArray[np.float32] = np.clip(apart / spread, -LIMIT, LIMIT).astype(np.float32)
    return found


def _mean_around(values: NDArray[Any], inside: NDArray[np.bool_], sd: float) -> NDArray[np.float64]:
    """Return Gaussian means in the plane of the slices, over what is inside."""
    axes = (0.0, sd, sd)
    share = gaussian_filter(inside.astype(np.float64), axes)
    found: NDArray[np.float64] = gaussian_filter(values, axes) / np.maximum(share, _LEAST_SHARE)
    return found
