"""Cells drawn by a hash of their values: the order of rows decides nothing."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest

from cellgan.cytof.cells import InMemory
from cellgan.cytof.draws import cell_hashes, draw

N = 4000


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return np.random.default_rng(0).gamma(1, 20, (N, 3)).astype(np.float32)


def held(values: np.ndarray) -> InMemory:
    return InMemory(ad.AnnData(values))


@pytest.mark.parametrize("n", [1, 100, N - 1, N, N + 5])
def test_the_order_of_rows_changes_neither_which_cells_are_drawn_nor_their_order(values, n):
    order = np.random.default_rng(1).permutation(N)
    drawn, again = draw(held(values), n, 3), draw(held(values[order]), n, 3)
    assert len(set(drawn.tolist())) == len(drawn) == min(n, N)
    assert values[order][again].tobytes() == values[drawn].tobytes()


def test_the_first_cells_of_a_draw_are_a_smaller_draw(values):
    np.testing.assert_array_equal(draw(held(values), 500, 0)[:70], draw(held(values), 70, 0))


def test_a_draw_has_an_order_that_is_not_the_files_and_is_another_by_seed(values):
    first, other = (draw(held(values), 1000, seed) for seed in (0, 1))
    assert not (np.diff(first) > 0).all()
    # Of a quarter of the cells, another quarter holds a quarter: 250, give or take five standard deviations.
    assert abs(len(set(first.tolist()) & set(other.tolist())) - 250) < 5 * np.sqrt(1000 * 0.25 * 0.75 * 0.75)


def test_cells_are_drawn_evenly(values):
    """As many of the bright and of the first ones as there are, give or take five standard deviations."""
    drawn = draw(held(values), 1000, 0)
    for among in (values[:, 0] > np.median(values[:, 0]), np.arange(N) < N / 2):
        assert abs(among[drawn].sum() - 500) < 5 * np.sqrt(1000 * 0.25 * 0.75)


def test_some_rows_to_draw_from(values):
    among = np.arange(0, N, 7)
    drawn = draw(held(values), 100, 0, among)
    assert len(set(drawn.tolist())) == 100
    assert np.isin(drawn, among).all()
    everything = draw(held(values), N, 0)
    np.testing.assert_array_equal(drawn, everything[np.isin(everything, among)][:100])


def test_cells_of_the_same_values_have_the_same_number_and_others_have_not(values):
    twice = np.vstack([values, values[::-1]])
    numbers = cell_hashes(twice, 0)
    np.testing.assert_array_equal(numbers[:N], numbers[N:][::-1])
    assert len(np.unique(numbers)) == N
    zeros = np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0]], dtype=np.float32)
    first, minus, swapped = cell_hashes(zeros, 0).tolist()
    assert first == minus != swapped
    assert (cell_hashes(values, 0) != cell_hashes(values, 1)).all()


def test_a_change_of_one_last_digit_is_another_cell(values):
    near = values.copy()
    near[:, 1] = np.nextafter(near[:, 1], np.float32(np.inf))
    assert (cell_hashes(near, 0) != cell_hashes(values, 0)).all()


def test_pieces_of_a_file_have_the_numbers_of_all_of_it(values, monkeypatch):
    whole = held(values).hashes(5)
    monkeypatch.setattr("cellgan.cytof.cells.ROWS", 999)
    np.testing.assert_array_equal(held(values).hashes(5), whole)
