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
    cell = mix(bits).sum(axis=1, dtype=np.uint64)
    np.add(mix(cell)[:, None], marker, out=bits)
    moved = (mix(bits) >> np.uint64(11)) * 2.0**-53
    moved *= DITHER
    moved += cells
    return np.asarray(moved)


def mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix bits in place, and return them: the finalizer of splitmix64 (Steele et al. 2014)."""
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
        if not levels:
            return {}
        n_clusters = int(near.max()) + 1
        most = np.zeros(n_clusters)
        np.maximum.at(most, near, counts)
        counts = counts / np.maximum(most, 1e-300)[near]
        # Wanted clusters are numbered through; what does not count stands in a last one of its own.
        wanted = list(levels)
        number = np.full(n_clusters, len(wanted), dtype=np.min_scalar_type(len(wanted)))
        number[wanted] = np.arange(len(wanted))
        cluster = np.where(counts > LEAST_COUNT, number[near], number.dtype.type(len(wanted)))
        n_entries = np.bincount(cluster.ravel(), minlength=len(wanted) + 1)[:-1]
        total = np.bincount(cluster.ravel(), weights=counts.ravel(), minlength=len(wanted) + 1)[:-1]
        # Ranks of the cluster with number c are laid between c and c + 1: one look-up serves all of them.
        own = np.repeat(np.arange(len(wanted)), n_entries)
        begin, width = (np.cumsum(total) - total)[own], total[own]
        last = np.cumsum(n_entries) - 1
        which = np.repeat(np.arange(len(wanted)), [len(at) for at in levels.values()])
        asked = which + np.concatenate([np.empty(0), *levels.values()])
        found = np.empty((len(asked), self.cells.shape[1]))
        for marker, (order, lowest_first) in enumerate(zip(self.order, self._sorted, strict=True)):
            # Sorting small integers takes linear time.
            entry = np.argsort(cluster.take(order, axis=0), axis=None, kind="stable")[: len(own)]
            count = counts.take(order, axis=0).take(entry)
            ranks = own + (np.cumsum(count) - count / 2 - begin) / width
            at = np.clip(asked, ranks[last - n_entries + 1][which], ranks[last][which])
            found[:, marker] = np.interp(at, ranks, lowest_first.take(entry // near.shape[1]))
        return {one: found[which == place] for place, one in enumerate(wanted)}
