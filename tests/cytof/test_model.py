"""The saved model: the same bytes for the same cells, whatever way they come, and nothing else is taken."""

from __future__ import annotations

from dataclasses import replace

import anndata as ad
import numpy as np
import pytest
import torch

import cellgan
from cellgan.core.checkpoint import read_tensors, write_tensors
from cellgan.cytof.fcs_write import write_fcs
from cellgan.cytof.model import Model
from cellgan.cytof.novelty import Novelty
from cellgan.cytof.read_write import open_for_map
from cellgan.errors import ConfigError, InputError, ModelError, OutputError, PanelError

MARKERS = 6


@pytest.fixture(scope="module")
def batches():
    """Two batches; the second one with time, a private marker, and other spellings."""
    one, two = cellgan.simulate(n_cells=300, n_markers=MARKERS, seed=1)
    two.var_names = [f"{150 + i}Nd_{name}" for i, name in enumerate(two.var_names)]
    more = np.stack([np.arange(300.0), np.linspace(0, 900, 300)], axis=1).astype(np.float32)
    wide = ad.AnnData(
        np.hstack([more[:, :1], two.X, more[:, 1:]]), obs=two.obs.copy(), var={"channel": ["Time"] + [""] * 7}
    )
    wide.var_names = ["Time", *two.var_names, "CD999"]
    return one, wide


@pytest.fixture(scope="module")
def aligned(batches):
    return cellgan.align(list(batches), config=cellgan.AlignConfig(rounds=3, transform="arcsinh"))


@pytest.fixture(scope="module")
def path(aligned, tmp_path_factory):
    file = tmp_path_factory.mktemp("model") / "aligned.model"
    aligned.save(file)
    return file


@pytest.fixture(scope="module")
def loaded(path):
    return cellgan.load(path)


@pytest.fixture(scope="module")
def first_run(aligned, batches):
    """What the first run wrote for the second batch, column by column of that batch."""
    two = aligned.adata[aligned.adata.obs["batch"] == "batch2"]
    names = ["Time", *aligned.report["markers"]["aligned"], "CD999"]
    return np.asarray(two[:, names].layers["aligned"])


def test_mapped_cells_are_those_of_the_first_run_to_the_last_bit(
    aligned, loaded, batches, first_run, monkeypatch
):
    monkeypatch.setattr("cellgan.cytof.model.ROWS", 128)  # three pieces, where the first run had one
    for model in (aligned, loaded):
        mapped = model.map(batches[1])
        assert mapped.layers["aligned"].tobytes() == first_run.tobytes()
        np.testing.assert_array_equal(mapped.X, batches[1].X)
    assert "aligned" not in batches[1].layers


def test_fewer_cells_in_another_order_are_the_same_cells(loaded, batches, first_run):
    order = np.random.default_rng(0).permutation(300)[:40]
    mapped = loaded.map(batches[1][order])
    assert mapped.layers["aligned"].tobytes() == first_run[order].tobytes()
    assert list(mapped.obs_names) == list(batches[1].obs_names[order])


@pytest.mark.parametrize("suffix", ["h5ad", "fcs"])
def test_a_single_cell_is_mapped(loaded, batches, first_run, tmp_path, suffix):
    one = batches[1][:1].copy()
    assert loaded.map(one).layers["aligned"].tobytes() == first_run[:1].tobytes()
    if suffix == "h5ad":
        one.write_h5ad(tmp_path / "one.h5ad")
    else:
        write_fcs(tmp_path / "one.fcs", one.X, list(one.var["channel"]), list(one.var_names))
    loaded.map_file(open_for_map(tmp_path / f"one.{suffix}"), tmp_path / "out.h5ad")
    assert np.asarray(ad.read_h5ad(tmp_path / "out.h5ad").layers["aligned"]).tobytes() == (
        first_run[:1].tobytes()
    )
    loaded.map_file(open_for_map(tmp_path / f"one.{suffix}"), tmp_path / "out.fcs")
    assert open_for_map(tmp_path / "out.fcs").n_cells == 1
    with pytest.raises(InputError, match="there are no cells; give at least one"):
        loaded.map(one[:0])


