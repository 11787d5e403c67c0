"""How good an alignment is, measured on cells that it has not seen, without labels.

Figures over all cells mix two things: a batch effect, and a difference of composition that is biology. So
cells are compared within clusters of the reference: every cell belongs to the nearest one, and within each
cluster both batches weigh the same.

References
----------
The distance is the one-dimensional Wasserstein distance, as in cyCombine (Pedersen et al. 2022) and CytoNorm
(Van Gassen et al. 2020), here in standard deviations of the reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.clusters import nearest, reference_clusters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

QUANTILES = np.linspace(0.01, 0.99, 50)
MIN_CELLS = 20  # of each batch, for a cluster to be compared
N_CLUSTERS = 8
CELLS_PER_CLUSTER = 50  # on average and at least, of each batch
N_CELLS = 1500  # of each batch at most, for classifier and neighbours
# A point mass at zero would decide the classifier; so much noise blurs it, and hides nothing that matters.
NOISE = 0.15
N_BINS = 32  # of a marker, for the classifier
# Scores differ beyond the noise of held-out cells by more than this; distances also by that share of the
# floor.
EMD_SLACK, EMD_SLACK_FLOOR = 0.01, 0.25
AUC_SLACK = 0.03
LEAST_SD = 0.2  # of the reference's: markers that vary less count less among neighbours


@dataclass(frozen=True)
class Scores:
    """What was measured of one alignment; all but `moved_by_marker` are means over cells and markers.

    Attributes
    ----------
    emd
        Distance to the reference within clusters, in its standard deviations; 0 is best.
    auc
        Area under the ROC curve of a classifier that tells the two batches apart within clusters; .5 is best.
    neighbours
        Share of a cell's 15 nearest neighbours in its own batch that it keeps; 1 is best.
    moved
        Mean absolute movement, in standard deviations of the reference.
    emd_by_marker
        `emd` of each marker, ``(n_markers,)``.
    moved_by_marker
        `moved` of each marker, ``(n_markers,)``.
    """

    emd: float
    auc: float
    neighbours: float
    moved: float
    emd_by_marker: NDArray[np.float64]
    moved_by_marker: NDArray[np.float64]

    @property
    def cost(self) -> float:
        """One figure to choose by: distance and separability together, lower is better."""
        return self.emd + 2 * max(self.auc - 0.5, 0.0)


def alike(emd: float, auc: float, floor: Mapping[str, float], n_cells: int = N_CELLS) -> bool:
    """Tell whether two batches differ no more than chance allows; not if there were too few cells to know.

    Distances differ beyond chance by more than a quarter of the floor, and at least .01 SD; AUCs by more than
    .03, two standard errors with 800 against 800 cells, or two standard errors with fewer.

    Parameters
    ----------
    emd, auc
        Scores of the cells as measured.
    floor
        What two halves of the reference score.
    n_cells
        Cells of the smaller batch that were scored.
    """
    if not np.isfinite([emd, auc, floor["emd"], floor["auc"]]).all():
        return False
    slack = max(EMD_SLACK, EMD_SLACK_FLOOR * floor["emd"])
    return emd <= floor["emd"] + slack and auc <= max(floor["auc"], 0.5) + max(
        AUC_SLACK, 2 * (6 * n_cells) ** -0.5
    )


class HeldOut:
    """Held-out cells of both batches, ready to score any alignment of them.

    Parameters
    ----------
    reference
        Reference cells, standardised, ``(n_cells, n_markers)``.
    before
        Cells of the other batch before alignment, in the same units.
    seed
        Of clusters, noise and subsamples.
    """

    def __init__(self, reference: NDArray[np.float64], before: NDArray[np.float64], *, seed: int) -> None:
        self.reference = reference
        self.before = before
        self._seed = seed
        # Without two cells on either side there is nothing to compare; every score is NaN then.
        self._any = min(len(reference), len(before)) >= 2
        if self._any:
            n_clusters = min(N_CLUSTERS, max(1, min(len(reference), len(before)) // CELLS_PER_CLUSTER))
            self._centres = reference_clusters(reference, n_clusters, seed=seed)
            self._home = nearest(reference, self._centres)
        rng = np.random.default_rng(seed)
        self._sample = rng.permutation(len(before))[:N_CELLS]

    def score(self, after: NDArray[np.float64]) -> Scores:
        """Score the other batch's cells as aligned, row by row those given as `before`."""
        if not self._any:
            unknown = np.full(self.before.shape[1], np.nan)
            return Scores(np.nan, np.nan, np.nan, np.nan, unknown, unknown)
        by_marker = self._emd(self.reference, self._home, after, nearest(after, self._centres))
        moved = np.abs(after - self.before).mean(axis=0)
        return Scores(
            emd=float(by_marker.mean()),
            auc=self._auc(self.reference, self._home, after, nearest(after, self._centres)),
            neighbours=self._kept(after),
            moved=float(moved.mean()),
            emd_by_marker=by_marker,
            moved_by_marker=moved,
        )

    def floor(self) -> dict[str, float]:
        """Return what two halves of the reference score against each other: nothing can be better."""
        if not self._any:
            return {"emd": np.nan, "auc": np.nan}
        half = np.random.default_rng(self._seed).permutation(len(self.reference)) % 2 == 0
        a, b, at = self.reference[half], self.reference[~half], self._home
        emd = self._emd(a, at[half], b, at[~half])
        return {"emd": float(emd.mean()), "auc": self._auc(a, at[half], b, at[~half])}

    def _emd(
        self,
        a: NDArray[np.float64],
        at_a: NDArray[np.intp],
        b: NDArray[np.float64],
        at_b: NDArray[np.intp],
    ) -> NDArray[np.float64]:
        distances, weights = [], []
        for cluster in range(len(self._centres)):
            ours, theirs = a[at_a == cluster], b[at_b == cluster]
            if min(len(ours), len(theirs)) >= MIN_CELLS:
                gap = np.quantile(ours, QUANTILES, axis=0) - np.quantile(theirs, QUANTILES, axis=0)
                distances.append(np.abs(gap).mean(axis=0))
                weights.append(min(len(ours), len(theirs)))
        if not distances:
            return np.full(a.shape[1], np.nan)
        return np.average(distances, axis=0, weights=weights)

    def _auc(
        self,
        a: NDArray[np.float64],
        at_a: NDArray[np.intp],
        b: NDArray[np.float64],
        at_b: NDArray[np.intp],
    ) -> float:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.metrics import roc_auc_score

        from cellgan.cytof.threads import one_thread

        rng = np.random.default_rng(self._seed)
        i, j = rng.permutation(len(a))[:N_CELLS], rng.permutation(len(b))[:N_CELLS]
        x = np.vstack([a[i], b[j]])
        x = _binned(x + rng.normal(0, NOISE, x.shape))
        y = np.r_[np.zeros(len(i), int), np.ones(len(j), int)]
        at = np.r_[at_a[i], at_b[j]]
        weight = _balanced(y, at)
        if (weight > 0).sum() < 4 * MIN_CELLS:
            return float("nan")
        fold = rng.permutation(len(x)) % 2
        guess = np.zeros(len(x))
        for k in (0, 1):
            learn = (fold != k) & (weight > 0)
            model = HistGradientBoostingClassifier(
                max_iter=30, max_leaf_nodes=8, max_bins=N_BINS, random_state=0, early_stopping=False
            )
            with one_thread():  # with more, its threads wait for each other longer than they work
                model.fit(x[learn], y[learn], sample_weight=weight[learn])
                guess[fold == k] = model.decision_function(x[fold == k])
        known = weight > 0
        return float(roc_auc_score(y[known], guess[known], sample_weight=weight[known]))

    def _kept(self, after: NDArray[np.float64], n: int = 15) -> float:
        before, after = self.before[self._sample], after[self._sample]
        n = min(n, len(before) - 1)
        pairs = zip(_neighbours(before, n), _neighbours(after, n), strict=True)
        return float(np.mean([len(np.intersect1d(p, q)) for p, q in pairs]) / n)


def _balanced(y: NDArray[np.int_], at: NDArray[np.intp]) -> NDArray[np.float64]:
    """Weigh cells so that both batches count the same in every cluster; 0 where a batch has too few."""
    weight = np.zeros(len(y))
    for cluster in np.unique(at):
        sides = [(y == side) & (at == cluster) for side in (0, 1)]
        least = min(side.sum() for side in sides)
        if least >= MIN_CELLS:
            for side in sides:
                weight[side] = least / side.sum()
    return weight


def _binned(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the bin of each value: the classifier's own binning of weighted cells outlasts its trees."""
    edges = np.quantile(x, np.linspace(0, 1, N_BINS + 1)[1:-1], axis=0)
    columns = zip(edges.T, x.T, strict=True)
    return np.stack([np.searchsorted(own, values) for own, values in columns], axis=1).astype(np.float64)


def _neighbours(x: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    from sklearn.neighbors import NearestNeighbors

    # A marker that hardly varies in the batch must not drown the others in its noise.
    scaled = x / np.maximum(x.std(axis=0), LEAST_SD)
    found: NDArray[np.intp] = NearestNeighbors(n_neighbors=n).fit(scaled).kneighbors(return_distance=False)
    return found
