"""From a volume to square axial slices on the training grid, and back.

Axes are first put into the order and direction nearest to right, anterior, superior, which moves no value.
Slices are then taken as they are, perpendicular to the axis nearest to superior, and only within them values
are resampled, onto ``size x size`` pixels of `pixel` mm around the middle of the volume. An oblique volume
keeps its oblique slices.

A resampling is a matrix per axis: local linear regression with a triangular kernel as wide as the coarser of
both grids (Fan 1992, Design-adaptive nonparametric regression). It averages where pixels are merged, is plain
linear interpolation where they are split, and keeps every ramp a ramp, at the borders as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellgan.segmentation.volumes import Volume

    Array = NDArray[Any]


@dataclass(frozen=True)
class Grid:
    """The training grid of one volume.

    Parameters
    ----------
    shape
        Shape of the volume, ``(x, y, z)``.
    affine
        From its voxels to mm.
    size
        Pixels along each side of a slice.
    pixel
        Their distance in mm.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    size: int
    pixel: float

    def slices(self, data: Array) -> NDArray[np.float32]:
        """Resample a volume ``(x, y, z)`` to slices ``(n_slices, size, size)``: rows right, columns anterior.

        Pixels outside of the volume are NaN, and so are those with a NaN among their voxels.
        """
        across, along = self._to_grid(0), self._to_grid(1)
        turned = np.moveaxis(self._turned(data), 2, 0).astype(np.float64)
        found: NDArray[np.float32] = (across @ turned @ along.T).astype(np.float32)
        found[:, ~self.inside()] = np.nan
        return found

    def labels(self, mask: Array, n_labels: int) -> NDArray[np.uint8]:
        """Resample a mask ``(x, y, z)`` to the label that covers most of each pixel, in slices."""
        shares = [np.nan_to_num(self.slices(mask == label)) for label in range(1, n_labels)]
        all_shares = np.stack([1 - np.sum(shares, axis=0), *shares])
        found: NDArray[np.uint8] = np.argmax(all_shares, axis=0).astype(np.uint8)
        return found

    def volume(self, slices: Array, *, outside: float) -> NDArray[np.float32]:
        """Resample slices ``(n_slices, size, size)`` to the volume's own voxels ``(x, y, z)``.

        Parameters
        ----------
        slices
            What `slices` gave, or something on the same grid.
        outside
            The value of voxels that no pixel covers.
        """
        across, along = self._from_grid(0), self._from_grid(1)
        found = across @ np.asarray(slices, dtype=np.float64) @ along.T
        covered = self._covered(0)[:, None] & self._covered(1)[None, :]
        found[:, ~covered] = outside
        return self._turned_back(np.moveaxis(found, 0, 2)).astype(np.float32)

    def inside(self) -> NDArray[np.bool_]:
        """Tell which pixels lie within the volume, ``(size, size)``."""
        x, y = (self._pixels(axis) for axis in (0, 1))
        n_x, n_y, _ = self._turned_shape
        return ((x >= -0.5) & (x <= n_x - 0.5))[:, None] & ((y >= -0.5) & (y <= n_y - 0.5))[None, :]

    def pixel_affine(self) -> NDArray[np.float64]:
        """Return the way from (row, column, slice) to mm, ``(4, 4)``."""
        x, y = self._pixels(0), self._pixels(1)
        step = np.diag([x[1] - x[0], y[1] - y[0], 1.0, 1.0])
        step[:2, 3] = x[0], y[0]
        turned: NDArray[np.float64] = self._turned_affine @ step
        return turned

    # What follows turns axes; `_turned_*` is the volume with axes nearest to right, anterior, superior.

    @property
    def _orientation(self) -> Array:
        found: Array = nib.orientations.io_orientation(self.affine)
        return found

    @property
    def _turned_affine(self) -> NDArray[np.float64]:
        to_turned = nib.orientations.inv_ornt_aff(self._orientation, self.shape)
        found: NDArray[np.float64] = self.affine @ to_turned
        return found

    @property
    def _turned_shape(self) -> tuple[int, int, int]:
        order = np.argsort(self._orientation[:, 0])
        x, y, z = (self.shape[axis] for axis in order)
        return x, y, z

    def _turned(self, data: Array) -> Array:
        found: Array = nib.orientations.apply_orientation(data, self._orientation)
        return found

    def _turned_back(self, data: Array) -> Array:
        straight = nib.orientations.axcodes2ornt("RAS")
        back = nib.orientations.ornt_transform(straight, self._orientation)
        found: Array = nib.orientations.apply_orientation(data, back)
        return found

    def _pixels(self, axis: int) -> NDArray[np.float64]:
        """Return where the pixels' centres lie along an axis, in voxels."""
        spacing = np.linalg.norm(self._turned_affine[:3, axis])
        steps = np.arange(self.size) - (self.size - 1) / 2
        found: NDArray[np.float64] = (self._turned_shape[axis] - 1) / 2 + steps * self.pixel / spacing
        return found

    def _covered(self, axis: int) -> NDArray[np.bool_]:
        at = self._pixels(axis)
        half = (at[1] - at[0]) / 2
        voxels = np.arange(self._turned_shape[axis])
        found: NDArray[np.bool_] = (voxels >= at[0] - half) & (voxels <= at[-1] + half)
        return found

    def _to_grid(self, axis: int) -> NDArray[np.float64]:
        return weights(self._pixels(axis), self._turned_shape[axis])

    def _from_grid(self, axis: int) -> NDArray[np.float64]:
        at = self._pixels(axis)
        return weights((np.arange(self._turned_shape[axis]) - at[0]) / (at[1] - at[0]), self.size)


def grid_of(volume: Volume, *, size: int, pixel: float) -> Grid:
    """Return the training grid of a volume."""
    x, y, z = volume.data.shape
    return Grid((x, y, z), volume.affine, size, pixel)


def upward(volume: Volume) -> int:
    """Return the file's axis nearest to superior, along which its slices lie."""
    return int(np.argmax(nib.orientations.io_orientation(volume.affine)[:, 0] == 2))


def gap_of(volume: Volume) -> float:
    """Return the distance of a volume's slices in mm."""
    return float(volume.spacing[upward(volume)])


def weights(at: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return the matrix that takes values at 0, 1, ..., n - 1 to values at evenly spaced places.

    Parameters
    ----------
    at
        Where values are wanted, evenly spaced. Beyond both ends they are those of the ends.
    n
        How many values there are.

    Returns
    -------
    ``(len(at), n)``; rows add up to 1. Between the ends every straight line is kept.
    """
    width = max(1.0, float(at[1] - at[0]))
    places = np.clip(at, 0, n - 1)[:, None]
    away = np.arange(n)[None, :] - places
    kernel = np.clip(1 - np.abs(away) / width, 0, None)
    s0, s1, s2 = (np.sum(kernel * away**power, 1, keepdims=True) for power in (0, 1, 2))
    spread = s0 * s2 - s1**2
    single = spread < 1e-12 * s0**2  # one value alone: it is the answer
    found: NDArray[np.float64] = np.where(
        single, kernel / s0, kernel * (s2 - s1 * away) / np.where(single, 1, spread)
    )
    return found
