"""One table of all batches: every cell and column in its place, under a name of its own."""

from __future__ import annotations

from collections.abc import Iterator

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from cellgan.cytof.assemble import Piece, Table, assemble, write_assembled
from cellgan.cytof.batch_map import Mapped
from cellgan.cytof.gaps import Gap
from cellgan.cytof.impute import Imputed
from cellgan.cytof.panel import match_panels
from cellgan.cytof.read_write import CellBatch, batches_from_adata, write_whole


def batch(n: int, columns: list[str], *, start: int = 0, names: list[str] | None = None, **obs) -> ad.AnnData:
    """Cells whose values tell where they come from."""
    values = np.arange(start, start + n * len(columns), dtype=np.float32).reshape(n, -1)
    index = names or [f"c{start}-{i}" for i in range(n)]
    return ad.AnnData(values, obs=pd.DataFrame(obs, index=index), var=pd.DataFrame(index=columns))


def mapped(batches: list[CellBatch], filled: tuple[tuple[Gap, Imputed], ...] = ()) -> Iterator[Piece]:
    """Values that went up by a half, and are a tenth off; every batch's last cell has no counterpart.

    They come two cells at a time.
    """
    for b in batches:
        x, novel = b.adata.X, np.arange(b.n_cells)[::-1] == 0
        for start in range(0, b.n_cells, 2):
            here = slice(start, start + 2)
            own = tuple(
                (gap, Imputed(i.expected[here], i.sd[here], i.draws[:, here]))
                for gap, i in filled
                if gap.target == b.name
            )
            values = Mapped(x[here] + 0.5, np.full_like(x[here], 0.1), novel[here])
            yield Piece(b.name, start, x[here], values, own)


def together(filled: tuple[tuple[Gap, Imputed], ...] = (), **given: ad.AnnData) -> ad.AnnData:
    table, pieces = planned(given, filled)
    return assemble(table, pieces, lambda: {"version": "x"})


def planned(given, filled=()) -> tuple[Table, Iterator[Piece]]:
    batches = batches_from_adata(given)
    panel = match_panels(batches, reference=batches[0].name)
    draws = len(filled[0][1].draws) if filled else 0
    return Table(batches, panel, draws), mapped(batches, filled)


def test_columns_meet_under_the_references_names():
    one, two = (
        batch(3, ["CD3", "Time", "CD19", "CD56"]),
        batch(2, ["142Nd_CD19", "CD8", "CD3", "Time"], start=100),
    )
    out = together(one=one, two=two)
    assert list(out.var_names) == ["CD3", "Time", "CD19", "CD56", "CD8"]
    np.testing.assert_array_equal(out.X[:3, :4], one.X)
    np.testing.assert_array_equal(out[3:, ["CD19", "CD8", "CD3", "Time"]].X, two.X)
    assert np.isnan(out[:3, "CD8"].X).all()
    assert np.isnan(out[3:, "CD56"].X).all()
    assert np.isnan(out.X).sum() == 3 + 2
    np.testing.assert_array_equal(out.layers["aligned"], out.X + 0.5)
    np.testing.assert_array_equal(
        out.layers["aligned_sd"], np.where(np.isnan(out.X), np.nan, np.float32(0.1))
    )
    assert out.obs["cellgan_novel"].tolist() == [False, False, True, False, True]
    assert out.var["measured_in"].tolist() == ["one;two"] * 3 + ["one", "two"]
    assert out.var["aligned"].tolist() == [True, False, True, False, False]
    assert out.var["kind"].tolist() == ["marker", "time", "marker", "marker", "marker"]


def test_cells_stand_in_the_order_given_whoever_the_reference_is():
    batches = batches_from_adata({"b": batch(2, ["CD3", "CD4"]), "a": batch(3, ["CD4", "CD3"], start=50)})
    panel = match_panels(batches, reference="a")
    out = assemble(Table(batches, panel), mapped(batches), dict)
    assert out.obs["batch"].tolist() == ["b"] * 2 + ["a"] * 3
    assert list(out.obs["batch"].cat.categories) == ["b", "a"]
    assert list(out.obs_names) == ["c0-0", "c0-1", "c50-0", "c50-1", "c50-2"]


def test_names_that_clash_are_made_unique_and_kept():
    out = together(
        one=batch(3, ["CD3", "CD4"], names=["x", "y", "z"]),
        two=batch(3, ["CD3", "CD4"], names=["y", "new", "x"]),
        three=batch(2, ["CD3", "CD4"], names=["x", "y-two"]),
    )
    assert list(out.obs_names) == ["x-one", "y-one", "z", "y-two", "new", "x-two", "x-three", "y-two-2"]
    assert out.obs_names.is_unique
    assert out.obs["original_name"].tolist() == ["x", "y", "", "y", "", "x", "x", "y-two"]


def test_the_first_batch_says_what_a_column_is():
    one, two = batch(2, ["CD3", "CD4"]), batch(2, ["CD4", "CD3", "CD8"], start=9)
    one.var["channel"], two.var["channel"] = ["Er170Di", ""], ["Nd145Di", "Er168Di", "Nd146Di"]
    assert together(one=one, two=two).var["channel"].tolist() == ["Er170Di", "", "Nd146Di"]


def test_no_clash_no_second_name():
    out = together(one=batch(2, ["CD3", "CD4"]), two=batch(2, ["CD3", "CD4"], start=9))
    assert "original_name" not in out.obs


