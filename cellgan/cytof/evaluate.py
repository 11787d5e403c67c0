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
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.boosted_trees import area_under_curve, separate
from cellgan.cytof.clusters import nearest, reference_clusters
from cellgan.cytof.neighbours import nearest_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUANTILES = np.linspace(0.01, 0.99, 50)
MIN_CELLS = 20  # of each batch, for a cluster to be compared
N_CLUSTERS = 8
CELLS_PER_CLUSTER = 50  # on average and at least, of each batch
N_CELLS = 1500  # of each batch at most, for classifier and neighbours
N_WEIGHTED = 2000  # the same, where most cells may weigh little
# A point mass at zero would decide the classifier; so much noise blurs it, and hides nothing that matters.
NOISE = 0.15
N_NEIGHBOURS = 15
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
        rng = np.random.default_rng(self._seed)
        i, j = rng.permutation(len(a))[:N_CELLS], rng.permutation(len(b))[:N_CELLS]
        is_b = np.arange(len(i) + len(j)) >= len(i)
        weight = _balanced(is_b, np.r_[at_a[i], at_b[j]])
        if (weight > 0).sum() < 4 * MIN_CELLS:
            return float("nan")
        return _cross_validated(np.vstack([a[i], b[j]]), is_b, weight, rng)

    def _kept(self, after: NDArray[np.float64]) -> float:
        first, then = self._neighbours, _neighbours(after[self._sample])
        return float((first[:, :, None] == then[:, None, :]).sum() / first.size)

    @cached_property
    def _neighbours(self) -> NDArray[np.intp]:
        return _neighbours(self.before[self._sample])


def weighted_auc(
    reference: NDArray[np.float64],
    cells: NDArray[np.float64],
    weights: tuple[NDArray[np.float64], NDArray[np.float64]],
    *,
    seed: int,
) -> float:
    """Return the AUC of a classifier that tells weighted cells of two batches apart; .5 if it cannot.

    Parameters
    ----------
    reference, cells
        Standard units, ``(n_cells, n_markers)``, in an order drawn at random: the first ones are asked.
    weights
        How much each cell of either counts.
    seed
        Of noise and folds.
    """
    sides = [
        (side[:N_WEIGHTED], own[:N_WEIGHTED]) for side, own in zip((reference, cells), weights, strict=True)
    ]
    x = np.vstack([side for side, _ in sides])
    weight = np.concatenate([own / own.sum() for _, own in sides])
    is_b = np.arange(len(x)) >= len(sides[0][0])
    return _cross_validated(x, is_b, weight / weight.mean(), np.random.default_rng(seed))


def _cross_validated(
    x: NDArray[np.float64], is_b: NDArray[np.bool_], weight: NDArray[np.float64], rng: np.random.Generator
) -> float:
    """Return the AUC, over two folds, of telling b from the others; cells that weigh nothing do not count."""
    bins = _binned(x + rng.normal(0, NOISE, x.shape))
    known = weight > 0
    fold = rng.permutation(len(x)) % 2
    guess = np.zeros(len(x))
    for k in (0, 1):
        learned = np.where(fold == k, 0, weight)
        guess[fold == k] = separate(bins, is_b, learned, n_bins=N_BINS)[fold == k]
    return area_under_curve(guess[known], is_b[known], weight[known])


def _balanced(is_b: NDArray[np.bool_], at: NDArray[np.intp]) -> NDArray[np.float64]:
    """Weigh cells so that both batches count the same in every cluster; 0 where a batch has too few."""
    weight = np.zeros(len(is_b))
    for cluster in np.unique(at):
        sides = [side & (at == cluster) for side in (~is_b, is_b)]
        least = min(side.sum() for side in sides)
        if least >= MIN_CELLS:
            for side in sides:
                weight[side] = least / side.sum()
    return weight


def _binned(x: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the bin of each value; as many values lie in one as in another."""
    edges = np.quantile(x, np.linspace(0, 1, N_BINS + 1)[1:-1], axis=0)
    columns = zip(edges.T, x.T, strict=True)
    return np.stack([np.searchsorted(own, values) for own, values in columns], axis=1)


def _neighbours(x: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the nearest other cells of each cell, ``(n_cells, n_neighbours)``."""
    # A marker that hardly varies in the batch must not drown the others in its noise.
    scaled = x / np.maximum(x.std(axis=0), LEAST_SD)
    n = min(N_NEIGHBOURS, len(x) - 1)
    _, near = nearest_cells(scaled, scaled, n + 1)
    # A cell is its own first neighbour; or, among cells like itself, perhaps not the first one.
    return near[:, 1:]
