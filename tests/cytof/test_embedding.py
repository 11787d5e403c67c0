import numpy as np
import pytest

from cellgan.cytof.embedding import embed, fuzzy_graph


def two_islands(n: int = 60) -> np.ndarray:
    cells = np.random.default_rng(0).normal(size=(2 * n, 5)).astype("f4")
    cells[n:] += 8
    return cells


def test_graph_in_closed_form():
    # Four cells on a line at 0, 1, 3, 7; three neighbours each, the cell among them, so two edges go out.
    graph = fuzzy_graph(np.array([[0.0], [1], [3], [7]]), 3).toarray()
    # Each one's nearest weighs 1, and the two weights sum to log2(3).
    rest = np.log2(3) - 1
    one_way = np.zeros((4, 4))
    for cell, (near, far) in enumerate([(1, 2), (0, 2), (1, 0), (2, 1)]):
        one_way[cell, near], one_way[cell, far] = 1, rest
    np.testing.assert_allclose(graph, one_way + one_way.T - one_way * one_way.T, atol=1e-5)


def test_graph_is_symmetric_with_weights():
    graph = fuzzy_graph(two_islands(), 15)
    assert abs(graph - graph.T).max() == 0
    assert graph.diagonal().max() == 0
    assert graph.data.min() > 0
    assert graph.data.max() <= 1
    assert graph[:60, 60:].nnz == 0


def test_equal_cells_have_a_graph():
    graph = fuzzy_graph(np.ones((20, 3)), 15)
    assert np.isfinite(graph.data).all()
    assert graph.nnz > 0


def test_islands_stay_apart():
    positions = embed(two_islands(), seed=0)
    assert positions.shape == (120, 2)
    first, second = positions[:60], positions[60:]
    gap = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    assert gap > 2 * max(first.std(), second.std())


def test_same_seed_same_map():
    cells = two_islands()
    before = cells.copy()
    np.testing.assert_array_equal(embed(cells, seed=3), embed(cells, seed=3))
    assert not np.array_equal(embed(cells, seed=3), embed(cells, seed=4))
    np.testing.assert_array_equal(cells, before)


@pytest.mark.parametrize("n_cells", [4, 10])
def test_few_cells(n_cells):
    assert np.isfinite(embed(np.random.default_rng(0).normal(size=(n_cells, 3)), seed=0)).all()


def test_equal_cells_and_a_marker_that_never_varies():
    cells = np.zeros((30, 3))
    cells[:, 0] = np.repeat([0, 1, 2], 10)
    assert np.isfinite(embed(cells, seed=0)).all()
