"""Boosted trees that tell two sets of cells apart, and the area under their ROC curve.

An alignment asks eight times whether a classifier can tell some thousand cells of two batches apart, and
each time for a few dozen small trees. scikit-learn's `HistGradientBoostingClassifier` takes no longer for
that, but a second to load. What is here is its method, with one departure that matters little in trees so
small: they grow level by level, not at the best leaf first.

References
----------
Friedman (2001), Greedy function approximation: a gradient boosting machine.
Ke et al. (2017), LightGBM: histograms in place of sorted values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_TREES = 30
DEPTH = 3
LEARNING_RATE = 0.1
MIN_CELLS = 20  # learned from, in every leaf
LEAST = 1e-6
LEAST_ODDS = -700.0  # below, the exponential overflows


def separate(
    bins: NDArray[np.intp], is_b: NDArray[np.bool_], weight: NDArray[np.float64], *, n_bins: int
) -> NDArray[np.float64]:
    """Learn which cells are of b, and return how much all cells look like it: log odds, ``(n_cells,)``.

    Parameters
    ----------
    bins
        In which bin of each marker a cell lies, from 0 on, ``(n_cells, n_markers)``.
    is_b
        Whether it is of b, ``(n_cells,)``.
    weight
        How much it counts, ``(n_cells,)``; one that counts for nothing is not learned from.
    n_bins
        Number of bins of a marker.
    """
    learn = np.flatnonzero(weight > 0)
    weight, target = weight[learn], is_b[learn].astype(np.float64)
    share = np.clip(np.average(target, weights=weight), LEAST, 1 - LEAST)
    odds = np.full(len(bins), np.log(share / (1 - share)))
    for _ in range(N_TREES):
        guess = 1 / (1 + np.exp(-np.maximum(odds[learn], LEAST_ODDS)))
        slope, curve = weight * (target - guess), weight * guess * (1 - guess)
        leaf = _grow(bins, learn, slope, curve, n_bins=n_bins)
        up, down = (np.bincount(leaf[learn], weights=each, minlength=2**DEPTH) for each in (slope, curve))
        odds += LEARNING_RATE * (up / np.maximum(down, LEAST))[leaf]
    return odds


def _grow(
    bins: NDArray[np.intp],
    learn: NDArray[np.intp],
    slope: NDArray[np.float64],
    curve: NDArray[np.float64],
    *,
    n_bins: int,
) -> NDArray[np.intp]:
    """Grow a tree; return the leaf in which each cell ends, ``(n_cells,)``."""
    n_markers = bins.shape[1]
    node, every = np.zeros(len(bins), dtype=np.intp), np.arange(len(bins))
    place = bins[learn] + n_bins * np.arange(n_markers)
    weights = [None, *(np.repeat(each, n_markers) for each in (slope, curve))]
    for depth in range(DEPTH):
        shape = 2**depth, n_markers, n_bins
        at = (place + (n_markers * n_bins * node[learn])[:, None]).ravel()
        sums = [np.bincount(at, weights=each, minlength=np.prod(shape)).reshape(shape) for each in weights]
        # Of the cells at or below each threshold, and of those above it.
        left = [each.cumsum(axis=2)[:, :, :-1] for each in sums]
        right = [each.sum(axis=2, keepdims=True) - low for each, low in zip(sums, left, strict=True)]
        gain = left[1] ** 2 / np.maximum(left[2], LEAST) + right[1] ** 2 / np.maximum(right[2], LEAST)
        gain[np.minimum(left[0], right[0]) < MIN_CELLS] = -np.inf
        gain = gain.reshape(len(gain), -1)
        best = gain.argmax(axis=1)
        marker, threshold = np.divmod(best, n_bins - 1)
        # A node that nothing parts keeps its cells on the left.
        threshold[gain[np.arange(len(best)), best] == -np.inf] = n_bins
        node = 2 * node + (bins[every, marker[node]] > threshold[node])
    return node


def area_under_curve(
    score: NDArray[np.float64], is_b: NDArray[np.bool_], weight: NDArray[np.float64]
) -> float:
    """Return how often a cell of b scores higher than one that is not; ties count a half.

    Parameters
    ----------
    score, is_b, weight
        Of each cell, ``(n_cells,)``.
    """
    _, place = np.unique(score, return_inverse=True)
    b, other = (np.bincount(place, weights=weight * side) for side in (is_b, ~is_b))
    lower = np.cumsum(other) - other / 2
    return float((b * lower).sum() / (b.sum() * other.sum()))
