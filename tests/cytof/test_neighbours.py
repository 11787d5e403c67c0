"""Nearest cells against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.cytof import neighbours
from cellgan.cytof.neighbours import nearest_cells


@pytest.fixture
def rng():
    return np.random.default_rng(9)


@pytest.mark.parametrize("n_cells", [7, 40])
def test_they_are_those_of_brute_force_block_by_block(rng, monkeypatch, n_cells):
    monkeypatch.setattr(neighbours, "BLOCK", 16)
    cells, among = rng.normal(size=(n_cells, 3)), rng.normal(size=(50, 3))
    apart = np.sqrt(((cells[:, None] - among) ** 2).sum(axis=2))
    wanted = np.argsort(apart, axis=1)[:, :6]
    distance, near = nearest_cells(cells, among, 6)
    assert near.tolist() == wanted.tolist()
    np.testing.assert_allclose(distance, np.take_along_axis(apart, wanted, axis=1))


def test_a_cell_among_them_is_its_own_first_neighbour_at_no_distance(rng):
    cells = rng.normal(size=(100, 5))
    distance, near = nearest_cells(cells, cells, 2)
    assert near[:, 0].tolist() == list(range(100))
    assert distance[:, 0].max() < 1e-6
    assert distance[:, 1].min() > 0


def test_far_from_zero_no_digits_are_lost(rng):
    cells, among = rng.normal(size=(20, 3)), rng.normal(size=(30, 3))
    near, far = (nearest_cells(cells + shift, among + shift, 4) for shift in (0, 1e5))
    assert far[1].tolist() == near[1].tolist()
    np.testing.assert_allclose(far[0], near[0], rtol=1e-6)
