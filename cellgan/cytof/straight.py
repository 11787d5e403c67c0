"""Straight lines in place of a batch's maps: how shared markers enter the prediction of others.

An alignment moves each cell by its cluster's map. That puts distributions right, but it also reshapes what
single cells differ in within a cluster, counting noise included, and there predictions lose. The straight
line that comes nearest to all of a marker's moves keeps what the alignment knows about the instrument, its
gain and offset, whatever the batch is composed of, and leaves the order and the spacing of cells alone.
Correlations of predicted with measured markers are higher by up to .016 (docs/impute.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellgan.cytof.batch_map import BatchMap

LEAST_SLOPE = 0.1  # of a line that is to rise: a marker that the alignment flattened is noise


@dataclass(frozen=True, eq=False)
class StraightLines:
    """One line a marker, from values as measured to the reference's frame.

    Attributes
    ----------
    slope, offset
        ``(n_markers,)``.
    """

    slope: NDArray[np.float64]
    offset: NDArray[np.float64]

    @classmethod
    def fit(cls, measured: NDArray[np.floating], aligned: NDArray[np.floating]) -> StraightLines:
        """Fit lines by least squares; both ``(n_cells, n_markers)``, of the same cells."""
        x, y = measured.astype(np.float64), aligned.astype(np.float64)
        middle, target = x.mean(axis=0), y.mean(axis=0)
        variance = ((x - middle) ** 2).mean(axis=0)
        together = ((x - middle) * (y - target)).mean(axis=0)
        slope = np.divide(together, variance, out=np.ones_like(variance), where=variance > 0)
        slope = np.maximum(slope, LEAST_SLOPE)
        return cls(slope, target - slope * middle)

    def at(self, columns: Sequence[int]) -> StraightLines:
        """Return the lines of some of the markers."""
        return StraightLines(self.slope[list(columns)], self.offset[list(columns)])

    def __call__(self, measured: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return cells in the reference's frame, ``(n_cells, n_markers)``."""
        found: NDArray[np.float64] = measured * self.slope + self.offset
        return found


def lines_of(values: NDArray[np.float32], own: BatchMap) -> StraightLines:
    """Return the lines that come nearest to a batch's map.

    Parameters
    ----------
    values
        Some of its cells as measured, the markers that it shares, ``(n_cells, n_markers)``, arcsinh units.
    own
        Its map.
    """
    return StraightLines.fit(values, own(values).aligned)
