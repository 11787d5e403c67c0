"""Slices of a case with the outlines of both masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

from cellgan.report.outlines import Region, outlined
from cellgan.report.page import Figure
from cellgan.segmentation.volumes import Volume, check_same_grid, read_channels, read_mask

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from cellgan.segmentation.pairs import Pair

TRUTH, PREDICTED = "#56b4e9", "#e69f00"  # Okabe and Ito's light blue and orange: both show on grey
_AROUND = 25.0  # mm around both masks
_PLACES = (1 / 6, 1 / 2, 5 / 6)  # of the way through the slices that hold something
_WINDOW = (0.01, 0.99)  # quantiles that are black and white


def overlays(pair: Pair, image: Path) -> tuple[Figure, ...]:
    """Draw three slices of a case with the outlines of its masks.

    Slices are seen from below, as radiologists do: the patient's right is on the left, the front on top.

    Parameters
    ----------
    pair
        The case.
    image
        Its image; of several channels the first is drawn.

    Returns
    -------
    A figure a slice, from the lowest up.

    Raises
    ------
    InputError
        A file cannot be used, or the image lies elsewhere than the masks.
    """
    volume = read_channels(image)[0]
    predicted, truth = read_mask(pair.predicted), read_mask(pair.truth)
    check_same_grid(volume, truth)
    check_same_grid(volume, predicted)
    shown, p, t = (_turned(one) for one in (volume, predicted, truth))
    spacing = np.linalg.norm(_turned_affine(volume)[:3, :3], axis=0)
    filled = np.flatnonzero(((p > 0) | (t > 0)).any((0, 1)))
    chosen = (
        [int(filled[int(place * len(filled))]) for place in _PLACES] if len(filled) else [shown.shape[2] // 2]
    )
    crop = _crop((p > 0) | (t > 0), spacing)
    grey = _grey(shown[crop][:, :, chosen])
    found = []
    for number, index in enumerate(chosen):
        regions = [
            Region(_upright(mask[crop][:, :, index] == label), colour)
            for mask, colour in ((t, TRUTH), (p, PREDICTED))
            for label in np.unique(mask[mask > 0])
        ]
        alt = f"{pair.case}, slice {index + 1}, with the outlines of both masks"
        drawing = outlined(_upright(grey[:, :, number]), regions, pixel=(spacing[1], spacing[0]), alt=alt)
        there = [bool((mask[:, :, index] > 0).any()) for mask in (t, p)]
        flag = {(True, False): "nothing found", (False, True): "nothing there"}.get((there[0], there[1]), "")
        found.append(Figure(drawing, f"Slice {index + 1}", f"of {shown.shape[2]}, from below", flag))
    return tuple(found)


def _turned(volume: Volume) -> NDArray[np.floating]:
    turned: NDArray[np.floating] = nib.orientations.apply_orientation(
        volume.data, nib.orientations.io_orientation(volume.affine)
    )
    return turned


def _turned_affine(volume: Volume) -> NDArray[np.float64]:
    orientation = nib.orientations.io_orientation(volume.affine)
    found: NDArray[np.float64] = volume.affine @ nib.orientations.inv_ornt_aff(orientation, volume.data.shape)
    return found


def _crop(inside: NDArray[np.bool_], spacing: NDArray[np.float64]) -> tuple[slice, slice]:
    """Return the part of the slices around both masks."""
    found = []
    for axis in (0, 1):
        n = inside.shape[axis]
        filled = np.flatnonzero(inside.any(tuple(k for k in range(3) if k != axis)))
        low, high = (filled[0], filled[-1]) if len(filled) else (0, n - 1)
        margin = round(_AROUND / spacing[axis])
        found.append(slice(max(0, low - margin), min(n, high + margin + 1)))
    return found[0], found[1]


def _grey(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    low, high = np.quantile(values, _WINDOW)
    share = (values - low) / ((high - low) or 1.0)
    found: NDArray[np.uint8] = (255 * np.clip(share, 0, 1)).round().astype(np.uint8)
    return found


def _upright(part: NDArray[Any]) -> NDArray[Any]:
    """Turn ``(right, front)`` into rows from front to back, columns from right to left."""
    return np.ascontiguousarray(part.T[::-1, ::-1])
