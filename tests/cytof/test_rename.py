"""Columns under other names: as told, by table or from Python, and refused where that cannot be meant."""

from __future__ import annotations

import re

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import cellgan
from cellgan.cytof.align import align_files
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.read_write import batches_from_adata
from cellgan.cytof.rename import (
    Renaming,
    read_renamings,
    rename_by_table,
    rename_columns,
    rename_in_memory,
)
from cellgan.errors import InputError, PanelError

FAST = AlignConfig(method="quantiles", transform="arcsinh", impute=False)
BATCHES = ("mon", "tue")


def cells(*names: str, seed: int = 0) -> ad.AnnData:
    counts = np.random.default_rng(seed).exponential(50, (20, len(names))).astype(np.float32)
    return ad.AnnData(counts, var=pd.DataFrame({"channel": "", "note": "x"}, index=list(names)))


@pytest.fixture
def batches():
    return batches_from_adata(
        {"mon": cells("CD3", "CD8", "HLA-DR"), "tue": cells("146Nd_CD8a", "CD3e", "CD19")}
    )


@pytest.fixture
def table(tmp_path):
    """Write a table of names."""

    def write(text: str | bytes, name: str = "rename.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def names(batches) -> list[list[str]]:
    return [list(batch.adata.var_names) for batch in batches]


def test_columns_of_one_batch_get_other_names_and_nothing_else_changes(batches, table):
    before = [batch.adata.copy() for batch in batches]
    mon, tue = rename_by_table(batches, table("batch,from,to\ntue,146Nd_CD8a,CD8\ntue,CD3e,CD3\n"))
    assert list(tue.adata.var_names) == ["CD8", "CD3", "CD19"]
    assert tue.notes == ("renamed as told: 146Nd_CD8a to CD8, CD3e to CD3",)
    assert [tue.spelling(i) for i in range(3)] == ["146Nd_CD8a", "CD3e", "CD19"]
    assert tue.adata.var["note"].tolist() == ["x"] * 3
    np.testing.assert_array_equal(tue.adata.X, before[1].X)
    assert (mon.notes, mon.spelling(1)) == ((), "CD8")
    for batch, old in zip(batches, before, strict=True):
        assert list(batch.adata.var_names) == list(old.var_names)
        assert (batch.notes, batch.renamed) == ((), {})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "from,to\nCD8a,CD8\n"),
        ("a.csv", "from,to,batch\nCD8a,CD8,\n"),
        ("a.csv", "batch,from,to\n*,CD8a,CD8\n"),
        ("a.CSV", "\ufeff FROM , To ,why\n\n CD8a , CD8 ,the clone\n,,\n"),
        ("a.tsv", "from\tto\nCD8a\tCD8\n"),
    ],
)
def test_all_batches_are_meant_where_none_is_named(batches, table, name, text):
    """The first batch has no such column; in the second it is spelled otherwise."""
    renamed = rename_by_table(batches, table(text, name))
    assert names(renamed) == [["CD3", "CD8", "HLA-DR"], ["CD8", "CD3e", "CD19"]]


def test_a_batch_that_has_the_new_name_already_stays():
    given = batches_from_adata({"a": cells("HLA-DR", "CD3"), "b": cells("HLADR", "CD3")})
    assert names(rename_in_memory(given, {"*": {"HLADR": "HLA-DR"}})) == [["HLA-DR", "CD3"]] * 2


