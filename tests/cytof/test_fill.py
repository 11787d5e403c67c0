"""What a panel lacks, filled in: nothing measured changes, nothing else is invented, the truth is near."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import cellgan
from cellgan.cytof import fill as module
from cellgan.cytof import impute
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.regression import fit_network
from cellgan.cytof.straight import StraightLines, lines_of

LACKS = {"one": ["CD45RA", "CCR7", "CD11c"], "two": ["CD56", "CD16", "HLA-DR"]}
SHARED = ["CD45", "CD3", "CD4", "CD8a", "CD19", "CD14"]
N = 500


@pytest.fixture(scope="module", autouse=True)
def short_game() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(impute, "fit_network", partial(fit_network, rounds=100))
        yield patch


@pytest.fixture(scope="module")
def blood() -> dict[str, ad.AnnData]:
    """Two batches of twelve markers, of which the second also has its time."""
    one, two = cellgan.simulate(n_cells=N, n_markers=12, seed=3)
    time = ad.AnnData(np.arange(N, dtype=np.float32)[:, None], obs=two.obs, var=pd.DataFrame(index=["Time"]))
    return {"one": one, "two": ad.concat([two, time], axis=1, merge="first")}


@pytest.fixture(scope="module")
def panels(blood) -> dict[str, ad.AnnData]:
    return {
        name: own[:, [marker for marker in own.var_names if marker not in LACKS[name]]].copy()
        for name, own in blood.items()
    }


def run(panels: dict[str, ad.AnnData], **settings) -> cellgan.Alignment:
    return cellgan.align(
        panels, config=AlignConfig(**{"method": "quantiles", "transform": "arcsinh"} | settings)
    )


@pytest.fixture(scope="module")
def done(panels) -> cellgan.Alignment:
    return run(panels, draws=3)


@pytest.fixture(scope="module")
def out(done) -> ad.AnnData:
    return done.adata


def part(out: ad.AnnData, name: str, markers: list[str]) -> ad.AnnData:
    return out[out.obs["batch"] == name, markers]


def lacking(out: ad.AnnData) -> np.ndarray:
    """Tell where a protein was not measured, from what the table says of its columns."""
    here = np.array(
        [[name in cell.split(";") for cell in out.var["measured_in"]] for name in out.obs["batch"]]
    )
    return ~here & (out.var["kind"] == "marker").to_numpy()


def test_proteins_that_a_batch_lacks_are_imputed_and_nothing_else(out):
    imputed = out.layers["imputed"]
    assert imputed.dtype == bool
    np.testing.assert_array_equal(imputed, lacking(out))
    assert imputed.sum() == 2 * N * 3
    for layer in ("aligned", "aligned_sd", "sample", "sample_2", "sample_3"):
        assert np.isfinite(out.layers[layer][imputed]).all()
        assert out.layers[layer].dtype == np.float32
    assert np.isnan(out.X[imputed]).all()
    assert (out.layers["aligned_sd"][imputed] > 0).all()


def test_what_is_no_protein_is_not_imputed(out):
    time = part(out, "one", ["Time"])
    assert out.var.loc["Time", "measured_in"] == "two"
    assert not out[:, "Time"].layers["imputed"].any()
    for layer in ("aligned", "aligned_sd", "sample"):
        assert np.isnan(time.layers[layer]).all()


def test_measured_values_are_as_if_nothing_had_been_imputed(panels, out):
    plain = run(panels, impute=False).adata
    assert set(plain.layers) == {"aligned", "aligned_sd"}
    imputed = out.layers["imputed"]
    assert plain.X.tobytes() == out.X.tobytes()
    for layer in ("aligned", "aligned_sd"):
        assert np.isnan(plain.layers[layer][imputed]).all()
        np.testing.assert_array_equal(out.layers[layer][~imputed], plain.layers[layer][~imputed])
    for sample in ("sample", "sample_2", "sample_3"):
        np.testing.assert_array_equal(out.layers[sample][~imputed], plain.layers["aligned"][~imputed])
    pd.testing.assert_frame_equal(plain.obs, out.obs)
    pd.testing.assert_frame_equal(plain.var, out.var)


def test_no_two_draws_are_alike_and_each_was_measured_in_some_cell(out, panels):
    imputed = out.layers["imputed"]
    draws = [out.layers[name][imputed] for name in ("sample", "sample_2", "sample_3")]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert (draws[first] != draws[second]).mean() > 0.7  # there are five donors for each cell
    for name, markers in LACKS.items():
        source = panels["two" if name == "one" else "one"]
        for marker in markers:
            measured = np.arcsinh(source[:, marker].X / np.float32(5))
            for sample in ("sample", "sample_2"):
                assert np.isin(part(out, name, [marker]).layers[sample], measured).all()


@pytest.mark.parametrize("name", ["one", "two"])
def test_imputed_values_are_near_the_truth(out, blood, name):
    """Correlations with what was measured before it was taken away; those of other cells are near nothing."""
    truth = np.arcsinh(blood[name][:, LACKS[name]].X / 5)
    own = part(out, name, LACKS[name])
    for i in range(3):
        for layer, least in (("aligned", 0.55), ("sample", 0.35)):
            assert np.corrcoef(own.layers[layer][:, i], truth[:, i])[0, 1] > least
            assert abs(np.corrcoef(own.layers[layer][:, i], np.roll(truth[:, i], 1))[0, 1]) < 0.2


def test_the_report_says_what_was_imputed_from_what(done):
    assert [(entry["batch"], entry["source"]) for entry in done.report["imputed"]] == [
        ("one", "two"),
        ("two", "one"),
    ]
    for entry in json.loads(json.dumps(done.report["imputed"], allow_nan=False)):
        assert entry["predictors"] == SHARED
        assert {row["marker"] for row in entry["markers"]} == set(LACKS[entry["batch"]])
        assert all(0.5 < row["r"] < 1 for row in entry["markers"])
        assert all(0.75 < row["coverage"] <= 1 for row in entry["markers"])
        assert entry["auc"] is not None


def test_the_report_draws_what_was_measured_expected_and_drawn(done, out):
    for entry, view in zip(done.report["imputed"], done.views.imputed, strict=True):
        markers = [row["marker"] for row in entry["markers"]]
        source, own = (part(out, entry[role], markers) for role in ("source", "batch"))
        np.testing.assert_array_equal(view.measured, source.layers["aligned"])
        np.testing.assert_array_equal(view.expected, own.layers["aligned"])
        np.testing.assert_array_equal(view.drawn, own.layers["sample"])


def test_the_page_has_a_section_on_each_batch_that_lacks_something(done, tmp_path):
    done.write_report(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    for name, source in (("one", "two"), ("two", "one")):
        assert f"<h2>Imputed in {name}</h2>" in text
        drawn = re.findall(
            rf"Densities of ([\w-]+): measured in {source}, expected and drawn in {name}", text
        )
        assert sorted(drawn) == sorted(LACKS[name])
    saved = json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))
    assert saved["imputed"] == done.report["imputed"]


def test_it_can_be_written_and_read(done, tmp_path):
    done.write(tmp_path / "out.h5ad")
    again = ad.read_h5ad(tmp_path / "out.h5ad")
    assert set(again.layers) == set(done.adata.layers)
    for layer in again.layers:
        assert again.layers[layer].dtype == done.adata.layers[layer].dtype
        assert np.asarray(again.layers[layer]).tobytes() == done.adata.layers[layer].tobytes()


def test_the_same_seed_gives_the_same_bytes(panels, done):
    again, other = run(panels, draws=3).adata, run(panels, draws=3, seed=1).adata
    for layer, values in done.adata.layers.items():
        assert again.layers[layer].tobytes() == values.tobytes()
    for layer in ("aligned", "sample"):
        assert other.layers[layer].tobytes() != done.adata.layers[layer].tobytes()


def test_equal_panels_lack_nothing(panels):
    same = {name: own[:, SHARED].copy() for name, own in panels.items()}
    found = run(same)
    assert set(found.adata.layers) == {"aligned", "aligned_sd"}
    assert found.report["imputed"] == []
    assert found.views.imputed == ()


def scaled(cells: ad.AnnData, gain: float) -> ad.AnnData:
    return ad.AnnData(cells.X * np.float32(gain), obs=cells.obs, var=cells.var)


@pytest.mark.parametrize("works", [True, False])
def test_shared_markers_enter_in_the_references_frame(blood, short_game, works):
    """The same cells measured by an instrument three times as bright are expected to show the same."""
    one = blood["one"]
    two = cellgan.simulate(n_cells=N, n_markers=12, seed=3)[1]
    two = ad.AnnData(two.layers["truth"], obs=two.obs, var=two.var)[:, SHARED].copy()
    if not works:
        same = StraightLines(np.ones(len(SHARED)), np.zeros(len(SHARED)))
        short_game.setattr(module, "lines_of", lambda _values, _map: same)
    found = []
    for gain in (1.0, 3.0):
        adata = run({"one": one, "two": scaled(two, gain)}).adata
        found.append(part(adata, "two", ["CD11c", "CD16", "HLA-DR"]).layers["aligned"])
    if not works:
        short_game.setattr(module, "lines_of", lines_of)
    off = np.abs(found[1] - found[0]).mean() / np.std(found[0], axis=0).mean()
    assert (off < 0.15) == works
