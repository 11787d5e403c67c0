"""Controls: the table that names them, the ones in memory, and control cells within a batch."""

from __future__ import annotations

import re

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from cellgan.cytof.anchor_table import read_anchor_table
from cellgan.cytof.anchors import anchor_rows, anchors_in_memory, check_tied, read_anchors
from cellgan.cytof.input_files import batch_of
from cellgan.cytof.read_write import CellBatch, InMemory
from cellgan.errors import ConfigError, InputError

BATCHES = ("mon", "tue", "wed")


@pytest.fixture
def table(tmp_path, saved):
    """Write a table of anchors beside a folder with two controls."""
    saved("controls/c1.h5ad")
    saved("controls/c2.fcs")

    def write(text: str | bytes, name: str = "anchors.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_controls_are_read_under_the_names_of_their_batches(table, cells, monkeypatch, tmp_path):
    path = table("batch,file\ntue,controls/c2.fcs\nmon,controls/c1.h5ad\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = read_anchors(path, batches=BATCHES)
    assert {name: (own.name, own.format) for name, own in found.items()} == {
        "mon": ("mon", "h5ad"),
        "tue": ("tue", "fcs"),
    }
    assert found["mon"].path == tmp_path / "controls/c1.h5ad"
    assert len(found["mon"].sha256) == 64
    for own in found.values():
        np.testing.assert_array_equal(own.adata.X, cells.X)


def test_a_file_may_be_named_from_the_root(table, tmp_path):
    path = table(f"batch,file\nmon,{tmp_path}/controls/c1.h5ad\n")
    assert read_anchor_table(path) == {"mon": tmp_path / "controls/c1.h5ad"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "batch,file\nmon,controls/c1.h5ad\n"),
        ("a.CSV", "\ufeff Batch , FILE\n\n  mon , controls/c1.h5ad \n\n,,\n"),
        ("a.csv", 'note,file,batch,day\r\n"spilt, a bit",controls/c1.h5ad,mon,\r\n'),
        ("a.csv", "batch,file\nmon,controls/c1.h5ad,,\n"),
        ("a.tsv", "file\tbatch\ncontrols/c1.h5ad\tmon\n"),
    ],
)
def test_tables_as_people_write_them(table, tmp_path, name, text):
    assert read_anchor_table(table(text, name), batches=BATCHES) == {"mon": tmp_path / "controls/c1.h5ad"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the table is empty"),
        ("\n ,\n", "the table is empty"),
        ("batch,file\n\n", "lists no control"),
        ("batch\nmon\n", "there is no column 'file' in line 1, which has 'batch'"),
        ("batch;file\nmon;x\n", "no column 'batch' in line 1, which has 'batch;file'; .*set apart by commas"),
        ("batch,file,Batch\nmon,x,y\n", "there is more than one column 'batch'"),
        (
            "batch,file\nsun,controls/c1.h5ad\n",
            "line 2, column batch: there is no batch 'sun'.*mon, tue",
        ),
        (
            "batch,file\nmon,controls/c1.h5ad\n\nmon,controls/c2.fcs\n",
            "line 4, column batch: 'mon' is listed a second time",
        ),
        (
            "batch,file\nmon,controls/c1.h5ad\ntue,./controls/c1.h5ad\n",
            "line 3, column file: ./controls/c1.h5ad is the control of 'mon' already",
        ),
        ("batch,file\nmon,\n", "line 2, column file: there is no value"),
        ("batch,file\nmon\n", "line 2, column file: there is no value"),
        ("batch,file\n,controls/c1.h5ad\n", "line 2, column batch: there is no value"),
        ("batch,file\nmon,controls/c,1.h5ad\n", "line 2 has 3 values for 2 columns"),
        ("batch,file\nmon,controls/c9.h5ad\n", "no file '.*controls/c9.h5ad'(.|\n)*in line 2, column file"),
        ("batch,file\nmon,controls\n", "not a file(.|\n)*in line 2, column file"),
        ("batch,file\nmon,anchors.csv\n", "expected .h5ad, .zarr or .fcs(.|\n)*in line 2, column file"),
        ("batch,file\nmon,controls/c1.h5ad\n".encode("utf-16"), "cannot be read as text"),
    ],
)
def test_tables_that_cannot_be_used(table, text, told):
    path = table(text)
    with pytest.raises(InputError) as caught:
        read_anchors(path, batches=BATCHES)
    assert re.search(told, str(caught.value))
    assert str(caught.value).endswith(f"in {path}")


