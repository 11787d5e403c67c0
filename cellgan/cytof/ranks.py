"""Ranks of cells by each marker, with ties broken, and quantiles from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

DITHER = 1e-4  # standard units: far below what an instrument resolves
LEAST_COUNT = 1e-3  # of what the cell that counts most in a cluster does: one that counts less is left out
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def dither(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add to every value a little that is drawn from a hash of its cell: ties are broken, ranks are kept.

    If half of a batch's cells are zero where a fifth of the reference is, no function of the value alone can
    make the two alike. With ranks, two fifths of the zeros stay zeros, and the others get what the reference
    has next. The same cell always gets the same.

    Parameters
    ----------
    cells
        Standard units, ``(n_cells, n_markers)``.

    References
    ----------
    Rüschendorf (2009), On the distributional transform, Sklar's theorem, and the empirical copula process.
    Mass cytometers do the same to whole counts when they write FCS files.
    """
    marker = np.arange(1, cells.shape[1] + 1, dtype=np.uint64) * _GOLDEN
    bits = np.ascontiguousarray(cells, dtype=np.float64).view(np.uint64) ^ marker
    cell = _mix(bits).sum(axis=1, dtype=np.uint64)
    np.add(_mix(cell)[:, None], marker, out=bits)
    moved = (_mix(bits) >> np.uint64(11)) * 2.0**-53
    moved *= DITHER
    moved += cells
    return np.asarray(moved)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix bits in place: the finalizer of splitmix64 (Steele et al. 2014)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x ^= x >> np.uint64(shift)
        x *= np.uint64(factor)
    x ^= x >> np.uint64(31)
    return x


@dataclass(frozen=True, eq=False)
class Ranked:
    """Cells with the order of their values, which is needed whenever weights or clusters change.

    Attributes
    ----------
    cells
        ``(n_cells, n_markers)``.
    order
        For each marker, its cells from lowest to highest, ``(n_markers, n_cells)``.
    """

    cells: NDArray[np.float64]
    order: NDArray[np.intp]

    @classmethod
    def of(cls, cells: NDArray[np.float64]) -> Ranked:
        """Rank cells."""
        return cls(cells, np.argsort(np.ascontiguousarray(cells.T), axis=1))

    @cached_property
    def _sorted(self) -> NDArray[np.float64]:
        """For each marker, all values from lowest to highest."""
        return np.take_along_axis(self.cells.T, self.order, axis=1)

    def quantiles(
        self, near: NDArray[np.intp], counts: NDArray[np.float64], levels: Mapping[int, NDArray[np.float64]]
    ) -> dict[int, NDArray[np.float64]]:
        """Return weighted quantiles of every marker in several clusters at once.

        Parameters
        ----------
        near
            Clusters to which each cell belongs, ``(n_cells, n_gates)``.
        counts
            How much it counts there.
        levels
            By cluster, the wanted levels; clusters that are not among them are left out.

        Returns
        -------
        dict
            By cluster, ``(n_levels, n_markers)``.
        """
        n_clusters = int(near.max()) + 1
        most = np.zeros(n_clusters)
        np.maximum.at(most, near, counts)
        counts = counts / np.maximum(most, 1e-300)[near]
        # Sorting small integers takes linear time. What does not count stands in a last cluster of its own.
        cluster = np.where(counts > LEAST_COUNT, near, n_clusters).astype(np.min_scalar_type(n_clusters))
        ends = np.cumsum(np.bincount(cluster.ravel(), minlength=n_clusters)[:n_clusters])
        found = {own: np.empty((len(at), self.cells.shape[1])) for own, at in levels.items()}
        for marker, (order, lowest_first) in enumerate(zip(self.order, self._sorted, strict=True)):
            entry = np.argsort(cluster.take(order, axis=0), axis=None, kind="stable")[: ends[-1]]
            count = counts.take(order, axis=0).take(entry)
            values = lowest_first.take(entry // near.shape[1])
            half = count / 2
            for own, at in levels.items():
                here = slice(ends[own - 1] if own else 0, ends[own])
                upto = np.cumsum(count[here])
                ranks = (upto - half[here]) / upto[-1]
                found[own][:, marker] = np.interp(at, ranks, values[here])
        return found
