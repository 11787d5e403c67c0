"""Cells to learn from, cells to score on, and whether there is anything to align."""

from __future__ import annotations

import numpy as np

import cellgan
from cellgan.cytof.evaluate import HeldOut
from cellgan.cytof.labels import Known
from cellgan.cytof.split import Split
from cellgan.cytof.transform import Standardise, to_arcsinh


def blood(n_cells: int) -> list[np.ndarray]:
    """Reference and batch in standard units."""
    batches = cellgan.simulate(n_cells=n_cells, n_markers=12, seed=1)
    scaled = [to_arcsinh(batch.X, 5.0) for batch in batches]
    units = Standardise.of(scaled[0])
    return [units.apply(values).astype(float) for values in scaled]


def compared(reference, cells, seed=0):
    split = Split.of(reference, cells, seed=seed)
    held_out = HeldOut(split.unseen_reference, split.unseen_cells, seed=seed)
    return split.compare(held_out.score(split.unseen_cells), held_out.floor(), seed=seed)


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


def test_few_cells_are_all_asked_whether_there_is_anything_to_align():
    """Of 150 cells a side, thirty are held out, which cannot tell."""
    reference, cells = blood(300)
    n_alike = 0
    for seed in range(4):
        cut = np.random.default_rng(seed).permutation(300)
        halves = compared(reference[cut[:150]], reference[cut[150:]], seed)
        n_alike += halves.alike
        assert 0 < halves.floor < 0.5
        assert not compared(reference[cut[:150]], cells[:150], seed).alike
    assert n_alike >= 3, "one in ten such halves differs by chance"


def test_with_many_cells_those_that_were_held_out_tell():
    reference, _ = blood(10_000)
    split = Split.of(reference[::2], reference[1::2], seed=0)
    held_out = HeldOut(split.unseen_reference, split.unseen_cells, seed=0)
    floor = held_out.floor()
    likeness = split.compare(held_out.score(split.unseen_cells), floor, seed=0)
    assert likeness == (True, floor["emd"])
    assert not split.compare(held_out.score(split.unseen_cells + 0.3), floor, seed=0).alike
