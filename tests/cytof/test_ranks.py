"""Weighted quantiles against repeated cells, and ties that are broken without anybody noticing."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.cytof import ranks
from cellgan.cytof.proposals import quantile_maps
from cellgan.cytof.ranks import DITHER, Ranked, dither


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def even(cells: np.ndarray) -> np.ndarray:
    return np.ones(len(cells))


def quantiles(cells: np.ndarray, weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    near = np.zeros((len(cells), 1), dtype=int)
    return Ranked.of(cells).quantiles(near, weights[:, None], {0: levels})[0]


LEVELS = np.linspace(0.01, 0.99, 41)


def test_quantiles_of_cells_that_count_alike_are_hazens(rng):
    cells = rng.normal(size=(300, 3))
    wanted = np.quantile(cells, LEVELS, axis=0, method="hazen")
    np.testing.assert_allclose(quantiles(cells, even(cells), LEVELS), wanted)


def test_a_cell_that_counts_three_times_is_three_cells(rng):
    cells = rng.normal(size=(4000, 2))
    weights = np.where(cells[:, 0] > 0, 3.0, 1.0)
    repeated = np.repeat(cells, weights.astype(int), axis=0)
    wanted = np.quantile(repeated, LEVELS, axis=0, method="hazen")
    np.testing.assert_allclose(quantiles(cells, weights, LEVELS), wanted, atol=0.02)
    assert np.abs(quantiles(cells, even(cells), LEVELS) - wanted).max() > 0.4, "weights make no difference"


def test_clusters_at_once_are_clusters_one_by_one(rng):
    cells, near = rng.normal(size=(500, 2)), np.argsort(rng.random((500, 4)), axis=1)[:, :2]
    counts = rng.random((500, 2))
    found = Ranked.of(cells).quantiles(near, counts, {0: LEVELS, 3: LEVELS[::4]})
    assert set(found) == {0, 3}
    for cluster, levels in ((0, LEVELS), (3, LEVELS[::4])):
        rows, gates = np.nonzero(near == cluster)
        wanted = quantiles(cells[rows], counts[rows, gates], levels)
        np.testing.assert_allclose(found[cluster], wanted)


def test_weights_as_small_as_they_may_be_still_say_who_counts(rng):
    cells = rng.normal(size=(300, 2))
    tiny = quantiles(cells, np.full(300, 1e-6), LEVELS)
    np.testing.assert_allclose(tiny, quantiles(cells, even(cells), LEVELS))


def zeros_and_more(rng, share: float, n: int = 2000) -> np.ndarray:
    """One marker with so many zeros, and one that tells the cells apart."""
    values = rng.uniform(1, 3, (n, 2))
    values[: int(share * n), 0] = 0
    return values


@pytest.mark.parametrize("share", [0.5, 0.7])
def test_zeros_stay_zeros_where_the_reference_has_as_many(rng, share):
    reference, cells = zeros_and_more(rng, share), zeros_and_more(rng, 0.5)
    moved = quantile_maps(reference, cells)(dither(cells))[:, 0]
    assert np.mean(np.abs(moved[cells[:, 0] == 0]) < 1e-6) > 0.98


def test_zeros_are_spread_where_the_reference_has_fewer(rng, monkeypatch):
    reference, cells = zeros_and_more(rng, 0.2), zeros_and_more(rng, 0.5)
    inside = np.r_[LEVELS[LEVELS < 0.18], LEVELS[LEVELS > 0.22]]
    wanted = np.quantile(reference[:, 0], inside)
    moved = quantile_maps(reference, cells)(dither(cells))[:, 0]
    np.testing.assert_allclose(np.quantile(moved, inside), wanted, atol=0.1)
    monkeypatch.setattr(ranks, "DITHER", 0.0)
    stuck = quantile_maps(reference, dither(cells))(dither(cells))[:, 0]
    assert np.abs(np.quantile(stuck, inside) - wanted).max() > 0.5


def test_dither_is_small_the_cells_own_and_evenly_spread(rng):
    cells = np.zeros((5000, 4))
    cells[:, 3] = rng.normal(size=5000)  # what tells the cells apart
    chance = (dither(cells) - cells)[:, :3] / DITHER
    assert 0 <= chance.min() < chance.max() < 1
    np.testing.assert_allclose(
        np.quantile(chance, [0.25, 0.5, 0.75], axis=0).T, [[0.25, 0.5, 0.75]] * 3, atol=0.03
    )
    assert np.abs(np.corrcoef(chance.T) - np.eye(3)).max() < 0.06
    order = rng.permutation(5000)[:70]
    assert dither(cells[order]).tobytes() == dither(cells)[order].tobytes()
