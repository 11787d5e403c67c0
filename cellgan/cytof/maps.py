"""Monotone maps that move cells: per marker, and per marker within clusters.

A map sends the quantiles of one batch's marker to those of the reference's: ranks stay in order, zeros stay
zeros, and beyond the outermost knots values keep their distance to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cellgan.cytof.clusters import Clusters

RISE = 1e-6  # least step between knots, in standard units: keeps maps defined where values are tied
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
        moved, total = np.zeros_like(cells), np.zeros(len(cells))
        # Memberships sorted by cluster: one slice each, instead of a search through all cells.
        order = np.argsort(near, axis=None, kind="stable")
        ends = np.searchsorted(near.ravel()[order], np.arange(len(self.clusters) + 1))
        for cluster, marker_maps in self.maps.items():
            entries = order[ends[cluster] : ends[cluster + 1]]
            rows, share = entries // near.shape[1], weight.ravel()[entries]
            moved[rows] += share[:, None] * marker_maps(cells[rows])
            total[rows] += share
        known = total > 1e-3
        moved[known] /= total[known, None]
        moved[~known] = positions[~known]
        return moved


def weighted_quantiles(
    cells: NDArray[np.float64], weights: NDArray[np.float64], levels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return quantiles of each marker, ``(n_levels, n_markers)``, of cells that count by their weights."""
    order = np.argsort(cells, axis=0)
    ordered, counts = np.take_along_axis(cells, order, axis=0), weights[order]
    ranks = (np.cumsum(counts, axis=0) - counts / 2) / counts.sum(axis=0)
    return np.stack([np.interp(levels, ranks[:, j], ordered[:, j]) for j in range(cells.shape[1])], axis=1)


def fit_marker_maps(
    reference: NDArray[np.float64],
    cells: NDArray[np.float64],
    reference_weights: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> MarkerMaps:
    """Map the quantiles of `cells` to those of `reference`, each marker for itself.

    Parameters
    ----------
    reference, cells
        ``(n_cells, n_markers)``.
    reference_weights, weights
        How much each cell counts, ``(n_cells,)``.
    """
    fewest = min(effective_number(reference_weights), effective_number(weights))
    levels = next(levels for limit, levels in _KNOTS if fewest < limit)
    source = np.maximum.accumulate(weighted_quantiles(cells, weights, levels), axis=0)
    source += RISE * np.arange(len(levels))[:, None]
    target = np.maximum.accumulate(weighted_quantiles(reference, reference_weights, levels), axis=0)
    return MarkerMaps(source, target)


def fit_cluster_maps(
    reference: NDArray[np.float64],
    cells: NDArray[np.float64],
    positions: NDArray[np.float64],
    clusters: Clusters,
    weights: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> ClusterMaps:
    """Fit maps within the clusters that both batches fill.

    Parameters
    ----------
    reference, cells
        ``(n_cells, n_markers)``.
    positions
        `cells` in the reference's frame, as far as is known by now.
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
    near_r, in_r = clusters.memberships(reference)
    near_c, in_c = clusters.memberships(positions)
    shares_r, shares_c = clusters.shares(near_r, in_r), clusters.shares(near_c, in_c)
    maps = {}
    for cluster in range(len(clusters)):
        count_r = (in_r * (near_r == cluster)).sum(axis=1) * weights[0]
        count_c = (in_c * (near_c == cluster)).sum(axis=1) * weights[1]
        low, high = sorted((shares_r[cluster], shares_c[cluster]))
        if min(effective_number(count_r), effective_number(count_c)) < MIN_CELLS or high > MAX_RATIO * low:
            continue
        r, c = count_r > 1e-3, count_c > 1e-3
        maps[cluster] = fit_marker_maps(reference[r], cells[c], count_r[r], count_c[c])
    return ClusterMaps(clusters, maps)


def effective_number(weights: NDArray[np.float64]) -> float:
    """Return Kish's effective sample size of weighted cells."""
    return float(weights.sum() ** 2 / max((weights**2).sum(), 1e-12))
