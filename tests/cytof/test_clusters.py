"""Clusters against brute force, and both batches counting the same in them."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.cytof.clusters import FAINT, Clusters, joint_clusters, nearest, reference_clusters


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(3)


@pytest.fixture(scope="module")
def cells(rng):
    return rng.normal(size=(200, 4))


@pytest.fixture(scope="module")
def clusters(rng):
    return Clusters(rng.normal(size=(7, 4)), softness=0.8)


def slow_memberships(cell: np.ndarray, clusters: Clusters) -> dict[int, float]:
    squares = [float(((cell - centre) ** 2).sum()) for centre in clusters.centres]
    first = sorted(range(len(squares)), key=squares.__getitem__)[:3]
    weight = {c: np.exp(-(squares[c] - squares[first[0]]) / clusters.softness) - FAINT for c in first}
    weight = {c: max(w, 0.0) for c, w in weight.items()}
    return {c: w / sum(weight.values()) for c, w in weight.items()}


def test_a_cell_belongs_to_its_three_nearest_by_distance(cells, clusters):
    near, weight = clusters.memberships(cells)
    for cell, where, much in zip(cells, near, weight, strict=True):
        wanted = slow_memberships(cell, clusters)
        assert where.tolist() == list(wanted)
        np.testing.assert_allclose(much, list(wanted.values()), atol=1e-9)
    np.testing.assert_allclose(weight.sum(axis=1), 1)
    assert ((weight > 0.01) & (weight < 0.99)).any(), (
        "all cells belong to one cluster alone: nothing is shown"
    )


def test_the_farther_cluster_fades_without_a_jump(clusters):
    one, two = np.zeros((1, 4)), np.eye(4)[:1]
    pair = Clusters(np.vstack([one, two]), softness=0.1)
    path = one + np.linspace(0, 0.5, 2001)[:, None] * two
    _, weight = pair.memberships(path)
    assert weight[0].tolist() == [1, 0]
    np.testing.assert_allclose(weight[-1], 0.5, atol=1e-6)
    assert np.abs(np.diff(weight[:, 1])).max() < 0.01


def test_shares_are_those_of_a_loop_over_cells(cells, clusters):
    wanted = np.zeros(len(clusters))
    for cell in cells:
        for cluster, much in slow_memberships(cell, clusters).items():
            wanted[cluster] += much / len(cells)
    np.testing.assert_allclose(clusters.shares(*clusters.memberships(cells)), wanted)


def test_nearest_is_that_of_brute_force(cells, clusters):
    wanted = [((cell - clusters.centres) ** 2).sum(axis=1).argmin() for cell in cells]
    assert nearest(cells, clusters.centres).tolist() == wanted


def test_both_batches_count_the_same_whatever_their_sizes(rng):
    """The one centre of 900 cells at 0 and 100 at 1 would lie at .1, did every cell count the same."""
    a, b = rng.normal(0, 1e-3, (900, 2)), rng.normal(1, 1e-3, (100, 2))
    np.testing.assert_allclose(joint_clusters(a, b, 1, seed=0).centres, [[0.5, 0.5]], atol=1e-3)


def test_separate_groups_are_found(rng):
    spots = np.array([[0, 0, 0], [9, 0, 0], [0, 9, 0], [9, 9, 9]])
    home = rng.integers(4, size=400)
    a, b = (spots[home] + rng.normal(0, 0.1, (400, 3)) for _ in range(2))
    found = joint_clusters(a, b, 4, seed=1)
    gaps = np.linalg.norm(found.centres[:, None] - spots, axis=2)
    assert gaps.min(axis=0).max() < 0.1
    near, weight = found.memberships(a)
    assert (near[:, 0] == gaps.argmin(axis=0)[home]).all()
    assert (weight[:, 0] > 0.5).all()


def test_a_few_distinct_cells_make_no_more_clusters_than_that(rng):
    spots = rng.normal(size=(3, 2))
    a, b = spots[rng.integers(3, size=50)], spots[rng.integers(3, size=60)]
    found = joint_clusters(a, b, 10, seed=0)
    assert len(found) == 3
    near, weight = found.memberships(a)
    assert near.shape == weight.shape == (50, 3)
    assert len(joint_clusters(a[:1], a[:1], 10, seed=0)) == 1


def test_values_too_large_to_tell_apart_warn_nobody(rng):
    """Far from zero float32 merges cells, and k-means finds fewer clusters than distinct cells."""
    a, b = rng.normal(size=(300, 2)), rng.normal(size=(300, 2)) + 1e6
    assert np.isfinite(joint_clusters(a, b, 40, seed=0).centres).all()


def test_same_seed_same_clusters(cells):
    again = [reference_clusters(cells, 5, seed=seed).tobytes() for seed in (0, 0, 1)]
    assert again[0] == again[1] != again[2]
