"""Stores of zarr: the same results as of .h5ad files; what is not sound is refused, nothing is unpickled."""

from __future__ import annotations

import errno
import json
import shutil

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import cellgan
from cellgan.atomic import atomic_folder
from cellgan.cytof import cells as in_pieces
from cellgan.cytof import read_write
from cellgan.cytof.align import align_files
from cellgan.cytof.aligned_file import open_parts
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.join import join
from cellgan.cytof.read_write import open_for_map, read_batches, write_whole
from cellgan.cytof.stores import read_whole as read
from cellgan.errors import InputError, OutputError

zarr = pytest.importorskip("zarr")
CONFIG = AlignConfig(method="quantiles", transform="arcsinh", impute=False)
SUFFIXES = [".h5ad", ".zarr"]


@pytest.fixture
def folder(tmp_path):
    """Two batches, each in both forms, with something in every corner."""
    for name, batch in zip(("mon", "tue"), cellgan.simulate(n_cells=150, n_markers=6, seed=2), strict=True):
        batch.obs["drug"] = pd.Categorical(np.where(np.arange(150) % 3 == 0, "IL7", "none"))
        batch.obs["age"] = np.arange(150) / 7
        batch.obs["label"] = [f"é {i}" for i in range(150)]
        batch.obsm["X_umap"] = np.arange(300.0).reshape(150, 2)
        batch.obsp["near"] = sp.csr_matrix(np.eye(150))
        batch.uns["nested"] = {"a": {"b": np.arange(3)}, "text": "x"}
        for suffix in SUFFIXES:
            write_whole(batch, tmp_path / f"{name}{suffix}")
    return tmp_path


@pytest.fixture(scope="module")
def model():
    """Of the batches in the folder."""
    one, two = cellgan.simulate(n_cells=150, n_markers=6, seed=2)
    return cellgan.align({"mon": one, "tue": two}, config=CONFIG).model


@pytest.fixture(scope="module")
def small_model():
    """Of batches with the markers of `cells`."""
    values = np.random.default_rng(0).random((40, 3), dtype=np.float32) * 90
    batches = [
        ad.AnnData(each, var=pd.DataFrame(index=["CD3", "CD4", "CD19"])) for each in (values, values * 2)
    ]
    return cellgan.align(batches, config=CONFIG).model


def assert_same(one: ad.AnnData, other: ad.AnnData) -> None:
    assert set(one.layers) == set(other.layers)
    np.testing.assert_array_equal(one.X, other.X)
    for name in one.layers:
        np.testing.assert_array_equal(one.layers[name], other.layers[name])
    pd.testing.assert_frame_equal(one.obs, other.obs)
    pd.testing.assert_frame_equal(one.var, other.var)


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("out", SUFFIXES)
def test_aligned_from_zarr_and_into_it_is_the_same(folder, monkeypatch, held, out):
    expected = align_files([folder / "mon.h5ad", folder / "tue.h5ad"], CONFIG)
    expected.write(folder / "expected.h5ad")
    if not held:
        monkeypatch.setattr(read_write, "HELD", 0)
        monkeypatch.setattr(in_pieces, "ROWS", 64)
    found = align_files([folder / "mon.zarr", folder / "tue.zarr"], CONFIG)
    (path,) = found.write(folder / f"found{out}")
    assert_same(read(path), read(folder / "expected.h5ad"))
    assert [entry["format"] for entry in found.report["inputs"]] == ["zarr", "zarr"]
    assert found.report["batches"] == expected.report["batches"]
    found.adata.strings_to_categoricals()
    found.write(folder / "again.zarr")
    np.testing.assert_array_equal(
        read(folder / "again.zarr").layers["aligned"], found.adata.layers["aligned"]
    )


@pytest.mark.parametrize("source", SUFFIXES)
@pytest.mark.parametrize("out", SUFFIXES)
def test_mapped_from_either_form_into_either_form(folder, model, source, out):
    expected = model.map(ad.read_h5ad(folder / "tue.h5ad"))
    before = read_write.file_sha256(folder / f"tue{source}")
    model.map_file(open_for_map(folder / f"tue{source}"), folder / f"out{out}")
    assert read_write.file_sha256(folder / f"tue{source}") == before
    found = read(folder / f"out{out}")
    assert_same(found[:, expected.var_names], expected)
    np.testing.assert_array_equal(found.obsm["X_umap"], expected.obsm["X_umap"])
    np.testing.assert_array_equal(found.obsp["near"].toarray(), np.eye(150))
    assert found.uns["nested"]["text"] == "x"
    assert json.loads(found.uns["cellgan"]["config"]) == model.about["config"]


def test_an_fcs_file_becomes_a_store(saved, tmp_path, cells, small_model):
    small_model.map_file(open_for_map(saved("b.fcs")), tmp_path / "out.zarr")
    found = read(tmp_path / "out.zarr")
    np.testing.assert_array_equal(found.X, cells.X)
    assert list(found.obs_names) == [f"b-{i}" for i in range(1, 7)]


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_matrix, np.float64])
@pytest.mark.parametrize("version", [2, 3])
def test_every_kind_of_store_is_read(tmp_path, cells, small_model, kind, version):
    expected = cells.X.copy()
    cells.X = kind(cells.X)
    with ad.settings.override(zarr_write_format=version):
        write_whole(cells, tmp_path / "cells.zarr")
    np.testing.assert_array_equal(np.vstack(list(open_for_map(tmp_path / "cells.zarr").chunks(2))), expected)
    (batch,) = read_batches([tmp_path / "cells.zarr"])
    assert batch.adata.obs_names.tolist() == cells.obs_names.tolist()
    small_model.map_file(open_for_map(tmp_path / "cells.zarr"), tmp_path / "out.zarr")
    assert set(read(tmp_path / "out.zarr").layers) == {"aligned", "aligned_sd"}