def test_a_table_of_another_kind_or_none_at_all(table, tmp_path):
    with pytest.raises(InputError, match=r"suffix is '.xlsx'; expected a table that ends in .csv"):
        read_anchor_table(table("batch,file\n", "anchors.xlsx"))
    with pytest.raises(InputError, match="No such file"):
        read_anchor_table(tmp_path / "none.csv")


def test_tabs_are_told_as_tabs(table):
    with pytest.raises(InputError, match="set apart by tabs"):
        read_anchor_table(table("batch,file\n", "anchors.tsv"))


def test_names_are_checked_once_they_are_known(table):
    path = table("batch,file\nsun,controls/c1.h5ad\n")
    assert list(read_anchor_table(path)) == ["sun"]
    with pytest.raises(InputError, match="there is no batch 'sun'"):
        read_anchor_table(path, batches=BATCHES)


def test_a_control_that_is_damaged_is_named(table, tmp_path):
    (tmp_path / "controls/c1.h5ad").write_text("nothing of the sort")
    with pytest.raises(InputError, match=r"not an .h5ad file(.|\n)*in .*controls/c1.h5ad"):
        read_anchors(table("batch,file\nmon,controls/c1.h5ad\n"), batches=BATCHES)


def test_controls_in_memory_are_copied(cells):
    before = cells.X.copy()
    found = anchors_in_memory({"tue": cells, "mon": cells[:4].copy()}, batches=BATCHES)
    assert {name: (own.name, own.adata.n_obs) for name, own in found.items()} == {
        "tue": ("tue", 6),
        "mon": ("mon", 4),
    }
    found["tue"].adata.X[:] = 0
    np.testing.assert_array_equal(cells.X, before)


def test_controls_in_memory_that_cannot_be_used(cells):
    with pytest.raises(InputError, match="there is no batch 'sun'; the batches are mon, tue, wed"):
        anchors_in_memory({"sun": cells}, batches=BATCHES)
    with pytest.raises(InputError, match="anchors is empty"):
        anchors_in_memory({}, batches=BATCHES)
    with pytest.raises(InputError, match="anchors is a list; expected a dict of AnnData"):
        anchors_in_memory([cells], batches=BATCHES)
    with pytest.raises(InputError, match=r"same AnnData was given twice(.|\n)*in anchors"):
        anchors_in_memory({"mon": cells, "tue": cells}, batches=BATCHES)
    bad = cells.copy()
    bad.X[0, 0] = np.nan
    with pytest.raises(InputError, match=r"NaN(.|\n)*in batch 'tue'(.|\n)*in anchors"):
        anchors_in_memory({"mon": cells, "tue": bad}, batches=BATCHES)


def batch_with(column, **more) -> CellBatch:
    adata = ad.AnnData(np.zeros((len(column), 2), dtype=np.float32))
    adata.obs["sample"] = column
    return CellBatch(name="one", cells=InMemory(adata), **more)


@pytest.mark.parametrize(
    "column",
    [
        [True, False, True, False],
        [1, 0, 1, 0],
        [1.0, 0.0, 1.0, np.nan],
        ["yes", "no", "Yes ", ""],
        pd.Categorical(["TRUE", None, "true", "False"]),
        pd.array([True, None, True, False], dtype="boolean"),
        np.array([True, None, True, False], dtype=object),
    ],
)
def test_control_cells_are_where_the_column_says_yes(column):
    rows = anchor_rows(batch_with(column), "sample")
    assert rows.tolist() == [0, 2]
    assert rows.dtype == np.intp


