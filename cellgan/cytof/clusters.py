"""Clusters of cells, how far a cell belongs to each, and what share of a batch each holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.k_means import k_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_GATES = 3  # a cell belongs to its nearest clusters, this many at most
FAINT = 0.05  # of its membership of the nearest: less is none, which saves most of the work of mapping
N_CELLS = 3000  # of each batch at most, for finding clusters


@dataclass(frozen=True, eq=False)
class Clusters:
    """Centres, and how softly cells near a border belong to both sides.

    Attributes
    ----------
    centres
        ``(n_clusters, n_markers)``.
    softness
        A squared distance: a cell that is so much farther from its second cluster than from its first belongs
        to the second e times less.
    """

    centres: NDArray[np.float64]
    softness: float

    def __len__(self) -> int:
        """Return the number of clusters."""
        return len(self.centres)

    def memberships(self, cells: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return each cell's nearest clusters and how far it belongs to each, both ``(n_cells, n_gates)``.

        Memberships of a cell sum to 1.
        """
        near, excess = _nearest(cells, self.centres)
        weight = np.maximum(np.exp(-excess / self.softness) - FAINT, 0)
        return near, weight / weight.sum(axis=1, keepdims=True)

    def shares(self, near: NDArray[np.intp], weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of the cells that each cluster holds, ``(n_clusters,)``."""
        total = np.bincount(near.ravel(), weights=weight.ravel(), minlength=len(self))
        return total / len(near)


def joint_clusters(a: NDArray[np.float64], b: NDArray[np.float64], n_clusters: int, *, seed: int) -> Clusters:
    """Find clusters of two batches together, both counting the same.

    Parameters
    ----------
    a, b
        Cells of the batches, in one frame, ``(n_cells, n_markers)``.
    n_clusters
        How many; fewer where there are not enough distinct cells.
    seed
        Of the subsample and of k-means.
    """
    rng = np.random.default_rng(seed)
    n = min(len(a), len(b), N_CELLS)
    sample = np.vstack([x[rng.permutation(len(x))[:n]] for x in (a, b)])
    centres = _k_means(sample, n_clusters, seed=seed)
    _, excess = _nearest(sample, centres)
    softness = 0.5 * float(np.median(excess[:, 1])) if excess.shape[1] > 1 else 1.0
    return Clusters(centres, max(softness, 1e-9))


def reference_clusters(cells: NDArray[np.float64], n_clusters: int, *, seed: int) -> NDArray[np.float64]:
    """Return centres of clusters of one batch, ``(n_clusters, n_markers)``."""
    rng = np.random.default_rng(seed)
    return _k_means(cells[rng.permutation(len(cells))[: 2 * N_CELLS]], n_clusters, seed=seed)


def nearest(cells: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the nearest centre of each cell, ``(n_cells,)``."""
    found: NDArray[np.intp] = _distances(cells, centres).argmin(axis=1)
    return found


def _k_means(cells: NDArray[np.float64], n_clusters: int, *, seed: int) -> NDArray[np.float64]:
    from cellgan.cytof.threads import one_thread

    # With several threads, sums may come in another order: same seed, other bytes.
    with one_thread():
        return k_means(cells, n_clusters, seed=seed)


def _distances(cells: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return squared distances up to a constant per cell, ``(n_cells, n_clusters)``."""
    distance: NDArray[np.float64] = cells @ (-2 * centres).T
    distance += (centres**2).sum(axis=1)
    return distance


def _nearest(
    cells: NDArray[np.float64], centres: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the nearest centres, nearest first, and how much farther each is than the first (squared)."""
    distance = _distances(cells, centres)
    # Thrice the lowest, which is then struck out: sorting would take several times as long.
    near = np.empty((len(cells), min(N_GATES, len(centres))), dtype=np.intp)
    at = np.empty(near.shape)
    first = np.arange(len(cells)) * len(centres)
    for gate in range(near.shape[1]):
        lowest = distance.argmin(axis=1)
        near[:, gate] = lowest
        lowest += first
        at[:, gate] = distance.take(lowest)
        distance.put(lowest, np.inf)
    return near, at - at[:, :1]
