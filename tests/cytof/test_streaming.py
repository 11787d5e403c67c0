"""Copies with what mapping adds: the rest stays as it was, and never more than a few cells are in memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pytest
import scipy.sparse as sp

from cellgan.cytof.batch_map import Mapped
from cellgan.cytof.fcs import write_fcs
from cellgan.cytof.read_write import open_for_map, read_batches, stream_store
from cellgan.errors import InputError, OutputError

KINDS = {"dense": np.asarray, "rows": sp.csr_matrix, "columns": sp.csc_matrix}


@pytest.fixture
def rich(cells):
    """Cells with something in every corner of the object."""
    cells.obs["day"] = cells.obs["day"].astype("category")
    cells.obs["age"] = np.arange(6) / 3
    cells.var["channel"] = ["Er170Di", "Nd145Di", "Nd142Di"]
    cells.layers["truth"] = cells.X * 2
    cells.obsm["X_umap"] = np.arange(12.0).reshape(6, 2)
    cells.obsp["near"] = sp.csr_matrix(np.eye(6))
    cells.uns["nested"] = {"a": {"b": np.arange(3)}, "text": "x"}
    return cells


def moved(chunk: np.ndarray) -> Mapped:
    """Values that went up, off by twice what they are; cells with a first marker above 2 are novel."""
    return Mapped(chunk + 1, chunk * 2, chunk[:, 0] > 2)


def assert_all_but_ours_is_equal(out: Path, source: Path) -> None:
    """Compare two HDF5 files, names, attributes and bytes, but for what cellgan adds."""

    def content(path: Path) -> dict[str, tuple]:
        found = {}

        def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
            value = item[()] if isinstance(item, h5py.Dataset) else None
            value = (
                value.tobytes() if isinstance(value, np.ndarray) and value.dtype != object else repr(value)
            )
            if not name.startswith(("layers/aligned", "uns/cellgan", "obs/cellgan_novel")):
                attributes = {key: repr(a) for key, a in item.attrs.items()}
                if name == "obs":
                    attributes["column-order"] = [
                        column for column in item.attrs["column-order"] if column != "cellgan_novel"
                    ]
                found[name] = (value, attributes)

        with h5py.File(path) as file:
            file.visititems(visit)
            found[""] = (None, {key: repr(a) for key, a in file.attrs.items()})
        return found

    assert content(out) == content(source)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("compression", [None, "gzip"])
def test_a_layer_is_added_and_the_rest_stays_byte_for_byte(tmp_path, rich, kind, compression):
    counts = rich.X.copy()
    rich.X = KINDS[kind](counts)
    source, out = tmp_path / "in.h5ad", tmp_path / "out.h5ad"
    rich.write_h5ad(source, compression=compression)
    before = source.read_bytes()
    cells = open_for_map(source)
    stream_store(cells, out, map(moved, cells.chunks(rows=4)), uns={"model": "m", "n": 1})
    assert source.read_bytes() == before
    assert_all_but_ours_is_equal(out, source)
    result = ad.read_h5ad(out)
    np.testing.assert_array_equal(result.layers["aligned"], counts + 1)
    np.testing.assert_array_equal(result.layers["aligned_sd"], counts * 2)
    assert result.layers["aligned"].dtype == result.layers["aligned_sd"].dtype == np.float32
    assert result.obs["cellgan_novel"].dtype == bool
    assert result.obs["cellgan_novel"].tolist() == [False, False, False, True, True, True]
    assert list(result.obs.columns) == ["day", "age", "cellgan_novel"]
    np.testing.assert_array_equal(result.layers["truth"], counts * 2)
    assert result.uns["cellgan"] == {"model": "m", "n": 1}
    with h5py.File(out) as file:
        assert {file[f"layers/{name}"].compression for name in ("aligned", "aligned_sd")} == {compression}


def test_a_file_of_plain_anndata_gets_its_first_layer(tmp_path, cells):
    cells.write_h5ad(tmp_path / "in.h5ad")
    with h5py.File(tmp_path / "in.h5ad", "r+") as file:
        file.pop("layers", None)
    source = open_for_map(tmp_path / "in.h5ad")
    stream_store(source, tmp_path / "out.h5ad", map(moved, source.chunks()))
    np.testing.assert_array_equal(ad.read_h5ad(tmp_path / "out.h5ad").layers["aligned"], cells.X + 1)


def test_fcs_becomes_a_table_with_both(tmp_path, cells):
    write_fcs(tmp_path / "in.fcs", cells.X, ["a", "b", "c"], list(cells.var_names))
    source = open_for_map(tmp_path / "in.fcs")
    assert (source.n_cells, source.names, source.channels) == (6, ("CD3", "CD4", "CD19"), ("a", "b", "c"))
    stream_store(source, tmp_path / "out.h5ad", map(moved, source.chunks(rows=5)))
    result = ad.read_h5ad(tmp_path / "out.h5ad")
    (whole,) = read_batches([tmp_path / "in.fcs"])
    np.testing.assert_array_equal(result.X, cells.X)
    np.testing.assert_array_equal(result.layers["aligned"], cells.X + 1)
    np.testing.assert_array_equal(result.layers["aligned_sd"], cells.X * 2)
    assert list(result.obs.columns) == [*whole.adata.obs.columns, "cellgan_novel"]
    assert result.obs["cellgan_novel"].tolist() == (cells.X[:, 0] > 2).tolist()
    assert list(result.obs_names) == list(whole.adata.obs_names)
    assert result.var.equals(whole.adata.var)


@pytest.mark.parametrize(
    "what", ["a layer 'aligned'", "a layer 'aligned_sd'", "an obs column 'cellgan_novel'"]
)
def test_what_is_there_already_is_not_replaced(tmp_path, cells, what):
    kind, name = what.split()[1], what.split("'")[1]
    if kind == "layer":
        cells.layers[name] = cells.X
    else:
        cells.obs[name] = True
    cells.write_h5ad(tmp_path / "in.h5ad")
    source = open_for_map(tmp_path / "in.h5ad")
    with pytest.raises(InputError, match=f"there is {what} already"):
        stream_store(source, tmp_path / "out.h5ad", map(moved, source.chunks()))
    assert not (tmp_path / "out.h5ad").exists()


def test_a_file_of_an_old_anndata_is_refused_in_words(tmp_path):
    """Before 0.7, a table was an array of records."""
    with h5py.File(tmp_path / "old.h5ad", "w") as file:
        file["X"] = np.ones((2, 1), dtype=np.float32)
        for name, index in (("obs", [b"c1", b"c2"]), ("var", [b"CD3"])):
            file[name] = np.array([(one,) for one in index], dtype=[("index", "S3")])
    with pytest.raises(InputError, match=r"anndata before 0\.7 wrote this file.*write it again"):
        open_for_map(tmp_path / "old.h5ad")


def test_a_bad_value_far_down_leaves_nothing_behind(tmp_path, cells):
    cells.X[5, 1] = np.nan
    cells.write_h5ad(tmp_path / "in.h5ad")
    (tmp_path / "out.h5ad").write_text("older result")
    source = open_for_map(tmp_path / "in.h5ad")
    with pytest.raises(InputError, match=r"NaN values in 1 marker: CD4 \(1 cell\)"):
        stream_store(source, tmp_path / "out.h5ad", map(moved, source.chunks(rows=2)))
    assert (tmp_path / "out.h5ad").read_text() == "older result"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.h5ad", "out.h5ad"]


def test_a_missing_folder_for_the_output(tmp_path, cells):
    cells.write_h5ad(tmp_path / "in.h5ad")
    source = open_for_map(tmp_path / "in.h5ad")
    with pytest.raises(OutputError, match="does not exist"):
        stream_store(source, tmp_path / "none" / "out.h5ad", map(moved, source.chunks()))


def test_too_few_cells_for_the_layer(tmp_path, cells):
    cells.write_h5ad(tmp_path / "in.h5ad")
    with pytest.raises(ValueError, match="4 cells were given for a file of 6"):
        stream_store(open_for_map(tmp_path / "in.h5ad"), tmp_path / "out.h5ad", [moved(cells.X[:4])])
    assert not (tmp_path / "out.h5ad").exists()


@pytest.mark.parametrize("suffix", ["h5ad", "fcs"])
def test_memory_does_not_grow_with_the_file(tmp_path, suffix):
    n_cells, n_markers, rows = 60_000, 20, 2_000
    values = np.random.default_rng(0).random((n_cells, n_markers), dtype=np.float32)
    path = tmp_path / f"in.{suffix}"
    if suffix == "h5ad":
        ad.AnnData(values).write_h5ad(path)
    else:
        write_fcs(path, values, [f"c{i}" for i in range(n_markers)], [""] * n_markers)
    source = open_for_map(path)
    chunk_bytes = rows * n_markers * 4
    tracemalloc.start()
    for chunk in source.chunks(rows):
        assert chunk.nbytes <= chunk_bytes
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * chunk_bytes < values.nbytes / 3