def test_a_few_dim_cells_are_not_taken_for_transformed_ones(loaded, batches):
    dim = batches[1][:5].copy()
    dim.X[:, 1:7] = np.linspace(0.3, 7.7, 30).reshape(5, 6)
    assert np.isfinite(loaded.map(dim[:4]).layers["aligned"]).all()
    with pytest.raises(InputError, match="look transformed already"):
        loaded.map(dim)


def test_files_are_mapped_like_cells_in_memory(loaded, batches, first_run, tmp_path, monkeypatch):
    monkeypatch.setattr("cellgan.cytof.model.ROWS", 128)  # three pieces
    batches[1].write_h5ad(tmp_path / "new.h5ad")
    loaded.map_file(open_for_map(tmp_path / "new.h5ad"), tmp_path / "out.h5ad")
    out = ad.read_h5ad(tmp_path / "out.h5ad")
    assert np.asarray(out.layers["aligned"]).tobytes() == first_run.tobytes()
    np.testing.assert_array_equal(out.X, batches[1].X)
    assert out.uns["cellgan"]["mapped_as"] == "batch2"
    var = batches[1].var_names
    write_fcs(tmp_path / "new.fcs", batches[1].X, list(batches[1].var["channel"]), list(var))
    loaded.map_file(open_for_map(tmp_path / "new.fcs"), tmp_path / "again.h5ad")
    again = ad.read_h5ad(tmp_path / "again.h5ad")
    assert np.asarray(again.layers["aligned"]).tobytes() == first_run.tobytes()


def test_fcs_holds_the_same_on_the_linear_scale(loaded, batches, first_run, tmp_path):
    batches[1].write_h5ad(tmp_path / "new.h5ad")
    loaded.map_file(open_for_map(tmp_path / "new.h5ad"), tmp_path / "out.fcs")
    out = open_for_map(tmp_path / "out.fcs")
    (values,) = out.chunks()
    np.testing.assert_allclose(np.arcsinh(values[:, 1:7] / 5), first_run[:, 1:7], atol=1e-5)
    np.testing.assert_array_equal(values[:, [0, 7]], batches[1].X[:, [0, 7]])


def test_time_stays_and_other_counts_change_scale_only(first_run, batches):
    np.testing.assert_array_equal(first_run[:, 0], batches[1].X[:, 0])
    np.testing.assert_array_equal(first_run[:, 7], np.arcsinh(batches[1].X[:, 7] / np.float32(5)))
    moved = np.abs(first_run[:, 1:7] - np.arcsinh(batches[1].X[:, 1:7] / 5)).max(axis=0)
    assert (moved > 0.01).sum() >= MARKERS - 1  # what differs by chance alone is kept as measured


def test_cells_of_the_reference_are_not_moved(loaded, batches):
    mapped = loaded.map(batches[0], "batch1")
    np.testing.assert_array_equal(mapped.layers["aligned"], np.arcsinh(batches[0].X / np.float32(5)))


def test_no_value_falls_below_what_either_batch_holds(loaded, batches):
    low = batches[1].copy()
    low.X[:, 1:7] -= 1000
    values = loaded.map(low).layers["aligned"][:, 1:7]
    names = [f"{150 + i}Nd_{name}" for i, name in enumerate(batches[0].var_names)]
    both = np.vstack([batches[0].X, batches[1][:, names].X])
    np.testing.assert_array_equal(values.min(axis=0), np.arcsinh(both.min(axis=0) / np.float32(5)))


def test_save_and_load_keep_every_part(aligned, loaded, path, tmp_path):
    (tmp_path / "again.model").write_text("older")
    with pytest.raises(OutputError, match="exists already"):
        loaded.save(tmp_path / "again.model")
    loaded.save(tmp_path / "again.model", overwrite=True)
    assert (tmp_path / "again.model").read_bytes() == path.read_bytes()
    assert loaded.markers == aligned.model.markers
    assert loaded.about == aligned.model.about


