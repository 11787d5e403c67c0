"""Cells to learn from, and cells to score on."""

from __future__ import annotations

import numpy as np
import pytest

import cellgan
from cellgan.cytof.labels import Known
from cellgan.cytof.split import Split
from cellgan.cytof.transform import Standardise, to_arcsinh


def blood(n_cells: int) -> list[np.ndarray]:
    """Reference and batch in standard units."""
    batches = cellgan.simulate(n_cells=n_cells, n_markers=12, seed=1)
    scaled = [to_arcsinh(batch.X, 5.0) for batch in batches]
    units = Standardise.of(scaled[0])
    return [units.apply(values).astype(float) for values in scaled]


def test_every_cell_is_on_one_side_and_labels_go_with_cells():
    reference, cells = blood(200)
    names = np.array([f"{i}" for i in range(200)])
    split = Split.of(reference, cells, Known(names, names), seed=0)
    assert len(split.unseen_reference) == len(split.unseen_cells) == 40
    for seen, unseen, whole, labels in (
        (split.reference, split.unseen_reference, reference, split.known.reference),
        (split.cells, split.unseen_cells, cells, split.known.cells),
    ):
        assert sorted(map(tuple, np.vstack([seen, unseen]))) == sorted(map(tuple, whole))
        np.testing.assert_array_equal(whole[labels.astype(int)], seen)


def numbered(n: int) -> np.ndarray:
    return np.arange(n, dtype=float)[:, None]


@pytest.mark.parametrize(
    ("n", "n_seen", "n_unseen", "n_whole"),
    [(2, 2, 0, 2), (10, 8, 2, 10), (8_000, 6_400, 1_600, 8_000), (20_000, 6_400, 1_600, 10_000)],
)
def test_of_many_cells_some_are_enough(n, n_seen, n_unseen, n_whole):
    split = Split.of(numbered(n), -numbered(n), seed=0)
    for seen, unseen, whole in (
        (split.reference, split.unseen_reference, split.whole_reference),
        (-split.cells, -split.unseen_cells, -split.whole_cells),
    ):
        assert (len(seen), len(unseen), len(whole)) == (n_seen, n_unseen, n_whole)
        rows = [set(each[:, 0].astype(int)) for each in (seen, unseen, whole)]
        assert rows[0].isdisjoint(rows[1])
        assert rows[0] | rows[1] <= rows[2] <= set(range(n))


def test_the_seed_draws_who_is_held_out():
    one, same, other = (Split.of(numbered(50), numbered(50), seed=seed) for seed in (3, 3, 4))
    assert one.unseen_cells.tolist() == same.unseen_cells.tolist() != other.unseen_cells.tolist()
    assert one.unseen_cells.tolist() != one.unseen_reference.tolist()