def test_two_columns_may_swap_their_names(batches):
    _, tue = rename_in_memory(batches, {"tue": {"CD3e": "CD19", "CD19": "CD3e"}})
    assert list(tue.adata.var_names) == ["146Nd_CD8a", "CD19", "CD3e"]
    assert [tue.spelling(i) for i in range(3)] == ["146Nd_CD8a", "CD3e", "CD19"]
    (_, back) = rename_in_memory([batches[0], tue], {"tue": {"CD3e": "CD19", "CD19": "CD3e"}})
    assert back.renamed == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "",
            "the table is empty; expected a line with the columns batch, from and to .batch may be left out",
        ),
        ("from,to\n\n", "the table renames nothing"),
        ("from\nCD8a\n", "there is no column 'to' in line 1, which has 'from'"),
        ("from,to,To\na,b,c\n", "more than one column 'to'"),
        ("batch,batch,from,to\n,,a,b\n", "more than one column 'batch'"),
        ("from;to\na;b\n", "no column 'from' in line 1, which has 'from;to'; .*set apart by commas"),
        ("from,to\nCD8a\n", "line 2, column to: there is no value"),
        ("from,to\n,CD8\n", "line 2, column from: there is no value"),
        ("from,to\nCD8a,CD8,x\n", "line 2 has 3 values for 2 columns"),
        ("batch,from,to\nwed,CD8a,CD8\n", "line 2: there is no batch 'wed'; the batches are mon, tue"),
        ("from,to\n\nCD8,CD8\n", "line 3: 'CD8' is renamed to itself"),
        ("from,to\nCD8a,CD8\nCD8a,CD8b\n", "line 3: 'CD8a' is renamed a second time, after line 2"),
        ("from,to\nCD8a,CD\x078\n", r"line 2: the new name 'CD\\x078' cannot be used as a name"),
        ("from,to\nCD8a,CD8\n".encode("utf-16"), "cannot be read as text"),
        ("from,to\nCD8\xe4,CD8\n".encode("latin-1"), "cannot be read as text"),
    ],
)
def test_tables_that_cannot_be_used(table, text, told):
    path = table(text)
    with pytest.raises(InputError) as caught:
        read_renamings(path, batches=BATCHES)
    assert re.search(told, str(caught.value))
    assert str(caught.value).endswith(f"in {path}")


def test_tables_of_another_kind_and_tabs(table):
    with pytest.raises(InputError, match=r"suffix is '.xlsx'"):
        read_renamings(table("from,to\n", "rename.xlsx"))
    with pytest.raises(InputError, match="set apart by tabs"):
        read_renamings(table("from,to\n", "rename.tsv"))


def test_batches_are_checked_once_they_are_known(table):
    path = table("batch,from,to\nwed,CD8a,CD8\n")
    assert read_renamings(path) == [Renaming("wed", "CD8a", "CD8", "line 2")]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("tue,CD9,x", "line 2: batch 'tue' has no column 'CD9'; did you mean CD19"),
        ("tue,HLA-DR,x", "has no column 'HLA-DR' .mon has.; there are 146Nd_CD8a, CD3e and CD19"),
        (",CD20,x", "line 2: no batch has a column 'CD20'; there are CD3, CD8, HLA-DR, 146Nd_CD8a, CD3e"),
        (",HLA,x", "line 2: no batch has a column 'HLA'; did you mean HLA-DR"),
        ("tue,CD3e,CD19", "CD3e and CD19 of batch 'tue' would both be called 'CD19'"),
        ("tue,CD3e,cd8\ntue,CD19,cd8", "CD3e and CD19 of batch 'tue' would both be called 'cd8'"),
        (
            "tue,CD3e,CD3\n,CD3e,CD3epsilon",
            "line 3: 'CD3e' of batch 'tue' is renamed already, to 'CD3' by line 2",
        ),
        ("mon,HLADR,HLA-DR", "line 2: 'HLADR' is called 'HLA-DR' already"),
    ],
)
def test_columns_that_cannot_be_renamed_so(batches, table, line, told):
    path = table(f"batch,from,to\n{line}\n")
    with pytest.raises(PanelError) as caught:
        rename_by_table(batches, path)
    assert re.search(told, str(caught.value))
    assert str(caught.value).endswith(f"in {path}")


def test_a_name_that_could_be_two_columns():
    given = batches_from_adata({"a": cells("CD45 (Y89Di)", "CD45 (Cd112Di)", "CD3")})
    with pytest.raises(PanelError, match=r"'CD45' could be CD45 \(Y89Di\) or CD45 \(Cd112Di\) in batch 'a'"):
        rename_columns(given, [Renaming("a", "CD45", "x", "line 2")])
    (renamed,) = rename_columns(given, [Renaming("a", "CD45 (Y89Di)", "CD45", "line 2")])
    assert list(renamed.adata.var_names) == ["CD45", "CD45 (Cd112Di)", "CD3"]