def test_what_is_called_as_ours_keeps_a_name_of_its_own():
    names = ["x", "y"]
    mine = {"batch": ["p", "q"], "original_batch": ["r", "s"], "original_name": ["t", "u"]}
    mine["cellgan_novel"] = ["v", "w"]
    out = together(
        one=batch(2, ["CD3", "CD4"], names=names, **mine), two=batch(2, ["CD3", "CD4"], names=names)
    )
    assert out.obs.columns.is_unique
    assert out.obs["original_original_batch"].tolist()[:2] == ["p", "q"]
    assert out.obs["original_batch"].tolist()[:2] == ["r", "s"]
    assert out.obs["original_original_name"].tolist()[:2] == ["t", "u"]
    assert out.obs["original_cellgan_novel"].tolist()[:2] == ["v", "w"]
    assert out.obs["cellgan_novel"].tolist() == [False, True, False, True]


def test_a_batch_column_that_says_the_same_is_not_kept_twice():
    batches = (batch(2, ["CD3", "CD4"], batch="one"), batch(2, ["CD3", "CD4"], start=9, batch="two"))
    out = together(one=batches[0], two=batches[1])
    assert list(out.obs.columns) == ["batch", "cellgan_novel"]


MIXED = {
    "only here": ([1.5, 2.5], None),
    "flag": ([True, False], None),
    "number or text": ([1, 2], ["a", "b"]),
    "day": ([pd.Timestamp("2020-01-02"), pd.NaT], None),
    "time": (None, [pd.Timedelta("1s"), pd.Timedelta("2s")]),
    "type": (pd.Categorical(["B", "T"]), pd.Categorical(["T", "NK"])),
    "mixed type": (pd.Categorical([1, "x"]), pd.Categorical([1, "x"])),
    "nothing": ([None, None], [None, None]),
    "count": (pd.array([1, None], dtype="Int64"), pd.array([3, 4], dtype="Int64")),
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("column", MIXED)
def test_columns_that_batches_fill_in_other_ways_can_be_written(tmp_path, column, streamed):
    given = [{} if own is None else {column: own} for own in MIXED[column]]
    one, two = (batch(2, ["CD3", "CD4"], start=9 * i, **own) for i, own in enumerate(given))
    if streamed:
        table, pieces = planned({"one": one, "two": two})
        write_assembled(table, tmp_path / "out.h5ad", pieces, dict)
    else:
        write_whole(together(one=one, two=two), tmp_path / "out.h5ad")
    again = ad.read_h5ad(tmp_path / "out.h5ad").obs[column]
    wanted = [value for own in MIXED[column] for value in ([None, None] if own is None else own)]
    for found, value in zip(again, wanted, strict=True):
        if pd.isna(value):
            assert pd.isna(found)
        else:
            assert found == value or found == str(value)


def test_the_users_tables_stay_as_they_are():
    one = batch(2, ["CD3", "CD4"], names=["x", "y"], batch=["p", "q"])
    before = one.obs.copy(), one.var.copy(), one.X.copy()
    together(one=one, two=batch(2, ["CD3", "CD4"], names=["x", "y"]))
    pd.testing.assert_frame_equal(one.obs, before[0])
    pd.testing.assert_frame_equal(one.var, before[1])
    np.testing.assert_array_equal(one.X, before[2])


def imputed(
    target: str, source: str, markers: tuple[str, ...], n: int, *, start: float, draws: int
) -> tuple[Gap, Imputed]:
    """Values that tell which cell and marker they are of; halves are spreads, thousands more draws."""
    expected = start + np.arange(n * len(markers), dtype=np.float32).reshape(n, -1)
    drawn = np.stack([expected + 1000 * draw for draw in range(1, draws + 1)])
    gap = Gap(target, source, ("CD3", "CD4"), markers)
    return gap, Imputed(expected, expected / 2, drawn)


def test_imputed_markers_go_to_their_cells_and_columns():
    one, two = batch(3, ["CD3", "CD19", "CD4", "CD56"]), batch(2, ["CD8", "CD4", "Time", "CD3"], start=100)
    filled = (
        imputed("two", "one", ("CD56", "CD19"), 2, start=500, draws=2),
        imputed("one", "two", ("CD8",), 3, start=700, draws=2),
    )
    out, plain = together(filled, one=one, two=two), together(one=one, two=two)
    assert list(out.layers) == ["aligned", "aligned_sd", "imputed", "sample", "sample_2"]
    assert list(plain.layers) == ["aligned", "aligned_sd"]
    places = {
        ("one", "CD8"): [[700], [701], [702]],
        ("two", "CD56"): [[500], [502]],
        ("two", "CD19"): [[501], [503]],
    }
    mask = np.zeros(out.shape, dtype=bool)
    for (name, marker), values in places.items():
        rows, column = (out.obs["batch"] == name).to_numpy(), out.var_names.get_loc(marker)
        mask[rows, column] = True
        own = out[rows, marker]
        np.testing.assert_array_equal(own.layers["aligned"], values)
        np.testing.assert_array_equal(own.layers["aligned_sd"], np.array(values) / 2)
        np.testing.assert_array_equal(own.layers["sample"], np.array(values) + 1000)
        np.testing.assert_array_equal(own.layers["sample_2"], np.array(values) + 2000)
    np.testing.assert_array_equal(out.layers["imputed"], mask)
    np.testing.assert_array_equal(out.X, plain.X)
    for layer in out.layers:
        before = plain.layers[layer if layer in plain.layers else "aligned"]
        if layer != "imputed":
            np.testing.assert_array_equal(out.layers[layer][~mask], before[~mask])
    assert np.isnan(out[:3, "Time"].layers["sample"]).all()
