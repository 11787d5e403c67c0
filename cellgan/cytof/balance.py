"""Weights of cells that make joint clusters hold the same share of two batches.

A type that one batch has more of would otherwise bend every map that is fitted to all cells. Cells that lie
in clusters of one batch alone weigh next to nothing: they have no counterpart.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cellgan.cytof.clusters import joint_clusters
from cellgan.cytof.threads import side_by_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

BALANCE_CLUSTERS = 45
CELLS_PER_CLUSTER = 40  # on average and at least, of the smaller batch
# Shares are known from fewer cells than maps, and with fewer clusters types would fall into one.
LEAST_CLUSTERS, CELLS_PER_SHARE = 15, 10


class Weights(NamedTuple):
    """How much each cell counts, so that what both batches hold counts the same in both, ``(n_cells,)``."""

    reference: NDArray[np.float64]
    cells: NDArray[np.float64]


def balance(
    reference: NDArray[np.float64], positions: NDArray[np.float64], *, seed: int, draws: int = 2
) -> Weights:
    """Weigh cells so that joint clusters hold the same share of both batches.

    Parameters
    ----------
    reference
        ``(n_cells, n_markers)``.
    positions
        Cells of the other batch, in the reference's frame as far as is known by now.
    seed
        Of the clusters.
    draws
        Clusterings to average over.
    """
    weigh = partial(_weigh, reference, positions)
    drawn = side_by_side(weigh, [1000 * seed + draw for draw in range(draws)])
    # No cell weighs nothing: a batch that shares no cluster at all could not be mapped.
    return Weights(*(np.mean(side, axis=0) + 1e-6 for side in zip(*drawn, strict=True)))


def _weigh(reference: NDArray[np.float64], positions: NDArray[np.float64], seed: int) -> Weights:
    sizes = len(reference), len(positions)
    n_clusters = max(carried(BALANCE_CLUSTERS, *sizes), carried(LEAST_CLUSTERS, *sizes, each=CELLS_PER_SHARE))
    clusters = joint_clusters(reference, positions, n_clusters, seed=seed)
    near_r, in_r = clusters.memberships(reference)
    near_c, in_c = clusters.memberships(positions)
    shares_r, shares_c = clusters.shares(near_r, in_r), clusters.shares(near_c, in_c)
    common = np.minimum(shares_r, shares_c)
    return Weights(
        (in_r * (common / np.maximum(shares_r, 1e-12))[near_r]).sum(axis=1),
        (in_c * (common / np.maximum(shares_c, 1e-12))[near_c]).sum(axis=1),
    )


def carried(n_clusters: int, *n_cells: int, each: int = CELLS_PER_CLUSTER) -> int:
    """Return how many of so many clusters the smallest batch can carry, with so many cells in each."""
    return max(1, min(n_clusters, min(n_cells) // each))
