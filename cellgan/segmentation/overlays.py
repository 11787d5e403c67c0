"""Slices of a case with the outlines of its masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

from cellgan.report.outlines import Region, outlined
from cellgan.report.page import Figure
from cellgan.segmentation.volumes import Volume, check_same_grid, read_channels, read_mask

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from markupsafe import Markup
    from numpy.typing import NDArray

    from cellgan.segmentation.pairs import Pair

BLUE, ORANGE = "#56b4e9", "#e69f00"  # Okabe and Ito's light blue and orange: both show on grey
TRUTH, PREDICTED = BLUE, ORANGE
_AROUND = 25.0  # mm around the masks
_PLACES = (1 / 6, 1 / 2, 5 / 6)  # of the way through the slices that hold something
_WINDOW = (0.01, 0.99)  # quantiles that are black, and white within the masks: a coil outshines an organ


@dataclass(frozen=True)
class Drawn:
    """A slice with outlines.

    Attributes
    ----------
    number
        Of the slice, from 1, the lowest.
    of
        How many there are.
    drawing
        The slice.
    filled
        Whether each of the masks holds something there.
    """

    number: int
    of: int
    drawing: Markup
    filled: tuple[bool, ...]


def overlays(pair: Pair, image: Path) -> tuple[Figure, ...]:
    """Draw three slices of a case with the outlines of its masks.

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
    found = []
    for one in draw_slices(volume, [(truth, TRUTH), (predicted, PREDICTED)], places=_PLACES, case=pair.case):
        there, seen = one.filled
        flag = {(True, False): "nothing found", (False, True): "nothing there"}.get((there, seen), "")
        found.append(Figure(one.drawing, f"Slice {one.number}", f"of {one.of}, from below", flag))
    return tuple(found)


def draw_slices(
    volume: Volume, masks: Sequence[tuple[Volume, str]], *, places: Sequence[float], case: str
) -> list[Drawn]:
    """Draw slices of a volume with the outlines of masks.

    Slices are seen from below, as radiologists do: the patient's right is on the left, the front on top.

    Parameters
    ----------
    volume
        What is drawn in grey.
    masks
        On its grid, and the colours of their outlines; the last lies on top.
    places
        Which slices: how much of the way through those that hold something, 0 to 1. Where none does, the
        middle one is drawn.
    case
        The case's name.
    """
    shown, turned = _turned(volume), [(_turned(mask), colour) for mask, colour in masks]
    inside = np.any([mask > 0 for mask, _ in turned], axis=0)
    spacing = np.linalg.norm(_turned_affine(volume)[:3, :3], axis=0)
    filled = np.flatnonzero(inside.any((0, 1)))
    chosen = (
        [int(filled[int(place * len(filled))]) for place in places] if len(filled) else [shown.shape[2] // 2]
    )
    crop = _crop(inside, spacing)
    grey = _grey(shown[crop][:, :, chosen], inside[crop][:, :, chosen])
    what = "the outlines of both masks" if len(masks) > 1 else "the outline of the mask"
    found = []
    for number, index in enumerate(chosen):
        regions = [
            Region(_upright(mask[crop][:, :, index] == label), colour)
            for mask, colour in turned
            for label in np.unique(mask[mask > 0])
        ]
        alt = f"{case}, slice {index + 1}, with {what}"
        drawing = outlined(_upright(grey[:, :, number]), regions, pixel=(spacing[1], spacing[0]), alt=alt)
        there = tuple(bool((mask[:, :, index] > 0).any()) for mask, _ in turned)
        found.append(Drawn(index + 1, shown.shape[2], drawing, there))
    return found


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
    """Return the part of the slices around the masks."""
    found = []
    for axis in (0, 1):
        n = inside.shape[axis]
        filled = np.flatnonzero(inside.any(tuple(k for k in range(3) if k != axis)))
        low, high = (filled[0], filled[-1]) if len(filled) else (0, n - 1)
        margin = round(_AROUND / spacing[axis])
        found.append(slice(max(0, low - margin), min(n, high + margin + 1)))
    return found[0], found[1]


def _grey(values: NDArray[np.floating], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    low = np.quantile(values, _WINDOW[0])
    high = np.quantile(values[inside] if inside.any() else values, _WINDOW[1])
    share = (values - low) / ((high - low) or 1.0)
    found: NDArray[np.uint8] = (255 * np.clip(share, 0, 1)).round().astype(np.uint8)
    return found


def _upright(part: NDArray[Any]) -> NDArray[Any]:
    """Turn ``(right, front)`` into rows from front to back, columns from right to left."""
    return np.ascontiguousarray(part.T[::-1, ::-1])
