"""Batches in memory: every cell comes back, what is not to be touched is not, and the report adds up."""

from __future__ import annotations

import json

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import cellgan
from cellgan.cytof.config import AlignConfig
from cellgan.errors import ConfigError, InputError, PanelError

FAST = {"method": "quantiles", "transform": "arcsinh", "impute": False}  # test_fill.py tells of what is
N = 250


def arcsinh(counts: np.ndarray) -> np.ndarray:
    return np.arcsinh(np.asarray(counts, dtype=np.float32) / np.float32(5))


@pytest.fixture(scope="module")
def three():
    """Three batches: the second with time and a marker of its own, the third in another column order."""
    one, two = cellgan.simulate(n_cells=N, n_markers=7, seed=4)
    third = cellgan.simulate(n_cells=N - 50, n_markers=7, seed=5)[1][:, ::-1].copy()
    third.obs_names = [f"third-{i}" for i in range(N - 50)]
    more = np.stack([np.arange(N) * 1e3, np.linspace(0, 900, N)], axis=1).astype(np.float32)
    wide = ad.AnnData(np.hstack([two.X, more]), obs=two.obs.copy())
    wide.var_names = [*two.var_names, "Time", "CD999"]
    one.obs["donor"] = "p1"
    return {"one": one, "two": wide, "three": third}


@pytest.fixture(scope="module")
def done(three):
    """The default method on all three; and what was given, as it was before."""
    before = {name: batch.copy() for name, batch in three.items()}
    return cellgan.align(three, config=AlignConfig(rounds=4, transform="arcsinh", impute=False)), before


@pytest.fixture(scope="module")
def out(done):
    return done[0].adata


def part(out: ad.AnnData, name: str) -> ad.AnnData:
    return out[out.obs["batch"] == name]


def test_every_cell_comes_back_in_order_under_its_own_name(out, three):
    assert list(out.obs_names) == [cell for batch in three.values() for cell in batch.obs_names]
    assert out.obs["batch"].tolist() == [name for name, batch in three.items() for _ in range(batch.n_obs)]
    assert "original_name" not in out.obs


def test_x_is_as_measured_to_the_last_bit_and_nan_where_it_was_not(out, three):
    for name, batch in three.items():
        own = part(out, name)
        assert np.asarray(own[:, batch.var_names].X).tobytes() == np.asarray(batch.X).tobytes()
        rest = [marker for marker in out.var_names if marker not in batch.var_names]
        assert np.isnan(own[:, rest].X).all()
        assert np.isnan(own[:, rest].layers["aligned"]).all()
        assert np.isfinite(own[:, batch.var_names].layers["aligned"]).all()
        assert np.isnan(own[:, rest].layers["aligned_sd"]).all()


def test_the_reference_is_not_moved(out, three):
    own = part(out, "one")[:, three["one"].var_names]
    assert np.asarray(own.layers["aligned"]).tobytes() == arcsinh(three["one"].X).tobytes()


def test_every_value_comes_with_its_uncertainty(out, three):
    aligned = out.var_names[out.var["aligned"]]
    reference = part(out, "one")[:, three["one"].var_names].layers["aligned_sd"]
    assert not np.asarray(reference).any()
    for name in ("two", "three"):
        own = part(out, name)
        assert (np.asarray(own[:, aligned].layers["aligned_sd"]) > 0).all()
    rest = part(out, "two")[:, ["Time", "CD999"]]
    assert not np.asarray(rest.layers["aligned_sd"]).any()  # what does not move cannot be off
    assert out.layers["aligned_sd"].dtype == np.float32


def test_cells_without_counterpart_are_marked():
    """The first batch of a simulation has NK cells, the second one has none."""
    full, lacking = cellgan.simulate(n_cells=800, n_markers=10, seed=1, missing=True)
    run = cellgan.align({"lacking": lacking, "full": full}, config=AlignConfig(rounds=10))
    novel, (report,) = run.adata.obs["cellgan_novel"], run.report["batches"]
    killers = (run.adata.obs["cell_type"] == "NK").to_numpy()
    assert novel.dtype == bool
    assert novel[killers].mean() > 0.8
    assert novel[~killers].mean() < 0.02
    assert report["novel"] == novel.sum()
    sd = np.asarray(run.adata.layers["aligned_sd"])
    known = part(run.adata, "full")[~killers[800:]].layers["aligned_sd"]
    assert sd[killers].mean() > 1.3 * np.asarray(known).mean()


