"""Every input that cannot be used ends in one clear message, exit code 1, and no file touched or left."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from cellgan.cytof.fcs_write import write_fcs

MARKERS = ["CD3", "CD4", "CD8", "CD19", "CD45"]


def cells(n: int = 600, markers: list[str] = MARKERS, *, seed: int = 0) -> ad.AnnData:
    """Give ion counts of two types of cells."""
    rng = np.random.default_rng(seed)
    bright = rng.random((n, 1)) < np.linspace(0.2, 0.8, len(markers))
    x = np.sinh(np.where(bright, rng.normal(4, 0.5, bright.shape), rng.normal(0.5, 0.3, bright.shape))) * 5
    names = [f"cell{seed}_{i}" for i in range(n)]
    return ad.AnnData(x.astype(np.float32), obs=pd.DataFrame(index=names), var=pd.DataFrame(index=markers))


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def no_cells(path: Path) -> None:
    cells()[:0].copy().write_h5ad(path)


def one_cell(path: Path) -> None:
    cells(1).write_h5ad(path)


def with_nan(path: Path) -> None:
    batch = cells(seed=1)
    batch.X[:3, 2] = np.nan
    batch.write_h5ad(path)


def with_inf(path: Path) -> None:
    batch = cells(seed=1)
    batch.X[5, 1] = np.inf
    batch.write_h5ad(path)


def cell_twice(path: Path) -> None:
    batch = cells(seed=1)
    batch.obs_names = ["the_cell", "the_cell", *batch.obs_names[2:]]
    batch.write_h5ad(path)


def marker_twice(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # anndata warns of what is meant here
        cells(markers=["CD3", "CD3", "CD8"], seed=1).write_h5ad(path)


def truncated(path: Path) -> None:
    cells(seed=1).write_h5ad(path)
    cut_short(path)


def text(path: Path) -> None:
    path.write_text("CD3,CD4\n1,2\n")


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def other_panel(path: Path) -> None:
    cells(markers=["Ki67", "FoxP3", "CCR7", "PD-1"], seed=1).write_h5ad(path)


def one_in_common(path: Path) -> None:
    cells(markers=["CD3", "FoxP3", "CCR7", "PD-1"], seed=1).write_h5ad(path)


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def refused(cellgan, folder: Path, *words: object) -> str:
    before = hashes(folder)
    result = cellgan("align", *words)
    assert result.exit_code == 1, (result.output, result.exception)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert hashes(folder) == before
    return result.stderr


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells().write_h5ad(tmp_path / "good.h5ad")
    return tmp_path


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (no_cells, ["no cells"]),
        (one_cell, ["at least two"]),
        (with_nan, ["CD8", "3"]),
        (with_inf, ["CD4", "1"]),
        (cell_twice, ["the_cell", "more than once"]),
        (marker_twice, ["CD3", "more than once"]),
        (truncated, ["truncated"]),
        (text, ["not an .h5ad file"]),
        (nothing, ["empty"]),
        (other_panel, ["no marker is shared", "Ki67", "CD45"]),
        (one_in_common, ["only one marker", "CD3", "FoxP3"]),
    ],
)
def test_bad_h5ad(cellgan, place, make, said):
    make(place / "bad.h5ad")
    message = refused(cellgan, place, "good.h5ad", "bad.h5ad")
    for words in ["bad", *said]:
        assert words in message


def test_truncated_fcs(cellgan, place):
    counts = cells(seed=1)
    write_fcs(place / "bad.fcs", counts.X, [f"Nd14{i}Di" for i in range(5)], MARKERS)
    cut_short(place / "bad.fcs")
    message = refused(cellgan, place, "good.h5ad", "bad.fcs")
    assert "bad.fcs" in message


def test_arcsinh_of_values_that_are_transformed_already(cellgan, place):
    for seed, name in enumerate(["a", "b"]):
        batch = cells(seed=seed)
        batch.X = np.arcsinh(batch.X / 5)
        batch.write_h5ad(place / f"{name}.h5ad")
    message = refused(cellgan, place, "a.h5ad", "b.h5ad", "--transform", "arcsinh")
    assert "--transform none" in message


def test_batches_of_different_scales(cellgan, place):
    batch = cells(seed=1)
    batch.X = np.arcsinh(batch.X / 5)
    batch.write_h5ad(place / "b.h5ad")
    assert "different scales" in refused(cellgan, place, "good.h5ad", "b.h5ad")


def test_reference_that_no_batch_is_called(cellgan, place):
    cells(seed=1).write_h5ad(place / "b.h5ad")
    result = cellgan("align", "good.h5ad", "b.h5ad", "--reference", "goood")
    assert result.exit_code == 2
    assert "good, b" in result.stderr


def test_marker_that_a_batch_lacks(cellgan, place):
    cells(seed=1).write_h5ad(place / "b.h5ad")
    message = refused(cellgan, place, "good.h5ad", "b.h5ad", "--markers", "CD3,CD44")
    assert "CD44" in message
    assert "CD45" in message


def test_batch_key_that_is_not_there(cellgan, place):
    result = cellgan("align", "good.h5ad", "--batch-key", "plate")
    assert result.exit_code in {1, 2}
    assert "plate" in result.stderr