@pytest.mark.parametrize(
    ("column", "key", "rows"),
    [
        (["control", "p1", "control ", None], "sample=control", [0, 2]),
        (["control", "p1", "Control", None], "sample=control", [0]),
        (["p=1", "p1", "", "p=1"], "sample=p=1", [0, 3]),
        ([3, 1, 3, 0], "sample=3", [0, 2]),
        ([3.0, 1.0, 3.0, np.nan], "sample=3", [0, 2]),
        ([True, False, False, True], "sample=true", [0, 3]),
        (["yes", "no", "no", "yes"], "sample=no", [1, 2]),
        (["", "p1", None, "p1"], "sample=", []),
    ],
)
def test_control_cells_may_be_marked_by_any_value(column, key, rows):
    assert anchor_rows(batch_with(column), key).tolist() == rows


def test_a_column_with_a_sign_of_equality_in_its_name():
    batch = batch_with(["no"] * 3)
    batch.adata.obs["dose=0"] = [1, 0, 1]
    assert anchor_rows(batch, "dose=0").tolist() == [0, 2]


@pytest.mark.parametrize(
    ("column", "key"), [([0, 0], "sample"), ([None, None], "sample"), (["p1", "p2"], "sample=control")]
)
def test_a_batch_may_hold_no_control(column, key):
    rows = anchor_rows(batch_with(column), key)
    assert (rows.size, rows.dtype) == (0, np.intp)


def test_a_column_that_is_not_yes_or_no_is_shown_with_a_proposal():
    with pytest.raises(InputError) as caught:
        anchor_rows(batch_with(["control", "p2", "yes", "p1"]), "sample")
    told = str(caught.value)
    assert "'sample' of batch 'one' holds 'control', 'p1', 'p2' and 'yes'" in told
    assert "--anchor-key 'sample=control'" in told
    with pytest.raises(InputError, match=r"holds '0', '1' and '2'; .*--anchor-key 'sample=2'"):
        anchor_rows(batch_with([0, 1, 2]), "sample")


@pytest.mark.parametrize("key", ["control", "control=yes"])
def test_a_column_that_is_not_there_is_named_with_those_that_are(key, tmp_path):
    with pytest.raises(InputError, match=r"batch 'one' has no obs column 'control'.*its obs has sample$"):
        anchor_rows(batch_with([1, 0]), key)
    fcs = CellBatch(
        name="one", cells=InMemory(ad.AnnData(np.zeros((2, 2)))), format="fcs", path=tmp_path / "one.fcs"
    )
    with pytest.raises(InputError, match=r"no column at all: .fcs files hold no.*\nin .*one.fcs"):
        anchor_rows(fcs, key)


def test_controls_must_tie_a_batch_to_the_reference():
    said = "--anchor-key sample=control"
    check_tied({"mon": 5, "tue": 0, "wed": 3}, reference="mon", said=said)
    with pytest.raises(InputError, match=r"sample=control: no batch holds a control cell"):
        check_tied({"mon": 0, "tue": 0}, reference="mon", said=said)
    with pytest.raises(InputError, match=r"'tue' has no control.*mon and wed: name one.*--reference"):
        check_tied({"mon": 5, "tue": 0, "wed": 3}, reference="tue", said=said)
    with pytest.raises(InputError, match=r"only the reference 'mon' has a control"):
        check_tied({"mon": 5, "tue": 0}, reference="mon", said=said)


def test_consensus_stands_for_all_batches_unless_one_is_called_so(tmp_path):
    paths = [tmp_path / "mon.h5ad", tmp_path / "tue.h5ad"]
    assert batch_of("consensus", paths) == "consensus"
    paths.append(tmp_path / "consensus.h5ad")
    assert batch_of("tue", paths) == "tue"
    for typed in ("consensus", "consensus.h5ad", str(paths[-1])):
        with pytest.raises(ConfigError, match=r"one of the batches is called so: give its file another name"):
            batch_of(typed, paths)
