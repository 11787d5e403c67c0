"""What a report tells of populations: joint clusters, who fills them, and what their cells were before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cellgan.cytof.cluster_maps import MAX_RATIO
from cellgan.cytof.clusters import Clusters, joint_clusters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellgan.cytof.pair import Pair
    from cellgan.cytof.transform import Standardise
    from cellgan.cytof.views import View

N_CLUSTERS = 10
FILLED = 10  # cells of the batch, for a cluster to be described by them
HIGH = 0.7  # standard deviations above the reference's mean, for a marker to describe a cluster
# The same, of the batch's own mean: a cluster that had as much and has no more than that after was changed.
WAS_HIGH, IS_NOT = 1.0, 0.0


def populations(pair: Pair, view: View, units: Standardise) -> list[dict[str, Any]]:
    """Describe joint clusters of the reference and the aligned cells: who fills them, and what they were.

    Parameters
    ----------
    pair
        Its last maps give the clusters.
    view
        Cells of both sides, before and after, arcsinh units.
    units
        Standard units of the reference.

    Returns
    -------
    A row a cluster, the largest first, as docs/report.md has it.
    """
    r, before, c = (
        units.apply(side).astype(np.float64) for side in (view.reference, view.before, view.after)
    )
    last = pair.mover.passes[-1][0] if pair.mover.passes else None
    clusters: Clusters = last.clusters if last else joint_clusters(r, c, N_CLUSTERS, seed=0)
    members = clusters.memberships(r), clusters.memberships(c)
    shares = [clusters.shares(*found) for found in members]
    levels = [_means(side, *members[1], len(clusters)) for side in (before, c)]
    own = [_means(_within(side), *members[1], len(clusters)) for side in (before, c)]
    rows: list[dict[str, Any]] = []
    for i, centre in enumerate(clusters.centres):
        changed = np.flatnonzero((own[0][i] > WAS_HIGH) & (own[1][i] < IS_NOT))
        low, most = sorted((shares[0][i], shares[1][i]))
        filled = shares[1][i] * len(c) >= FILLED
        rows.append(
            {
                "share_reference": float(shares[0][i]),
                "share_batch": float(shares[1][i]),
                "mapped": i in last.maps if last else bool(most <= MAX_RATIO * low),
                "high": _high(levels[1][i] if filled else centre, view.markers),
                "high_before": _high(levels[0][i], view.markers) if filled else [],
                "changed": [view.markers[j] for j in changed],
            }
        )
    rows.sort(key=lambda row: -max(row["share_reference"], row["share_batch"]))
    return [{"cluster": rank} | row for rank, row in enumerate(rows, 1)]  # the largest is number 1


def _high(levels: NDArray[np.float64], markers: Sequence[str]) -> list[str]:
    """Name the markers that describe a cluster, by its levels in the reference's units, ``(n_markers,)``."""
    return [markers[j] for j in np.argsort(-levels)[:4] if levels[j] > HIGH]


def _means(
    cells: NDArray[np.float64], near: NDArray[np.intp], share: NDArray[np.float64], n_clusters: int
) -> NDArray[np.float64]:
    """Return means of cells by the clusters they belong to; 0 where there are none."""
    weights: NDArray[np.float64] = np.zeros((len(cells), n_clusters))
    np.put_along_axis(weights, near, share, axis=1)
    total: NDArray[np.float64] = np.maximum(weights.sum(axis=0), 1e-9)
    means: NDArray[np.float64] = np.divide(weights.T @ cells, total[:, None])
    return means


def _within(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring cells to standard units of their own batch: a gain that all of them share says nothing."""
    sd: NDArray[np.float64] = np.maximum(cells.std(axis=0), 1e-6)
    centred: NDArray[np.float64] = cells - cells.mean(axis=0)
    return centred / sd
