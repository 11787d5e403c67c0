"""Conditions: both sides hold equal shares of each, as many cells as that allows."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from cellgan.cytof.condition import composition, condition_rows
from cellgan.cytof.read_write import CellBatch, InMemory
from cellgan.errors import ConfigError, InputError


def batch_of(column, name: str = "one") -> CellBatch:
    values = np.random.default_rng(len(column)).random((len(column), 2), dtype=np.float32)
    adata = ad.AnnData(values)  # cells are drawn by their values
    adata.obs["drug"] = column
    return CellBatch(name=name, cells=InMemory(adata))


def mixed(seed: int, **counts: int) -> CellBatch:
    column = np.repeat(list(counts), list(counts.values()))
    return batch_of(np.random.default_rng(seed).permutation(column), f"batch{seed}")


def taken(batch: CellBatch, rows: np.ndarray) -> dict[str, int]:
    names, counts = np.unique(batch.adata.obs["drug"].astype(str).to_numpy()[rows], return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


@pytest.mark.parametrize(
    ("ours", "theirs", "kept"),
    [
        # Closed form: a side gives the fraction sum_k min(r_k, b_k) of its cells, in shares min(r_k, b_k).
        ({"a": 800, "b": 200}, {"a": 100, "b": 400}, ({"a": 200, "b": 200}, {"a": 100, "b": 100})),
        ({"a": 800, "b": 200}, {"a": 80, "b": 20}, ({"a": 800, "b": 200}, {"a": 80, "b": 20})),
        ({"a": 50, "b": 30, "c": 20}, {"a": 20, "b": 30, "c": 50}, ({"a": 20, "b": 30, "c": 20},) * 2),
        # Three of ten cells of `a`: shares .1 and .9, not rounded down by a tiny part of a cell.
        ({"a": 1, "b": 9}, {"a": 10, "b": 90}, ({"a": 1, "b": 9}, {"a": 10, "b": 90})),
        # A condition of one side only is left out, and shares are those among the others.
        ({"a": 60, "b": 40, "z": 900}, {"a": 40, "b": 60}, ({"a": 40, "b": 40},) * 2),
        ({"a": 60, "y": 5}, {"a": 7, "z": 9}, ({"a": 60}, {"a": 7})),
    ],
)
def test_both_sides_hold_equal_shares_of_as_many_cells_as_there_are(ours, theirs, kept):
    sides = mixed(1, **ours), mixed(2, **theirs)
    rows = condition_rows(*sides, "drug", seed=0)
    assert tuple(taken(side, own) for side, own in zip(sides, rows, strict=True)) == kept


def test_shares_that_do_not_come_out_even_differ_by_a_cell_at_most():
    rng = np.random.default_rng(0)
    for _ in range(30):
        counts = rng.integers(1, 400, (2, 4))
        sides = [mixed(i, **dict(zip("abcd", own.tolist(), strict=True))) for i, own in enumerate(counts)]
        shares = counts / counts.sum(axis=1, keepdims=True)
        low = shares.min(axis=0)
        rows = condition_rows(*sides, "drug", seed=0)
        for side, own, n in zip(sides, rows, counts.sum(axis=1), strict=True):
            found = np.array([taken(side, own)[name] for name in "abcd"])
            assert (np.abs(found - low * n) <= 1).all()


def test_rows_are_drawn_at_random_by_the_seed_and_ascend():
    sides = mixed(1, a=300, b=100), mixed(2, a=100, b=300)
    first, again, other = (condition_rows(*sides, "drug", seed=seed) for seed in (0, 0, 1))
    for a, b, c in zip(first, again, other, strict=True):
        assert (np.diff(a) > 0).all()
        assert a.dtype == np.intp
        np.testing.assert_array_equal(a, b)
        assert set(a) != set(c)
    # All of the rarer condition, and of the other one not just those that come first.
    common = np.flatnonzero(sides[0].adata.obs["drug"] == "a")
    assert np.isin(common[200:], first[0]).sum() > 10


def test_cells_without_a_condition_are_left_out_and_counted():
    ours = batch_of(pd.Categorical(["a", None, "b", "a", "unknown", "b"]))
    theirs = batch_of(np.array(["b", "a", "", "NA", np.nan, "a "], dtype=object), "two")
    mine, yours = condition_rows(ours, theirs, "drug", seed=0)
    assert set(mine) <= {0, 2, 3, 5}
    assert set(yours) <= {0, 1, 5}
    assert composition(ours, "drug") == {"a": 2, "b": 2, "not given": 2}
    assert composition(theirs, "drug") == {"a": 2, "b": 1, "not given": 3}
    assert composition(mixed(1, b=2, a=1), "drug") == {"a": 1, "b": 2}


def test_none_may_be_the_name_of_a_condition():
    sides = batch_of(["None", "IL-7", "None"]), batch_of(["None", "None", "None"], "two")
    rows = condition_rows(*sides, "drug", seed=0)
    assert [own.tolist() for own in rows] == [[0, 2], [0, 1, 2]]


def test_numbers_are_conditions_whole_or_not():
    """A column with a gap in it is read as floating point, where the other batch's is whole."""
    sides = batch_of([0, 1, 0, 1]), batch_of([0.0, np.nan, 1.0, 0.5], "two")
    rows = condition_rows(*sides, "drug", seed=0)
    assert [own.tolist() for own in rows] == [[0, 1, 2, 3], [0, 2]]
    assert composition(sides[1], "drug") == {"0": 1, "0.5": 1, "1": 1, "not given": 1}


def test_a_condition_that_coincides_with_the_batch_is_refused_in_words():
    with pytest.raises(ConfigError) as caught:
        condition_rows(mixed(1, basal=5), mixed(2, il7=4, il2=3), "drug", seed=0)
    told = str(caught.value)
    assert "'drug' coincides with the batches: 'batch1' holds basal, 'batch2' holds il2 and il7" in told
    assert "Nobody can tell a batch effect from what the condition did" in told
    for way_out in ("--anchors", "labels:KEY", "leave --condition out"):
        assert way_out in told


def test_a_column_that_is_not_there_or_empty(tmp_path):
    full, other = mixed(1, a=3), mixed(2, a=3)
    with pytest.raises(InputError, match=r"batch 'batch1' has no obs column 'dose'.*its obs has drug"):
        condition_rows(full, other, "dose", seed=0)
    lacking = CellBatch(
        name="x", cells=InMemory(ad.AnnData(np.zeros((3, 2)))), path=tmp_path / "x.h5ad", format="h5ad"
    )
    with pytest.raises(InputError, match=r"batch 'x' has no .*its obs has no column at all\nin .*x.h5ad"):
        condition_rows(full, lacking, "drug", seed=0)
    with pytest.raises(InputError, match="batch 'x' has no obs column 'drug'"):
        composition(lacking, "drug")
    with pytest.raises(
        InputError, match=r"obs column 'drug' of batch 'two' is empty: no cell has a condition"
    ):
        condition_rows(full, batch_of([None, ""], "two"), "drug", seed=0)
