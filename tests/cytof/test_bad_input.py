"""Every kind of file that is refused, in plain words that name it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pytest
import scipy.sparse as sp

from cellgan.cytof.fcs import write_fcs
from cellgan.cytof.read_write import batches_from_adata, open_for_map, read_batches
from cellgan.errors import InputError


def refused(path: Path, message: str) -> str:
    """Check that a file is refused by both readers, and that the error names it."""
    with pytest.raises(InputError, match=message) as stopped:
        read_batches([path])
    assert str(path) in str(stopped.value)
    with pytest.raises(InputError, match=message) as streamed:
        list(open_for_map(path).chunks())
    assert str(path) in str(streamed.value)
    return str(stopped.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"no file '.*gone\.h5ad'"):
        read_batches([tmp_path / "gone.h5ad"])
    with pytest.raises(InputError, match="is not a file"):
        read_batches([tmp_path])


@pytest.mark.parametrize("name", ["cells.h5ad", "cells.fcs"])
def test_an_empty_file(tmp_path, name):
    (tmp_path / name).touch()
    refused(tmp_path / name, "the file is empty")


@pytest.mark.parametrize("name", ["cells.csv", "cells", "cells.h5"])
def test_another_suffix(tmp_path, name):
    (tmp_path / name).write_text("CD3,CD4\n1,2\n")
    refused(tmp_path / name, r"expected .h5ad, .zarr or .fcs")


@pytest.mark.parametrize(
    ("name", "message"), [("t.h5ad", "not an .h5ad file: it begins"), ("t.fcs", "not an FCS file")]
)
def test_a_text_file_under_another_name(tmp_path, name, message):
    (tmp_path / name).write_text("CD3,CD4\n1,2\n")
    assert "CD3,CD4" in refused(tmp_path / name, message)


def test_an_hdf5_file_that_holds_no_cells(tmp_path):
    with h5py.File(tmp_path / "x.h5ad", "w") as file:
        file["numbers"] = [1, 2, 3]
    refused(tmp_path / "x.h5ad", "cannot be read as an .h5ad file|there are no values")


@pytest.mark.parametrize("name", ["cells.h5ad", "cells.fcs"])
def test_truncated_anywhere(saved, name):
    path = saved(name)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for length in rng.integers(1, len(whole) - 1, 30):
        path.write_bytes(whole[:length])
        refused(path, ".")
    path.write_bytes(whole[: len(whole) - 10])
    refused(path, "truncated")


def test_an_fcs_file_damaged_anywhere(saved):
    # For HDF5 this would test the C library, which is known to crash on some files.
    path = saved("cells.fcs")
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refusals = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 5):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            read_batches([path])
        except InputError as error:
            assert str(path) in str(error)  # noqa: PT017 -- either outcome is fine, other errors are not
            refusals += 1
    assert 50 < refusals < 300


def test_an_h5ad_file_with_a_damaged_encoding(saved):
    path = saved()
    with h5py.File(path, "r+") as file:
        file.attrs["encoding-type"] = file["obs"].attrs["encoding-type"] = "nonsense"
    with pytest.raises(InputError, match="may be damaged: IORegistryError"):
        read_batches([path])


def test_real_files_truncated(real_cells, tmp_path):
    for name in ("controls_volunteer1.h5ad", "Gates_PTLG021_Unstim_Control_1.fcs", "sample_masscyt.fcs"):
        whole = (real_cells / name).read_bytes()
        path = tmp_path / name
        for length in np.random.default_rng(1).integers(1, len(whole) - 100, 30):
            path.write_bytes(whole[:length])
            with pytest.raises(InputError):
                read_batches([path])


def test_no_cells_and_one_cell(tmp_path, cells):
    for n_cells in (0, 1):
        cells[:n_cells].copy().write_h5ad(tmp_path / "few.h5ad")
        write_fcs(tmp_path / "few.fcs", cells.X[:n_cells], ["a", "b", "c"], ["", "", ""])
        for path in (tmp_path / "few.h5ad", tmp_path / "few.fcs"):
            if n_cells:  # too few to be aligned, but enough to be mapped
                with pytest.raises(InputError, match="there is only one cell"):
                    read_batches([path])
                assert [len(chunk) for chunk in open_for_map(path).chunks()] == [1]
            else:
                refused(path, "there are no cells")


@pytest.mark.parametrize("letter", ["\x00", "\n", "\x1b", "\x85", "\udcff"])
def test_names_with_letters_that_cannot_be_shown(tmp_path, cells, letter):
    told = re.escape(repr(letter))
    cells.obs["day"] = [f"a{letter}", "b"] * 3
    with pytest.raises(InputError, match=f"obs column 'day', 'a.*cannot be used as a name: it holds {told}"):
        batches_from_adata(cells, batch_key="day")
    with pytest.raises(InputError, match=f"the batch 'a.*cannot be used as a name: it holds {told}"):
        batches_from_adata({f"a{letter}": cells, "b": cells.copy()})
    with pytest.raises(InputError, match=f"the file 'a.*cannot be used as a name: it holds {told}"):
        read_batches([Path(f"a{letter}.h5ad")])


def test_blank_names(cells):
    cells.obs["day"] = ["", "b"] * 3
    with pytest.raises(InputError, match="cannot be used as a name: it is blank"):
        batches_from_adata(cells, batch_key="day")


def test_no_markers(tmp_path, cells):
    cells[:, :0].copy().write_h5ad(tmp_path / "none.h5ad")
    refused(tmp_path / "none.h5ad", "there are no markers")


def test_values_that_are_no_numbers_are_counted_by_marker(tmp_path, cells):
    cells.X[[1, 3], 0] = np.nan
    cells.X[2, 1] = -np.inf
    cells.write_h5ad(tmp_path / "bad.h5ad")
    message = refused(tmp_path / "bad.h5ad", "NaN")
    assert "NaN values in 1 marker: CD3 (2 cells); infinite values in 1 marker: CD4 (1 cell)" in message


def test_values_beyond_float32_are_infinite(tmp_path, cells):
    cells.X = cells.X.astype(np.float64)
    cells.X[0, 2] = 1e300
    cells.write_h5ad(tmp_path / "huge.h5ad")
    refused(tmp_path / "huge.h5ad", r"infinite values in 1 marker: CD19")


def test_names_that_occur_twice(tmp_path, cells):
    twice = cells.copy()
    twice.obs_names = ["a", "b", "a", "c", "d", "b"]
    twice.write_h5ad(tmp_path / "cells.h5ad")
    refused(tmp_path / "cells.h5ad", r"cell names occur more than once: 'a', 'b'\. Use adata")
    twice = cells.copy()
    twice.var_names = ["CD3", "CD4", "CD3"]
    twice.write_h5ad(tmp_path / "markers.h5ad")
    refused(tmp_path / "markers.h5ad", "marker names occur more than once: 'CD3'")


def test_a_table_of_words(tmp_path, cells):
    cells.layers["words"] = np.full(cells.shape, "high", dtype=object)
    cells.write_h5ad(tmp_path / "words.h5ad")
    with h5py.File(tmp_path / "words.h5ad", "r+") as file:
        del file["X"]
        file.move("layers/words", "X")
    refused(tmp_path / "words.h5ad", "expected numbers")


def test_no_table(tmp_path, cells):
    ad.AnnData(obs=cells.obs, var=cells.var).write_h5ad(tmp_path / "none.h5ad")
    refused(tmp_path / "none.h5ad", "X is empty")


def test_sparse_indices_outside_the_table(tmp_path, cells):
    cells.X = sp.csr_matrix(cells.X)
    cells.write_h5ad(tmp_path / "cells.h5ad")
    with h5py.File(tmp_path / "cells.h5ad", "r+") as file:
        file["X/indices"][3] = 10_000_000
    refused(tmp_path / "cells.h5ad", "damaged")


def test_the_same_file_under_any_spelling(saved, tmp_path, monkeypatch):
    path = saved()
    (tmp_path / "link.h5ad").symlink_to(path)
    os.link(path, tmp_path / "hard.h5ad")
    monkeypatch.chdir(tmp_path)
    for other in (
        path,
        tmp_path / "link.h5ad",
        tmp_path / "hard.h5ad",
        Path("cells.h5ad"),
        tmp_path / "." / "cells.h5ad",
    ):
        with pytest.raises(InputError, match="given twice"):
            read_batches([path, other])