@pytest.mark.parametrize("name", ["two", "three"])
def test_the_others_are_moved_and_nearer_to_the_reference(out, three, name):
    own, reference = part(out, name)[:, three["one"].var_names], part(out, "one")[:, three["one"].var_names]
    before, after = arcsinh(own.X), np.asarray(own.layers["aligned"])
    moved = np.abs(after - before).max(axis=0) > 0.01
    assert moved.sum() >= len(moved) - 1  # one may differ by no more than chance
    levels = np.linspace(0.05, 0.95, 19)
    gaps = [
        np.abs(np.quantile(cells, levels, axis=0) - np.quantile(arcsinh(reference.X), levels, axis=0)).mean()
        for cells in (before, after)
    ]
    assert gaps[1] < gaps[0]


def test_what_is_not_aligned_is_carried_over(out, three):
    own = part(out, "two")
    counts, layer = three["two"][:, "CD999"].X, own[:, "CD999"].layers["aligned"]
    assert np.asarray(layer).tobytes() == arcsinh(counts).tobytes()
    np.testing.assert_array_equal(own[:, "Time"].layers["aligned"], three["two"][:, "Time"].X)
    assert out.var["aligned"].tolist() == [True] * 7 + [False] * 2
    assert out.var["measured_in"].tolist() == ["one;two;three"] * 7 + ["two"] * 2
    assert out.var["kind"].tolist() == ["marker"] * 7 + ["time", "marker"]


def test_nothing_that_was_given_is_changed(done, three):
    for name, before in done[1].items():
        after = three[name]
        assert np.asarray(after.X).tobytes() == np.asarray(before.X).tobytes()
        pd.testing.assert_frame_equal(after.obs, before.obs)
        pd.testing.assert_frame_equal(after.var, before.var)
        assert list(after.layers) == list(before.layers)
        assert not np.shares_memory(after.X, done[0].adata.X)
        assert not after.uns


def test_obs_of_all_batches_is_kept(out):
    assert set(part(out, "one").obs["donor"]) == {"p1"}
    assert part(out, "two").obs["donor"].isna().all()
    assert not out.obs["cell_type"].isna().any()


def test_the_report_is_json_with_what_its_page_needs(done):
    report = json.loads(json.dumps(done[0].report, allow_nan=False))
    assert {"cellgan", "format", "config", "versions", "device", "reference", "inputs", "transform"} <= set(
        report
    )
    assert report["markers"]["private"] == {"one": [], "two": ["CD999"], "three": []}
    assert {"name": "Time", "kind": "time"} in report["markers"]["kept"]
    assert [batch["batch"] for batch in report["batches"]] == ["two", "three"]
    assert [each["n_cells"] for each in report["inputs"]] == [N, N, N - 50]
    for batch in report["batches"]:
        assert sum(row.get("chosen", False) for row in batch["scores"]) == 1
        assert {"nothing", "per-marker quantiles", "start"} <= {row["method"] for row in batch["scores"]}
        assert all(
            set(row) - {"chosen"} == {"method", "emd", "auc", "neighbours", "moved"}
            for row in batch["scores"]
        )
        assert [row["marker"] for row in batch["markers"]] == report["markers"]["aligned"]
        assert batch["learned_from"] == {"source": "cells", "reference": N, "batch": batch["n_cells"]}
        own = part(done[0].adata, batch["batch"])
        assert batch["novel"] == own.obs["cellgan_novel"].sum()
        sd = np.median(own[:, report["markers"]["aligned"]].layers["aligned_sd"], axis=0)
        units = part(done[0].adata, "one")[:, report["markers"]["aligned"]].layers["aligned"].std(axis=0)
        np.testing.assert_allclose([row["sd"] for row in batch["markers"]], sd / units, rtol=1e-4)
        shares = ("share_reference", "share_batch")
        for share in shares:
            assert sum(row[share] for row in batch["clusters"]) == pytest.approx(1)
        sizes = [max(row[share] for share in shares) for row in batch["clusters"]]
        assert sizes == sorted(sizes, reverse=True)
        assert [row["cluster"] for row in batch["clusters"]] == list(range(1, len(sizes) + 1))
        assert batch["held_out"] == {"reference": 50, "batch": 50 if batch["batch"] == "two" else 40}
        assert len(batch["losses"]["rounds"]) == len(batch["losses"]["terms"]["generators/fool"])
        assert batch["verdict"]["text"]
    json.dumps(json.loads(done[0].adata.uns["cellgan"]["scores"]), allow_nan=False)


