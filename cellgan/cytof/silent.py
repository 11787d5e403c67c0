"""Markers that say nothing in a batch: stains that failed, and what nearly all of its cells lack.

What such a column were mapped to would be invented: a map is known where cells of both batches have values to
compare. So they are kept as measured there, and nothing is matched by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

# Where nearly all values of a batch lie, as a share of where the other's do: a stain that worked varies more,
# whatever the gain.
ENDS, LEAST_RANGE = (0.005, 0.995), 0.05
FEW_CELLS = 50  # fewer may all be of one type: only a single value says nothing then
# Or nearly all cells have one and the same value, and in the other batch clearly fewer do.
ONE_VALUE, MORE = 0.95, 0.3


def silent_markers(
    values: Mapping[str, NDArray[np.float32]], markers: Mapping[str, Sequence[str]], *, reference: str
) -> dict[str, list[str]]:
    """Find the markers that say nothing in a batch.

    Parameters
    ----------
    values
        By name of batch, its shared markers on the arcsinh scale, ``(n_cells, n_own_markers)``.
    markers
        By name of batch, what its columns are called.
    reference
        The batch that the others are compared with; it has all markers. It is silent itself where it is so
        beside every other one.

    Returns
    -------
    Names of batches by marker.
    """
    spreads = {
        name: dict(zip(markers[name], _spreads(cells).T, strict=True)) for name, cells in values.items()
    }
    others = [name for name in values if name != reference]
    found: dict[str, list[str]] = {}
    for marker, known in spreads[reference].items():
        having = [name for name in others if marker in spreads[name]]
        silent = [name for name in having if _says_nothing(spreads[name][marker], known)]
        if all(_says_nothing(known, spreads[name][marker]) for name in having):
            silent.insert(0, reference)
        if silent:
            found[marker] = silent
    return found


def _spreads(cells: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the range of nearly all values, and the share of cells that have the commonest, ``(2, n)``."""
    ends = ENDS if len(cells) >= FEW_CELLS else (0.0, 1.0)
    low, middle, high = np.quantile(cells, [ends[0], 0.5, ends[1]], axis=0, method="lower")
    spread = (high - low).astype(np.float64)
    if len(cells) < FEW_CELLS:
        spread[spread > 0] = np.nan  # compares with nothing
    return np.stack([spread, (cells == middle).mean(axis=0)])  # above one half, the median is it


def _says_nothing(own: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    narrow = own[0] <= LEAST_RANGE * other[0]
    return bool(narrow or (own[1] >= ONE_VALUE and own[1] - other[1] > MORE))