def damaged(folder, how):
    """Return a store of two batches' first one that was damaged so, and what is said of it."""
    path = folder / "bad.zarr"
    shutil.copytree(folder / "mon.zarr", path)
    if how == "no store":
        for file in path.glob(".z*"):
            file.unlink()
        return path, "holds neither .zgroup nor zarr.json"
    if how == "no X":
        shutil.rmtree(path / "X")
        zarr.consolidate_metadata(str(path))
        return path, "there are no values"
    if how == "cut":
        chunk = next(file for file in (path / "X").iterdir() if not file.name.startswith("."))
        chunk.write_bytes(chunk.read_bytes()[:20])
        return path, "cannot be read as a zarr store, it may be damaged"
    (path / ".zmetadata").write_text("{")
    return path, "the zarr store is damaged: .zmetadata cannot be read"


@pytest.mark.parametrize("how", ["no store", "no X", "cut", "no JSON"])
@pytest.mark.parametrize("n_held", [0, 1000])
def test_a_damaged_store_is_refused_in_words(folder, monkeypatch, how, n_held):
    monkeypatch.setattr(read_write, "HELD", n_held)
    path, said = damaged(folder, how)
    with pytest.raises(InputError, match=rf"{said}(.|\n)*bad.zarr"):
        read_batches([path])
    with pytest.raises(InputError, match=said):
        list(open_for_map(path).chunks())


def test_nothing_is_unpickled(folder, tmp_path):
    """A codec that unpickles, as version 2 of zarr does, is refused before a single value is read."""
    path, trace = folder / "mon.zarr", tmp_path / "trace"
    payload = f"cos\nmkdir\n(S'{trace}'\ntR.".encode()  # whoever unpickles it makes a folder
    for chunk in (path / "X").iterdir():
        if not chunk.name.startswith("."):
            chunk.write_bytes(payload)
    described = json.loads((path / "X/.zarray").read_text()) | {"compressor": {"id": "pickle"}}
    (path / "X/.zarray").write_text(json.dumps(described))
    (path / ".zmetadata").unlink()
    for n_held in (0, 1000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(read_write, "HELD", n_held)
            with pytest.raises(InputError, match=r"the codec 'pickle'(.|\n)*may run code"):
                read_batches([path])
    assert not trace.exists()


def test_chunks_that_are_not_there_are_told(folder):
    chunk = next(file for file in (folder / "tue.zarr/X").iterdir() if not file.name.startswith("."))
    chunk.unlink()
    (batch,) = read_batches([folder / "tue.zarr"])
    assert "one of its chunks is not there" in batch.notes[0]
    assert open_for_map(folder / "tue.zarr").notes == batch.notes


def test_an_older_store_is_replaced_whole_or_stays(folder, monkeypatch):
    run = align_files([folder / "mon.zarr", folder / "tue.zarr"], CONFIG)
    write_whole(ad.AnnData(np.ones((1, 1))), folder / "out.zarr")
    before = sorted(folder.iterdir())
    with pytest.raises(OutputError, match="exists already"):
        run.write(folder / "out.zarr")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cellgan.cytof.assemble.ad.io.write_elem", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run.write(folder / "out.zarr", overwrite=True)
    assert read(folder / "out.zarr").shape == (1, 1)
    assert sorted(folder.iterdir()) == before
    run.write(folder / "out.zarr", overwrite=True)
    assert read(folder / "out.zarr").shape == (300, 6)
    assert sorted(folder.iterdir()) == before
    for wrong in ("mon.zarr", "folder.zarr"):
        (folder / "folder.zarr").mkdir(exist_ok=True)
        with pytest.raises(OutputError, match=r"also an input|it is a folder"):
            run.write(folder / wrong, overwrite=True)


def interrupted(*_args, **_more):
    raise KeyboardInterrupt


def test_a_full_disk_leaves_no_folder_behind(tmp_path):
    def fill() -> None:
        with atomic_folder(tmp_path / "out.zarr") as part:
            (part / "chunk").write_bytes(b"x")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match="the disk is full"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_aligned_stores_can_be_joined(folder):
    shutil.copytree(folder / "tue.zarr", folder / "wed.zarr")
    for name in ("tue", "wed"):
        run = align_files([folder / "mon.zarr", folder / f"{name}.zarr"], CONFIG)
        run.write(folder / f"{name}_aligned.zarr")
    parts = open_parts([folder / f"{name}_aligned.zarr" for name in ("tue", "wed")])
    assert join(parts, folder / "all.h5ad") == 450
    joined, one = read(folder / "all.h5ad"), read(folder / "tue_aligned.zarr")
    np.testing.assert_array_equal(joined.layers["aligned"][:300], one.layers["aligned"])
