"""Maps within clusters: what the batch's mapping leaves over, as far as an instrument could cause it.

Where both batches fill a cluster, the quantiles that its cells have in the batch are sent to those that the
reference has there. Such a map may come from the effect, which is not quite the same for all types of cells.
Or from a difference of composition within the cluster, and from chance, both of which are no effect. So a
cluster-specific map is taken as a *departure* from the batch's mapping, and the departure is held to what a
further gain and background could do (`response.reach`): to twice what most clusters ask for, marker by
marker. Cells are never moved across the gap between a negative and a positive population that way. Of the
departure that is left, a part is chance: four fifths of it are applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellgan.cytof.marker_maps import MarkerMaps, effective_number, quantile_levels
from cellgan.cytof.pieces import Belonging, Grid, Pieces
from cellgan.cytof.response import reach

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cellgan.cytof.clusters import Clusters
    from cellgan.cytof.pieces import Placed
    from cellgan.cytof.ranks import Ranked
    from cellgan.cytof.transform import Standardise

MIN_CELLS = 15.0  # effective cells of each batch, for a cluster to have a map of its own
MAX_RATIO = 10.0  # of a cluster's shares of the two batches: beyond, one of them alone fills it
APPLIED = 0.8  # of a cluster's departure from the batch's mapping
# How far it may go: so many times what the median cluster asks for, logarithm of a gain; and this much
# background (cofactors) with every unit of it.
DEPARTURES, LEAST_GAIN, MOST_GAIN = 2.0, 0.12, 1.0
BACKGROUND_PER_GAIN = 2.5
EDGE_KNOTS = 4  # on each side, where a cluster has no cells: there its map keeps the departure of its edge


class BatchMapping(NamedTuple):
    """How all cells of a batch are mapped, whatever their type.

    Attributes
    ----------
    maps
        One a marker, standard units.
    units
        Standard units of the reference.
    """

    maps: MarkerMaps
    units: Standardise


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


def fit_cluster_maps(  # noqa: PLR0917 - two batches, where they are, and what is known of both
    reference: Ranked,
    cells: Ranked,
    positions: NDArray[np.float64],
    clusters: Clusters,
    weights: tuple[NDArray[np.float64], NDArray[np.float64]],
    batch: BatchMapping | None = None,
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
    batch
        What the maps may depart from as far as an instrument could cause it; if not given, they are free.

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
            levels[cluster] = quantile_levels(own_r, own_c)
    target = reference.quantiles(near_r, counts_r, levels)
    source = cells.quantiles(near_c, counts_c, levels)
    if batch is not None and levels:
        common = np.minimum(shares_r, shares_c)[list(levels)]
        source, target = _held(batch, source, target, common)
    return ClusterMaps(
        clusters, {cluster: MarkerMaps.of(source[cluster], target[cluster]) for cluster in levels}
    )


def _held(
    batch: BatchMapping,
    source: Mapping[int, NDArray[np.float64]],
    target: Mapping[int, NDArray[np.float64]],
    common: NDArray[np.float64],
) -> tuple[dict[int, NDArray[np.float64]], dict[int, NDArray[np.float64]]]:
    """Hold the clusters' departures from the batch's mapping to what an instrument could cause."""
    departures = {cluster: target[cluster] - batch.maps(knots) for cluster, knots in source.items()}
    asked = batch.units.sd.astype(np.float64) * np.abs(
        [departure.mean(axis=0) for departure in departures.values()]
    )
    gain = np.clip(DEPARTURES * _weighted_median(asked, common), LEAST_GAIN, MOST_GAIN)
    sources, targets = {}, {}
    for cluster, departure in departures.items():
        knots, wanted = _with_edges(source[cluster], departure, batch.maps)
        mapped = batch.maps(knots)
        ends = reach(batch.units.to_values(mapped), gain=gain, background=BACKGROUND_PER_GAIN * gain)
        held = np.clip(mapped + wanted, *map(batch.units.to_units, ends))
        sources[cluster], targets[cluster] = knots, mapped + APPLIED * (held - mapped)
    return sources, targets


def _with_edges(
    source: NDArray[np.float64], departure: NDArray[np.float64], maps: MarkerMaps
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add knots between a cluster's and the ends of the batch's mapping, with the departure of its edges."""
    below = np.linspace(np.minimum(maps.source[0], source[0]), source[0], EDGE_KNOTS, endpoint=False)
    above = np.linspace(np.maximum(maps.source[-1], source[-1]), source[-1], EDGE_KNOTS, endpoint=False)
    edges = (np.broadcast_to(departure[end], below.shape) for end in (0, -1))
    low, high = edges
    return np.concatenate([below, source, above[::-1]]), np.concatenate([low, departure, high])


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted median of each column, ``(n, m)`` and ``(n,)``."""
    order = np.argsort(values, axis=0)
    passed = np.cumsum(weights[order], axis=0) >= weights.sum() / 2
    found: NDArray[np.float64] = np.take_along_axis(values, order, axis=0)[
        passed.argmax(axis=0), range(values.shape[1])
    ]
    return found
