"""Monotone maps that move cells: per marker, and per marker within clusters.

A map sends the quantiles of one batch's marker to those of the reference's: ranks stay in order, and beyond
the outermost knots values keep their distance to them. Values that many cells share, zeros above all, have no
rank of their own: `ranks.dither` gives them one, so that they can be spread where the reference has fewer of
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cellgan.cytof.clusters import Clusters
    from cellgan.cytof.ranks import Ranked

RISE = 1e-9  # least step between knots, in standard units: keeps maps defined where values are tied
# A quantile needs some cells on either side of it: knots for clusters of up to so many cells, then for larger
# ones.
_KNOTS = (
    (200, np.linspace(0.024, 0.976, 21)),
    (1000, np.linspace(0.01, 0.99, 41)),
    (np.inf, np.linspace(0.002, 0.998, 101)),
)
MIN_CELLS = 15.0  # effective cells of each batch, for a cluster to have a map of its own
MAX_RATIO = 10.0  # of a cluster's shares of the two batches: beyond, one of them alone fills it


@dataclass(frozen=True, eq=False)
class MarkerMaps:
    """A piecewise-linear, non-decreasing map for each marker.

    Attributes
    ----------
    source
        Knots where they are, ``(n_knots, n_markers)``, rising.
    target
        Where they go, ``(n_knots, n_markers)``, not falling.
    """

    source: NDArray[np.float64]
    target: NDArray[np.float64]

    def __call__(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map cells, ``(n_cells, n_markers)``."""
        moved = np.empty_like(cells)
        for marker, (x, y) in enumerate(zip(self.source.T, self.target.T, strict=True)):
            values = cells[:, marker]
            beyond = np.minimum(values - x[0], 0) + np.maximum(values - x[-1], 0)
            moved[:, marker] = np.interp(values, x, y) + beyond
        return moved