def test_views_are_cells_before_and_after_row_by_row(done, out):
    views = done[0].views
    before, after = views.batches["two"]
    own = part(out, "two")[:, list(views.markers)]
    np.testing.assert_array_equal(before, arcsinh(own.X))
    np.testing.assert_array_equal(after, own.layers["aligned"])
    np.testing.assert_array_equal(views.reference, part(out, "one")[:, list(views.markers)].layers["aligned"])


def test_another_reference_stays_where_it_is(three):
    run = cellgan.align(three, config=AlignConfig(reference="two", **FAST))
    assert run.report["reference"] == "two"
    names = list(three["one"].var_names)
    np.testing.assert_array_equal(
        part(run.adata, "two")[:, names].layers["aligned"], arcsinh(three["two"][:, names].X)
    )
    assert list(run.adata.obs["batch"].cat.categories) == ["one", "two", "three"]
    with pytest.raises(ConfigError, match="the reference is 'four', but the batches are one, two, three"):
        cellgan.align(three, config=AlignConfig(reference="four", **FAST))


def test_only_the_markers_that_were_chosen_are_aligned(three):
    run = cellgan.align(three, config=AlignConfig(markers=("CD4", "CD3"), **FAST))
    assert run.adata.var_names[run.adata.var["aligned"]].tolist() == ["CD3", "CD4"]
    moved = np.abs(run.adata.layers["aligned"] - arcsinh(run.adata.X))
    names = dict(zip(run.adata.var_names, np.nanmax(moved, axis=0), strict=True))
    assert names.pop("CD3") > 0.01 < names.pop("CD4")
    names.pop("Time")
    assert max(names.values()) == 0
    with pytest.raises(PanelError, match="marker 'CD77' is not in batch 'one'"):
        cellgan.align(three, config=AlignConfig(markers=("CD4", "CD77"), **FAST))


def test_one_table_with_a_batch_key_is_the_same_as_its_parts(three):
    batches = [three[name][:, three["one"].var_names] for name in ("one", "two")]
    whole = ad.concat(batches)
    whole.obs["plate"] = pd.Categorical(["p 1"] * N + ["p 2"] * N)
    apart = cellgan.align({"p 1": batches[0], "p 2": batches[1]}, config=AlignConfig(**FAST)).adata
    mixed = np.random.default_rng(0).permutation(2 * N)
    for given in (whole, whole[mixed]):
        run = cellgan.align(given, batch_key="plate", config=AlignConfig(**FAST)).adata
        assert set(run.obs["batch"]) == {"p 1", "p 2"}
        found = run[apart.obs_names][:, apart.var_names]
        assert found.obs["batch"].astype(str).tolist() == given[apart.obs_names].obs["plate"].tolist()
    assert found.shape == apart.shape
    run = cellgan.align(whole, batch_key="plate", config=AlignConfig(**FAST)).adata
    assert run.layers["aligned"].tobytes() == apart.layers["aligned"].tobytes()


def test_numbers_name_batches_too(three):
    batches = {7: three["one"], 8: three["three"]}
    run = cellgan.align(batches, config=AlignConfig(**FAST))
    assert list(run.adata.obs["batch"].cat.categories) == ["7", "8"]


@pytest.mark.parametrize(
    ("given", "told"), [([], "no batch was given"), (["one"], "only one batch was given")]
)
def test_one_batch_is_not_enough(three, given, told):
    with pytest.raises(ConfigError, match=told):
        cellgan.align([three[name] for name in given])


def test_labels_must_be_there(three):
    with pytest.raises(InputError, match="has no obs column 'nowhere'"):
        cellgan.align(three, config=AlignConfig(correspondence="labels:nowhere", transform="arcsinh"))