@pytest.mark.parametrize(
    ("rename", "told"),
    [
        ({}, "it is empty"),
        ({"tue": {}}, "it is empty"),
        ({"CD8a": "CD8"}, r"it is {'CD8a': 'CD8'}; expected new names by old ones.*{'\*': {'CD8a': 'CD8'}}"),
        ([("CD8a", "CD8")], "expected new names by old ones"),
        ({"wed": {"CD8a": "CD8"}}, "'wed', 'CD8a': there is no batch 'wed'; the batches are mon, tue"),
        ({"tue": {"CD9": "CD8"}}, "'tue', 'CD9': batch 'tue' has no column 'CD9'"),
        ({"tue": {"CD3e": " "}}, "the new name ' ' cannot be used"),
    ],
)
def test_what_python_cannot_mean(batches, rename, told):
    with pytest.raises(InputError, match=told) as caught:
        rename_in_memory(batches, rename)
    assert caught.value.__notes__ == ["in rename"]


@pytest.fixture(scope="module")
def blood():
    """Two batches; the second calls CD8a otherwise, and has a marker under a wrong name."""
    one, two = cellgan.simulate(n_cells=200, n_markers=6, seed=3)
    other = two.copy()
    other.var_names = [{"CD8a": "CD8", "CD4": "CD4_old"}.get(name, name) for name in two.var_names]
    return one, two, other


def test_an_alignment_as_if_the_names_had_been_the_same(blood):
    one, two, other = blood
    told = {"tue": {"CD8": "CD8a", "CD4_old": "CD4"}}
    before = list(other.var_names)
    done = cellgan.align({"mon": one, "tue": other}, config=FAST, rename=told)
    assert list(other.var_names) == before
    same = cellgan.align({"mon": one, "tue": two}, config=FAST)
    assert list(done.adata.var_names) == list(same.adata.var_names) == list(one.var_names)
    np.testing.assert_array_equal(done.adata.layers["aligned"], same.adata.layers["aligned"])
    assert "tue: renamed as told: CD4_old to CD4, CD8 to CD8a" in " ".join(done.report["warnings"])
    alone = cellgan.align({"mon": one, "tue": other}, config=FAST)
    assert alone.adata.n_vars == 8
    assert any("a line tue,CD8,CD8a" in note for note in alone.report["warnings"])


def test_the_model_takes_cells_under_the_names_that_their_file_has(blood, tmp_path):
    one, _, other = blood
    done = cellgan.align(
        {"mon": one, "tue": other}, config=FAST, rename={"tue": {"CD8": "CD8a", "CD4_old": "CD4"}}
    )
    done.save(tmp_path / "a.model")
    mapped = cellgan.load(tmp_path / "a.model").map(other)
    assert list(mapped.var_names) == list(other.var_names)
    moved = done.adata[done.adata.obs["batch"] == "tue"].layers["aligned"]
    np.testing.assert_array_equal(mapped.layers["aligned"], moved)


def test_controls_have_the_names_of_their_batch(blood):
    one, two, other = blood
    named = {"mon": one, "tue": other}
    done = cellgan.align(named, config=FAST, anchors=named, rename={"tue": {"CD8": "CD8a", "CD4_old": "CD4"}})
    same = cellgan.align({"mon": one, "tue": two}, config=FAST, anchors={"mon": one, "tue": two})
    np.testing.assert_array_equal(done.adata.layers["aligned"], same.adata.layers["aligned"])


def test_files_and_a_table(blood, tmp_path, table):
    one, _, other = blood
    one.write_h5ad(tmp_path / "mon.h5ad")
    other.write_h5ad(tmp_path / "tue.h5ad")
    path = table("from,to\nCD8,CD8a\nCD4_old,CD4\n")
    done = align_files([tmp_path / "mon.h5ad", tmp_path / "tue.h5ad"], FAST, rename=path)
    assert list(done.adata.var_names) == list(one.var_names)
    assert done.adata.var["aligned"].all()