def test_a_wrong_panel_is_refused_by_its_missing_markers(loaded, batches):
    with pytest.raises(PanelError) as caught:
        loaded.map(batches[1][:, [0, 1, 2, 4, 5]])
    assert "151Nd_CD3, " not in str(caught.value)
    for name in (batches[1].var_names[3], batches[1].var_names[6]):
        assert name in str(caught.value)


def test_who_is_meant_must_be_clear(loaded, batches):
    assert loaded.pick(None) == "batch2"
    with pytest.raises(ConfigError, match="there is no batch 'day1'; the model maps batch2 onto batch1"):
        loaded.map(batches[1], "day1")
    more = Model(**{**vars(loaded), "batches": {**loaded.batches, "batch3": loaded.batches["batch2"]}})
    with pytest.raises(ConfigError, match="no batch was named; the model maps batch2, batch3 onto batch1"):
        more.pick(None)


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_short_is_refused(path, tmp_path, part):
    data = path.read_bytes()
    (tmp_path / "cut.model").write_bytes(data[: int(part * len(data))])
    with pytest.raises(ModelError, match=r"cut\.model"):
        cellgan.load(tmp_path / "cut.model")


def test_a_single_changed_bit_is_noticed(path, tmp_path):
    data = path.read_bytes()
    for place in (len(data) // 2, len(data) - 5, data.index(b"batch2")):
        damaged = bytearray(data)
        damaged[place] ^= 1
        (tmp_path / "bit.model").write_bytes(damaged)
        with pytest.raises(ModelError, match=r"bit\.model"):
            cellgan.load(tmp_path / "bit.model")


def without(tensors, meta):
    del tensors["batches/1/lowest"]


def centres(tensors, meta):
    del tensors[next(name for name in tensors if name.endswith("centres"))]


def other_kind(tensors, meta):
    meta["kind"] = "segmentation"


def no_markers(tensors, meta):
    del meta["markers"]


def odd_batches(tensors, meta):
    meta["batches"] = ["batch1"]


def odd_pass(tensors, meta):
    tensors["batches/1/mover/passes/first/0/centres"] = torch.zeros(2, 2)


@pytest.mark.parametrize("spoil", [without, centres, other_kind, no_markers, odd_batches, odd_pass])
def test_a_file_of_ours_that_is_no_model_is_refused(path, tmp_path, spoil):
    tensors, meta = read_tensors(path)
    spoil(tensors, meta)
    write_tensors(tmp_path / "odd.model", tensors, meta)
    with pytest.raises(ModelError, match=r"odd\.model is no model of `cellgan align`, or damaged"):
        cellgan.load(tmp_path / "odd.model")


def test_other_files_are_refused(batches, tmp_path):
    (tmp_path / "text.model").write_text("model")
    batches[0].write_h5ad(tmp_path / "cells.model")
    for name in ("text.model", "cells.model", "nowhere.model"):
        with pytest.raises(ModelError, match=name):
            cellgan.load(tmp_path / name)


@pytest.mark.parametrize("suffix", ["h5ad", "fcs"])
def test_mapping_a_file_counts_cells_without_counterpart(loaded, batches, tmp_path, monkeypatch, suffix):
    monkeypatch.setattr("cellgan.cytof.model.ROWS", 128)  # three pieces
    at = np.zeros((2, MARKERS))
    at[1, 0] = 1.0
    half = replace(
        loaded.batches["batch2"], novelty=Novelty(familiar=at[:1], novel=at[1:], scale=np.ones(MARKERS))
    )
    none = replace(loaded.batches["batch2"], novelty=None)
    batches[1].write_h5ad(tmp_path / "new.h5ad")
    source, out = open_for_map(tmp_path / "new.h5ad"), tmp_path / f"out.{suffix}"

    def counted(own):
        return replace(loaded, batches=loaded.batches | {"batch2": own}).map_file(source, out)

    told = replace(loaded, batches=loaded.batches | {"batch2": half}).map(batches[1])
    assert 0 < counted(half) == told.obs["cellgan_novel"].sum() < 300
    assert counted(none) == 0
    # A model of before 0.2 knows nothing of it.
    assert counted(replace(none, uncertainty=None)) is None
