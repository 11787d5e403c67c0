"""Boosted trees against scikit-learn's, and areas under curves against pairs counted one by one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from cellgan.cytof import boosted_trees
from cellgan.cytof.boosted_trees import area_under_curve, separate

N_BINS = 16


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def two_sides(rng, shift, n=500):
    """Cells of two sides that differ in two of four markers, in bins."""
    cells = rng.normal(size=(2 * n, 4))
    is_b = np.arange(2 * n) >= n
    cells[is_b] += shift * np.array([1, 0, -1, 0])
    return np.clip((cells * 4 + N_BINS / 2).astype(int), 0, N_BINS - 1), is_b


@pytest.mark.parametrize("shift", [0.0, 0.4, 1.0])
def test_it_tells_sides_apart_as_well_as_scikit_learn(rng, shift):
    bins, is_b = two_sides(rng, shift)
    weight = rng.choice([0.5, 1.0], len(bins)) * (rng.random(len(bins)) < 0.5)
    fresh = weight == 0
    theirs = HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8, early_stopping=False)
    theirs.fit(bins[~fresh], is_b[~fresh], sample_weight=weight[~fresh])
    even = np.ones(fresh.sum())
    wanted = area_under_curve(theirs.decision_function(bins[fresh]), is_b[fresh], even)
    found = area_under_curve(separate(bins, is_b, weight, n_bins=N_BINS)[fresh], is_b[fresh], even)
    assert found == pytest.approx(wanted, abs=0.025)
    assert (found > 0.56) == (shift > 0)


def test_a_difference_that_takes_three_markers_is_found(rng, monkeypatch):
    """No single marker tells anything here: what counts is how many of three are high."""
    bins = rng.integers(0, 2, (3000, 3))
    is_b = rng.random(3000) < 0.2 + 0.6 * (bins.sum(axis=1) % 2 == 0)
    weight = np.arange(3000) % 2.0
    fresh = weight == 0

    def area():
        odds = separate(bins, is_b, weight, n_bins=2)
        return area_under_curve(odds[fresh], is_b[fresh], np.ones(fresh.sum()))

    assert area() > 0.75
    monkeypatch.setattr(boosted_trees, "DEPTH", 1)
    assert area() < 0.6


def test_odds_are_those_of_a_leaf_that_cannot_be_parted(rng):
    """One bin for all: Newton's steps lead nowhere from the share that is there."""
    is_b = rng.random(400) < 0.25
    odds = separate(np.zeros((400, 2), dtype=int), is_b, np.ones(400), n_bins=4)
    np.testing.assert_allclose(odds, np.log(is_b.mean() / (1 - is_b.mean())), atol=1e-9)


def test_cells_that_count_for_nothing_teach_nothing(rng):
    bins, is_b = two_sides(rng, 1.0, n=100)
    weight = np.arange(200) % 2.0
    other = np.where(weight > 0, is_b, ~is_b)
    assert separate(bins, is_b, weight, n_bins=N_BINS).tobytes() == (
        separate(bins, other, weight, n_bins=N_BINS).tobytes()
    )


def test_the_area_is_the_share_of_pairs_in_the_right_order(rng):
    score, is_b, weight = rng.integers(0, 5, 60).astype(float), rng.random(60) < 0.5, rng.random(60)
    right = total = 0.0
    for i in np.flatnonzero(is_b):
        for j in np.flatnonzero(~is_b):
            pair = weight[i] * weight[j]
            right += pair * ((score[i] > score[j]) + 0.5 * (score[i] == score[j]))
            total += pair
    assert area_under_curve(score, is_b, weight) == pytest.approx(right / total)