@dataclass(frozen=True, eq=False)
class ClusterMaps:
    """Maps of their own for the clusters that both batches fill; cells near a border mix those of both sides.

    Attributes
    ----------
    clusters
        Where cells are looked up.
    maps
        By cluster; a cluster that one batch alone fills has none.
    """

    clusters: Clusters
    maps: Mapping[int, MarkerMaps]

    @cached_property
    def _table(self) -> _Table:
        return _Table(self.maps, len(self.clusters))

    def __call__(self, cells: NDArray[np.float64], positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map cells by the clusters in which their `positions` lie.

        Parameters
        ----------
        cells
            What is mapped, ``(n_cells, n_markers)``.
        positions
            The same cells in the reference's frame, as far as is known by now.

        Returns
        -------
        NDArray
            Mapped cells. Those that belong only to clusters without a map stay at their positions.
        """
        near, weight = self.clusters.memberships(positions)
        has_map = np.zeros(len(self.clusters), dtype=bool)
        has_map[list(self.maps)] = True
        weight = weight * has_map[near]
        total = weight.sum(axis=1)
        moved = np.where(total[:, None] > 0, 0, positions)
        rows, gates = np.nonzero(weight)
        if len(rows):
            share = (weight[rows, gates] / total[rows])[:, None] * self._table(cells[rows], near[rows, gates])
            # Rows come in order, every cell's together: its shares are added up piece by piece.
            first = np.flatnonzero(np.diff(rows, prepend=-1))
            moved[rows[first]] = np.add.reduceat(share, first, axis=0)
        return moved


class _Table:
    """The maps of many clusters, looked up in one go.

    Each cluster's knots are shifted by so much that no two clusters' knots overlap; one search through all of
    them then finds the cluster and the place in it.
    """

    def __init__(self, maps: Mapping[int, MarkerMaps], n_clusters: int) -> None:
        first = next(iter(maps.values()))
        n_markers = first.source.shape[1]
        self._low, self._high = np.zeros((2, n_clusters, n_markers))
        for cluster, each in maps.items():
            self._low[cluster], self._high[cluster] = each.source[0], each.source[-1]
        least = self._low.min(axis=0)
        self._step = 2 * (self._high.max(axis=0) - least) + 1
        shift = np.arange(n_clusters)[:, None] * self._step - least
        self._shift = shift
        in_order = sorted(maps)
        # One row a marker: interpolation wants its knots side by side.
        self._source = np.concatenate([maps[c].source + shift[c] for c in in_order]).T.copy()
        self._target = np.concatenate([maps[c].target for c in in_order]).T.copy()

    def __call__(self, cells: NDArray[np.float64], cluster: NDArray[np.intp]) -> NDArray[np.float64]:
        """Map each cell, ``(n_cells, n_markers)``, by its cluster's maps."""
        inside = np.clip(cells, self._low[cluster], self._high[cluster])
        place = (inside + self._shift[cluster]).T.copy()
        for marker, (source, target) in enumerate(zip(self._source, self._target, strict=True)):
            place[marker] = np.interp(place[marker], source, target)
        moved: NDArray[np.float64] = cells - inside + place.T
        return moved


def fit_marker_maps(
    reference: Ranked,
    cells: Ranked,
    reference_weights: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> MarkerMaps:
    """Map the quantiles of `cells` to those of `reference`, each marker for itself.

    Parameters
    ----------
    reference, cells
        Both batches.
    reference_weights, weights
        How much each cell counts, ``(n_cells,)``.
    """
    levels = {0: _levels(reference_weights, weights)}
    sides = ((reference, reference_weights), (cells, weights))
    target, source = (
        side.quantiles(np.zeros((len(count), 1), dtype=np.intp), count[:, None], levels)[0]
        for side, count in sides
    )
    return _maps(source, target)


def fit_cluster_maps(
    reference: Ranked,
    cells: Ranked,
    positions: NDArray[np.float64],
    clusters: Clusters,
    weights: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> ClusterMaps:
    """Fit maps within the clusters that both batches fill.

    Parameters
    ----------
    reference, cells
        Both batches.
    positions
        `cells` in the reference's frame, as far as is known by now, ``(n_cells, n_markers)``.
    clusters
        Joint clusters of `reference` and `positions`.
    weights
        How much each cell of the reference, and of the others, counts.

    Returns
    -------
    ClusterMaps
        Without a map where a batch has fewer than `MIN_CELLS` effective cells, or a share more than
        `MAX_RATIO` times that of the other.
    """
    near_r, in_r = clusters.memberships(reference.cells)
    near_c, in_c = clusters.memberships(positions)
    shares_r, shares_c = clusters.shares(near_r, in_r), clusters.shares(near_c, in_c)
    counts_r, counts_c = in_r * weights[0][:, None], in_c * weights[1][:, None]
    levels = {}
    for cluster in range(len(clusters)):
        own_r, own_c = counts_r[near_r == cluster], counts_c[near_c == cluster]
        low, high = sorted((shares_r[cluster], shares_c[cluster]))
        if min(effective_number(own_r), effective_number(own_c)) >= MIN_CELLS and high <= MAX_RATIO * low:
            levels[cluster] = _levels(own_r, own_c)
    target = reference.quantiles(near_r, counts_r, levels)
    source = cells.quantiles(near_c, counts_c, levels)
    return ClusterMaps(clusters, {cluster: _maps(source[cluster], target[cluster]) for cluster in levels})


def _levels(*weights: NDArray[np.float64]) -> NDArray[np.float64]:
    fewest = min(effective_number(each) for each in weights)
    return next(levels for limit, levels in _KNOTS if fewest < limit)


def _maps(source: NDArray[np.float64], target: NDArray[np.float64]) -> MarkerMaps:
    rising = np.maximum.accumulate(source, axis=0) + RISE * np.arange(len(source))[:, None]
    return MarkerMaps(rising, np.maximum.accumulate(target, axis=0))


def effective_number(weights: NDArray[np.float64]) -> float:
    """Return Kish's effective sample size of weighted cells."""
    return float(weights.sum() ** 2 / max((weights**2).sum(), 1e-12))
