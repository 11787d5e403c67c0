"""How well a predicted mask fits the expert's; every figure has a value, whatever is empty.

With P the predicted voxels of a label and T the expert's, and all lengths in mm, whatever the voxels' shape:

    name          definition                                       both empty   only P     only T
    dice          2 |P and T| / (|P| + |T|)                        1            0          0
    hd95          the larger of both directions' 95 % quantiles    0            extent     extent
                  of the distances from surface to surface, mm
    surface       mean of all these distances, mm                  0            extent     extent
    sensitivity   |P and T| / |T|                                  1            0          1
    specificity   share of the voxels outside of T that are        1            1          as defined
                  outside of P
    volume_error  (|P| - |T|) / mean of both, from -2 to 2         0            -2         2
    volume_ml     volume of P less that of T, ml                   0            as defined as defined

"Extent" is the longest diagonal of the volume, between the outermost voxels' centres: no two voxels are
further apart, so a mask that is missing can never better a mean. Where T fills the volume, the specificity
is 1.

A surface consists of the centres of those voxels of the mask that share a face with a voxel outside of it;
voxels at the volume's border do.

References
----------
Dice (1945), Measures of the amount of ecologic association between species. Maier-Hein et al. (2024), Metrics
reloaded: recommendations for image analysis validation, on what the definitions leave open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import binary_erosion, generate_binary_structure
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

METRICS = ("dice", "hd95", "surface", "sensitivity", "specificity", "volume_error", "volume_ml")


def score(
    predicted: Mask, truth: Mask, affine: NDArray[np.float64], *, axis: int | None = None
) -> dict[str, float]:
    """Return all the figures of one label in one volume.

    Parameters
    ----------
    predicted, truth
        ``(x, y, z)``.
    affine
        From voxels to mm, ``(4, 4)``: it may be oblique, left-handed or sheared.
    axis
        Surfaces are outlines perpendicular to this axis; None takes them in space. For single slices.

    Returns
    -------
    By name, as in `METRICS`; each is finite.
    """
    both, n_p, n_t = int((predicted & truth).sum()), int(predicted.sum()), int(truth.sum())
    outside = truth.size - n_t
    voxel = abs(float(np.linalg.det(affine[:3, :3]))) / 1000
    far, mean = distances(predicted, truth, affine, axis=axis)
    return {
        "dice": 2 * both / (n_p + n_t) if n_p + n_t else 1.0,
        "hd95": far,
        "surface": mean,
        "sensitivity": both / n_t if n_t else 1.0,
        "specificity": 1 - (n_p - both) / outside if outside else 1.0,
        "volume_error": 2 * (n_p - n_t) / (n_p + n_t) if n_p + n_t else 0.0,
        "volume_ml": (n_p - n_t) * voxel,
    }


def distances(
    predicted: Mask, truth: Mask, affine: NDArray[np.float64], *, axis: int | None = None
) -> tuple[float, float]:
    """Return the 95 % Hausdorff distance and the mean surface distance, in mm.

    Parameters
    ----------
    predicted, truth, affine, axis
        As in `score`.
    """
    if not predicted.any() and not truth.any():
        return 0.0, 0.0
    if not predicted.any() or not truth.any():
        extent = affine[:3, :3] * (np.array(truth.shape) - 1)
        # The longest of the four diagonals: in an oblique box they are alike, in a sheared one they are not.
        signs = np.array([[1, 1, 1], [1, 1, -1], [1, -1, 1], [-1, 1, 1]])
        diagonal = float(np.linalg.norm(signs @ extent.T, axis=1).max())
        return diagonal, diagonal
    a, b = (surface(mask, axis=axis) @ affine[:3, :3].T for mask in (predicted, truth))
    there, back = cKDTree(b).query(a)[0], cKDTree(a).query(b)[0]
    far = max(float(np.quantile(there, 0.95)), float(np.quantile(back, 0.95)))
    return far, float(np.concatenate([there, back]).mean())


def surface(mask: Mask, *, axis: int | None = None) -> NDArray[np.int64]:
    """Return the indices of the voxels on a mask's surface, ``(n, 3)``."""
    faces = generate_binary_structure(3, 1)
    if axis is not None:
        keep = [slice(None)] * 3
        for end in (0, 2):
            keep[axis] = slice(end, end + 1)
            faces[tuple(keep)] = False
    found: NDArray[np.int64] = np.argwhere(mask & ~binary_erosion(mask, faces))
    return found
