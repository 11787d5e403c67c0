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

from cellgan.cytof.pieces import Belonging, Grid, Pieces

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cellgan.cytof.clusters import Clusters
    from cellgan.cytof.pieces import Placed
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

    def inverse(self) -> MarkerMaps:
        """Return the maps that lead back."""
        return _maps(self.target, self.source)


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
    def _alone(self) -> tuple[Grid, AveragedMaps]:
        grid = Grid.of(self.maps.values(), n_markers=self.clusters.centres.shape[1])
        return grid, AveragedMaps.of([self], grid)

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
        grid, averaged = self._alone
        return averaged(grid.place(cells), positions)

    def memberships(
        self, positions: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.bool_]]:
        """Return each cell's clusters, its shares of those that have a map, and whether there is any."""
        near, weight = self.clusters.memberships(positions)
        has_map = np.zeros(len(self.clusters), dtype=bool)
        has_map[list(self.maps)] = True
        weight = weight * has_map[near]
        total = weight.sum(axis=1)
        moves = total > 0
        return near, weight / np.where(moves, total, 1)[:, None], moves


@dataclass(frozen=True, eq=False)
class AveragedMaps:
    """Maps for several numbers of clusters, whose results are averaged; they are looked up together.

    Attributes
    ----------
    maps
        For each number of clusters.
    pieces
        Of all of them, the clusters numbered through.
    """

    maps: Sequence[ClusterMaps]
    pieces: Pieces

    @classmethod
    def of(cls, maps: Sequence[ClusterMaps], grid: Grid) -> AveragedMaps:
        """Prepare maps for cells that are placed in `grid`."""
        own = [each.maps.get(cluster) for each in maps for cluster in range(len(each.clusters))]
        return cls(maps, Pieces.of(own, grid))

    def __call__(self, cells: Placed, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map cells by the clusters in which their `positions`, ``(n_cells, n_markers)``, lie."""
        first, clusters, shares, stays = 0, [], [], np.zeros(len(positions))
        for each in self.maps:
            near, share, moves = each.memberships(positions)
            clusters.append(near + first)
            shares.append(share / len(self.maps))
            stays += ~moves / len(self.maps)
            first += len(each.clusters)
        moved = self.pieces(cells, Belonging.of(np.hstack(clusters), np.hstack(shares))).T
        return np.ascontiguousarray(moved) + stays[:, None] * positions


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
