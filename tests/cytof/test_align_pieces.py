"""Batches that stay in their files: the same results as of those that are held in memory, to the last bit."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import cellgan
from cellgan.cytof import cells as in_pieces
from cellgan.cytof import impute, read_write
from cellgan.cytof.align import align_files
from cellgan.cytof.cells import InMemory, OnDisk
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.fcs import write_fcs
from cellgan.cytof.read_write import read_batches
from cellgan.cytof.regression import fit_network
from cellgan.errors import InputError

CONFIG = AlignConfig(method="quantiles", transform="arcsinh")
WAYS = {
    "plain": replace(CONFIG, method="matched", rounds=4, impute=False),
    "imputed": CONFIG,
    "condition": replace(CONFIG, condition="drug", impute=False),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three batches; one column of each is lacking in the others, some cells' names are in all."""
    place = tmp_path_factory.mktemp("batches")
    one, two = cellgan.simulate(n_cells=330, n_markers=8, seed=2)
    three = cellgan.simulate(n_cells=170, n_markers=8, seed=5)[1]
    for number, (name, whole) in enumerate({"mon": one, "tue": two, "wed": three}.items()):
        batch = whole[:, [i for i in range(8) if i != 5 + number]].copy()
        batch.obs["drug"] = pd.Categorical(np.where(np.arange(batch.n_obs) % 3 == 0, "IL7", "none"))
        batch.obs["age"] = np.arange(batch.n_obs) / 7
        if name == "wed":
            batch.obs["only here"] = [f"text {i}" for i in range(batch.n_obs)]
        batch.write_h5ad(place / f"{name}.h5ad")
        write_fcs(place / f"{name}.fcs", batch.X, [""] * 7, list(batch.var_names))
    return place


@pytest.fixture(scope="module", autouse=True)
def short_game():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(impute, "fit_network", partial(fit_network, rounds=20))
        yield


@pytest.fixture
def in_files(monkeypatch):
    """Let no batch be held in memory, and few cells at a time be read."""

    def switch() -> None:
        monkeypatch.setattr(read_write, "HELD", 0)
        monkeypatch.setattr(in_pieces, "ROWS", 64)

    return switch


def inputs(folder, suffix=".h5ad"):
    return [folder / f"{name}{suffix}" for name in ("mon", "tue", "wed")]


def assert_same_content(one: ad.AnnData, other: ad.AnnData) -> None:
    assert list(one.layers) == list(other.layers)
    for name in (None, *one.layers):
        a, b = (own.X if name is None else own.layers[name] for own in (one, other))
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    pd.testing.assert_frame_equal(one.obs, other.obs)
    pd.testing.assert_frame_equal(one.var, other.var)
    assert one.uns["cellgan"] == other.uns["cellgan"]


@pytest.mark.parametrize("way", WAYS)
def test_what_stays_in_its_file_is_aligned_the_same(folder, tmp_path, in_files, way):
    held = align_files(inputs(folder), WAYS[way])
    held.write(tmp_path / "held.h5ad")
    in_files()
    read = align_files(inputs(folder), WAYS[way])
    assert {type(batch.cells) for batch in held._run.batches} == {InMemory}
    assert {type(batch.cells) for batch in read._run.batches} == {OnDisk}
    read.write(tmp_path / "read.h5ad")
    results = [ad.read_h5ad(tmp_path / f"{name}.h5ad") for name in ("held", "read")]
    assert_same_content(*results)
    assert json.dumps(held.report) == json.dumps(read.report)
    for run in (held, read):
        run.write_report(tmp_path / "report.html", overwrite=True)
        run.save(tmp_path / "a.model", overwrite=True)
        (tmp_path / f"{len(list(tmp_path.glob('*.saved')))}.saved").write_bytes(
            (tmp_path / "report.html").read_bytes() + (tmp_path / "a.model").read_bytes()
        )
    assert (tmp_path / "0.saved").read_bytes() == (tmp_path / "1.saved").read_bytes()


def test_a_table_written_piece_by_piece_is_the_one_in_memory(folder, tmp_path, in_files):
    in_files()
    run = align_files(inputs(folder), CONFIG)
    run.write(tmp_path / "streamed.h5ad")
    run.adata.write_h5ad(tmp_path / "whole.h5ad")
    streamed, whole = (ad.read_h5ad(tmp_path / f"{name}.h5ad") for name in ("streamed", "whole"))
    # Names that are hardly ever the same are no categories here.
    whole.obs["original_name"] = whole.obs["original_name"].astype(streamed.obs["original_name"].dtype)
    assert_same_content(streamed, whole)


@pytest.mark.parametrize("suffix", [".h5ad", ".fcs"])
def test_fcs_files_are_the_same_bytes(folder, tmp_path, in_files, suffix):
    align_files(inputs(folder, suffix), CONFIG).write(tmp_path / "held")
    in_files()
    align_files(inputs(folder, suffix), CONFIG).write(tmp_path / "read")
    for path in (tmp_path / "held").iterdir():
        assert path.read_bytes() == (tmp_path / "read" / path.name).read_bytes()


def test_only_large_files_stay_where_they_are(folder, monkeypatch):
    monkeypatch.setattr(read_write, "HELD", 200)
    kinds = [type(batch.cells) for batch in read_batches(inputs(folder))]
    assert kinds == [OnDisk, OnDisk, InMemory]


def test_a_bad_value_far_down_is_found_before_any_work(folder, tmp_path, in_files):
    bad = ad.read_h5ad(folder / "mon.h5ad")
    bad.X[300, 2] = np.nan
    bad.write_h5ad(tmp_path / "bad.h5ad")
    in_files()
    with pytest.raises(InputError, match=r"NaN values in 1 marker(.|\n)*in .*bad.h5ad"):
        read_batches([tmp_path / "bad.h5ad"])


def test_what_goes_wrong_while_all_cells_are_written_leaves_nothing(folder, tmp_path, in_files, monkeypatch):
    in_files()
    run = align_files(inputs(folder), replace(CONFIG, impute=False))
    (tmp_path / "out.h5ad").write_text("older result")
    pieces = OnDisk.pieces

    def stopped(self):
        yield next(pieces(self))
        raise KeyboardInterrupt

    monkeypatch.setattr(OnDisk, "pieces", stopped)
    with pytest.raises(KeyboardInterrupt):
        run.write(tmp_path / "out.h5ad", overwrite=True)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["older result"]
