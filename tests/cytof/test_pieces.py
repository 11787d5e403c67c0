"""Pieces against interpolation cluster by cluster, and a table that saves steps but decides nothing."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.cytof import pieces as module
from cellgan.cytof.marker_maps import MarkerMaps
from cellgan.cytof.pieces import Belonging, Grid, Pieces

N_MARKERS = 3
COUNTS = (4, 0, 7, 1, 30)  # knots of each cluster; the second has no map


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.fixture
def maps(rng) -> list[MarkerMaps | None]:
    """Maps of very different widths, and one with half of its knots within a ten-thousandth."""
    found: list[MarkerMaps | None] = []
    for n in COUNTS:
        source = np.sort(rng.normal(0, [2, 50, 0.01], (n, N_MARKERS)), axis=0)
        source[: n // 2] = np.sort(rng.uniform(-99, -99 + 1e-4, (n // 2, N_MARKERS)), axis=0)
        target = np.sort(rng.normal(size=(n, N_MARKERS)), axis=0)
        found.append(MarkerMaps(source, target) if n else None)
    return found


@pytest.fixture
def cells(rng, maps) -> np.ndarray:
    """Cells on all knots, between them and beyond."""
    knots = np.concatenate([each.source for each in maps if each is not None])
    return np.concatenate([knots, knots + 1e-6, rng.normal(0, [6, 150, 0.02], (300, N_MARKERS))])


def looked_up(maps, cells, clusters, shares) -> np.ndarray:
    grid = Grid.of([each for each in maps if each is not None], n_markers=cells.shape[1])
    return Pieces.of(maps, grid)(grid.place(cells), Belonging.of(clusters, shares)).T


def gates(rng, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two clusters of each cell, and shares, some of them none; the one without a map gets none."""
    clusters = np.argsort(rng.random((n, len(COUNTS))), axis=1)[:, :2]
    shares = np.maximum(rng.random((n, 2)) - 0.3, 0) * (clusters != 1)
    return clusters, shares


def test_cells_get_what_interpolation_cluster_by_cluster_gives_them(rng, maps, cells):
    clusters, shares = gates(rng, len(cells))
    wanted = np.zeros_like(cells)
    for cell, gate in np.argwhere(shares):
        wanted[cell] += shares[cell, gate] * maps[clusters[cell, gate]](cells[cell : cell + 1])[0]
    np.testing.assert_allclose(looked_up(maps, cells, clusters, shares), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("halvings", [0, 1, 3, 20])
def test_the_number_of_edges_changes_no_bit(rng, maps, cells, monkeypatch, halvings):
    entries = gates(rng, len(cells))
    before = looked_up(maps, cells, *entries)
    monkeypatch.setattr(module, "HALVINGS", halvings)
    assert looked_up(maps, cells, *entries).tobytes() == before.tobytes()


def test_a_cell_of_one_cluster_gets_what_its_map_gives_to_the_last_bit(maps, cells):
    for each in maps:
        if each is not None:
            grid = Grid.of([each], n_markers=N_MARKERS)
            moved = Pieces.of([each], grid)(grid.place(cells), Belonging.to_one(len(cells)))
            assert moved.T.tobytes() == each(cells).tobytes()


def test_the_table_counts_the_knots_up_to_each_edge(maps, monkeypatch):
    """Were it wrong and too low, results would be right, and late."""
    monkeypatch.setattr(module, "HALVINGS", 3)
    grid = Grid.of([each for each in maps if each is not None], n_markers=N_MARKERS)
    assert len(grid) == 8
    below = Pieces.of(maps, grid).below.reshape(N_MARKERS, len(maps), len(grid))
    for marker, edges in enumerate(grid.edges):
        for cluster, each in enumerate(maps):
            knots = np.empty(0) if each is None else each.source[:, marker]
            wanted = [0, *((knots <= edge).sum() for edge in edges)]
            assert below[marker, cluster].tolist() == wanted


@pytest.mark.parametrize("halvings", [1, 2, 9])
def test_edges_belong_to_the_bucket_above_them(maps, monkeypatch, halvings):
    monkeypatch.setattr(module, "HALVINGS", halvings)
    grid = Grid.of([each for each in maps if each is not None], n_markers=N_MARKERS)
    edges = grid.edges[:, np.isfinite(grid.edges[0])]
    assert edges.shape == (N_MARKERS, min(sum(COUNTS), 2**halvings - 1))  # few knots are all edges
    upto = np.arange(1, edges.shape[1] + 1)
    assert (grid.place(edges.T).buckets == upto).all()
    assert (grid.place(np.nextafter(edges, -np.inf).T).buckets == upto - 1).all()


def test_a_value_lies_in_the_bucket_that_a_search_finds(maps, cells):
    grid = Grid.of([each for each in maps if each is not None], n_markers=N_MARKERS)
    for values, buckets, edges in zip(*grid.place(cells), grid.edges, strict=True):
        assert buckets.tolist() == np.searchsorted(edges, values, side="right").tolist()


def test_knots_that_fall_together_far_from_zero_divide_nothing_by_zero():
    source = 1e9 + np.array([[0.0], [1e-9], [2e-9], [3.0]])
    assert len(np.unique(source)) == 2
    maps = [MarkerMaps(source, np.array([[0.0], [1.0], [2.0], [5.0]]))]
    cells = 1e9 + np.array([[-1.0], [0.0], [1.5], [4.0]])
    moved = looked_up(maps, cells, np.zeros((4, 1), dtype=int), np.ones((4, 1)))
    np.testing.assert_allclose(moved.ravel(), [-1, 2, 3.5, 6])


def test_cells_that_belong_nowhere_get_nothing_and_no_maps_are_no_error(cells):
    entries = np.zeros((len(cells), 2), dtype=int), np.zeros((len(cells), 2))
    assert not looked_up([None, None], cells, *entries).any()


def test_entries_come_in_order_of_clusters_and_without_empty_ones():
    found = Belonging.of(np.array([[3, 1], [0, 3], [1, 2]]), np.array([[0.5, 0.5], [1.0, 0.0], [0.2, 0.8]]))
    entries = zip(found.clusters.tolist(), found.rows.tolist(), found.shares.tolist(), strict=True)
    assert list(entries) == [(0, 1, 1.0), (1, 0, 0.5), (1, 2, 0.2), (2, 2, 0.8), (3, 0, 0.5)]
