"""K-means against loops, groups with a known answer, and cells that hardly differ."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from cellgan.cytof import clusters, k_means
from cellgan.cytof.clusters import reference_clusters
from cellgan.cytof.k_means import first_centres, nearest


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def squares(cells, centres):
    return ((cells[:, None] - centres) ** 2).sum(axis=2)


def test_separate_groups_have_their_means_for_centres(rng):
    spots = 9 * np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, -1).T
    home = rng.integers(8, size=800)
    cells = spots[home] + rng.normal(0, 0.3, (800, 3))
    wanted = np.stack([cells[home == group].mean(axis=0) for group in range(8)])
    found = k_means.k_means(cells, 8, seed=0)
    for one in wanted:
        assert np.abs(found - one).max(axis=1).min() < 1e-5


def test_first_centres_lie_apart(rng):
    """Thirty cells of one spot among a thousand: chance alone would miss the spot in most draws."""
    cells = np.concatenate([rng.normal(0, 0.1, (970, 2)), rng.normal(5, 0.1, (30, 2))]).astype(np.float32)
    for seed in range(5):
        found = first_centres(cells, 2, np.random.default_rng(seed))
        assert sorted((found[:, 0] > 2).tolist()) == [False, True]


def test_steps_bring_the_sum_of_squares_down(rng, monkeypatch):
    cells = rng.normal(size=(1000, 5))
    sums = []
    for steps in (0, 3, 10, 60):
        monkeypatch.setattr(k_means, "STEPS", steps)
        sums.append(squares(cells, k_means.k_means(cells, 12, seed=1)).min(axis=1).sum())
    assert sums == sorted(sums, reverse=True)
    assert sums[2] < 0.9 * sums[0]
    assert sums[2] < 1.02 * sums[3], "ten steps are too few"


def test_a_centre_without_cells_stays():
    cells = np.array([[0.0], [1.0]], dtype=np.float32)
    centres = np.array([[0.5], [90.0]], dtype=np.float32)
    assert k_means._means(cells, nearest(cells, centres), centres).tolist() == [[0.5], [90.0]]


def test_nearest_is_that_of_brute_force(rng):
    cells, centres = (rng.normal(size=(n, 6)).astype(np.float32) for n in (300, 20))
    assert nearest(cells, centres).tolist() == squares(cells, centres).argmin(axis=1).tolist()


def test_cells_far_from_zero_are_as_good_as_others(rng):
    cells = rng.normal(size=(200, 3))
    near, far = (k_means.k_means(cells + shift, 4, seed=0) - shift for shift in (0, 4000))
    np.testing.assert_allclose(far, near, atol=1e-3)


def test_it_runs_on_one_thread_as_more_add_up_in_any_order(rng, monkeypatch):
    seen = []

    def spied(cells, n_clusters, *, seed):
        seen.extend(pool["num_threads"] for pool in threadpool_info())
        return k_means.k_means(cells, n_clusters, seed=seed)

    monkeypatch.setattr(clusters, "k_means", spied)
    with threadpool_limits(2):
        reference_clusters(rng.normal(size=(60, 3)), 5, seed=0)
    assert seen
    assert set(seen) == {1}
