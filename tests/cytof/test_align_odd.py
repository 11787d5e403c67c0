"""Few cells, few markers, markers that say nothing: a result that is finite, or a plain error."""

from __future__ import annotations

import json

import anndata as ad
import numpy as np
import pytest

import cellgan
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.transform import to_arcsinh
from cellgan.errors import CellganError, InputError, PanelError

FAST = {"method": "quantiles", "transform": "arcsinh"}
METHODS = ["matched", "magan", "quantiles"]


@pytest.fixture(scope="module")
def blood():
    return cellgan.simulate(n_cells=150, n_markers=5, seed=2)


@pytest.fixture(autouse=True)
def unscored(monkeypatch):
    """The classifier takes most of the time of these runs, and has tests of its own."""
    monkeypatch.setattr("cellgan.cytof.evaluate.HeldOut._auc", lambda *given: 0.5)


def run(one: ad.AnnData, two: ad.AnnData, **settings) -> np.ndarray:
    """Align, check what must always hold, and return the second batch's layer."""
    alignment = cellgan.align(
        [one, two], config=AlignConfig(**({"transform": "arcsinh", "rounds": 2} | settings))
    )
    json.dumps(alignment.report, allow_nan=False)
    layer = np.asarray(alignment.adata.layers["aligned"])
    assert layer.shape == (one.n_obs + two.n_obs, one.n_vars)
    assert np.isfinite(layer).all()
    assert layer[: one.n_obs].tobytes() == to_arcsinh(one.X.astype(np.float32, order="C"), 5.0).tobytes()
    assert alignment.report["batches"][0]["verdict"]["level"] in {"good", "caution", "poor", "nothing"}
    assert np.isfinite(alignment.map(two).layers["aligned"]).all()
    return layer[one.n_obs :]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sizes", [(2, 2), (2, 150), (150, 2), (5, 5), (30, 30), (60, 60)])
def test_few_cells_are_aligned_as_well_as_can_be(blood, method, sizes):
    one, two = (batch[:n] for batch, n in zip(blood, sizes, strict=True))
    run(one, two, method=method)


def test_few_cells_are_said_to_be_few(blood):
    alignment = cellgan.align([blood[0], blood[1][:30]], config=AlignConfig(**FAST))
    (batch,) = alignment.report["batches"]
    assert batch["evidence"]["answer"] == "few"
    assert batch["verdict"]["level"] == "poor"
    assert batch["verdict"]["text"] == (
        "Cells were moved as asked, but 30 cells of batch2 and 150 of batch1 could be "
        "learned from, and no batch effect can be told from fewer than 50."
    )
    assert any("batch2 has 30 cells" in warning for warning in batch["warnings"])


@pytest.mark.parametrize("sizes", [(150, 30), (30, 150), (49, 49)])
def test_few_cells_stay_where_they_are_unless_a_method_is_asked_for(blood, sizes):
    one, two = (batch[:n] for batch, n in zip(blood, sizes, strict=True))
    measured = to_arcsinh(two.X, 5.0)
    np.testing.assert_allclose(run(one, two), measured, rtol=0, atol=1e-5)
    assert np.abs(run(one, two, method="quantiles") - measured).max() > 0.1


@pytest.mark.parametrize("sizes", [(1, 150), (150, 1), (1, 1), (0, 150), (150, 0)])
def test_one_cell_or_none_is_refused_by_name(blood, sizes):
    one, two = (batch[:n].copy() for batch, n in zip(blood, sizes, strict=True))
    with pytest.raises(InputError, match=r"there is only one cell|there are no cells") as caught:
        cellgan.align([one, two], config=AlignConfig(**FAST))
    assert f"in batch 'batch{1 if sizes[0] < 2 else 2}'" in str(caught.value)


@pytest.mark.parametrize("method", ["matched", "magan"])
@pytest.mark.parametrize(("ours", "theirs"), [(3.0, 3.0), (0.0, None), (None, 0.0)])
def test_a_marker_that_says_nothing_harms_no_other(blood, method, ours, theirs):
    one, two = (batch.copy() for batch in blood)
    for batch, value in ((one, ours), (two, theirs)):
        if value is not None:
            batch.X[:, 2] = value
    layer = run(one, two, method=method)
    if ours == theirs:
        np.testing.assert_allclose(layer[:, 2], np.arcsinh(ours / 5), atol=0.05)
    assert np.abs(layer[:, :2] - to_arcsinh(two.X, 5.0)[:, :2]).max() > 0.01
    assert layer.max() < 1.3 * to_arcsinh(np.vstack([one.X, two.X]), 5.0).max()


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_batches_without_any_difference_between_cells(blood, value):
    one, two = (batch.copy() for batch in blood)
    one.X[:], two.X[:] = value, value + 1
    with pytest.raises(PanelError, match="fewer than two shared markers are left"):
        run(one, two)


def test_duplicated_cells_come_out_alike(blood):
    one, two = (batch.copy() for batch in blood)
    one.X[:], two.X[:] = one.X[np.arange(150) % 7], two.X[np.arange(150) % 5]
    layer = run(one, two)
    assert len(np.unique(layer, axis=0)) == 5
    np.testing.assert_array_equal(layer[:5], layer[5:10])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("correspondence", ["shared", "none", "labels:cell_type"])
def test_two_markers_are_enough(blood, method, correspondence):
    one, two = (batch[:, 1:3] for batch in blood)
    run(one, two, method=method, correspondence=correspondence)


def test_one_marker_is_not(blood):
    with pytest.raises(PanelError, match=r"only one marker, 'CD3', is.* shared"):
        cellgan.align([blood[0][:, 1:2].copy(), blood[1][:, 1:3].copy()], config=AlignConfig(**FAST))


def test_batches_of_very_different_sizes(blood):
    one, two = cellgan.simulate(n_cells=3000, n_markers=5, seed=3)
    run(one[:40], two)
    run(one, two[:40])


def test_a_batch_on_another_scale_altogether(blood):
    """A gain of a thousand is no instrument's: nothing is moved on a guess."""
    two = blood[1].copy()
    two.X *= 1000
    with pytest.raises(InputError, match="which cofactor suits batch 'batch2'"):
        run(blood[0], two)
    layer = run(blood[0], two, cofactor=5.0)
    np.testing.assert_allclose(layer, to_arcsinh(two.X, 5.0), rtol=0, atol=1e-4)
    alignment = cellgan.align(
        [blood[0], two], config=AlignConfig(transform="arcsinh", cofactor=5.0, rounds=2)
    )
    (batch,) = alignment.report["batches"]
    assert batch["evidence"]["answer"] == "unknown"
    assert "Values stay as measured" in batch["verdict"]["text"]


def test_a_gain_of_three_is_an_instruments(blood):
    one, two = (batch.copy() for batch in cellgan.simulate(n_cells=600, n_markers=5, seed=2))
    two.X = one.X[::-1] * 3
    layer, scale = run(one, two), to_arcsinh(one.X, 5.0)
    assert np.abs(to_arcsinh(two.X, 5.0).mean(axis=0) - scale.mean(axis=0)).max() > 0.6
    np.testing.assert_allclose(layer.mean(axis=0), scale.mean(axis=0), atol=0.2)


def test_whole_numbers_double_precision_and_columns_first_are_fine(blood):
    wanted = [np.abs(batch.X).round() for batch in blood]
    layers = []
    for kind in (lambda x: x, lambda x: x.astype(int), lambda x: x.astype(float), np.asfortranarray):
        one, two = (
            ad.AnnData(kind(x), obs=batch.obs.copy(), var=batch.var.copy())
            for x, batch in zip(wanted, blood, strict=True)
        )
        layers.append(run(one, two, method="quantiles").tobytes())
    assert len(set(layers)) == 1


def test_nan_and_infinity_are_named_by_marker_and_count(blood):
    two = blood[1].copy()
    two.X[:3, 1], two.X[0, 4] = np.nan, np.inf
    with pytest.raises(InputError) as caught:
        cellgan.align([blood[0], two], config=AlignConfig(**FAST))
    assert "NaN values in 1 marker: CD3 (3 cells)" in str(caught.value)
    assert "infinite values in 1 marker: CD19 (1 cell)" in str(caught.value)
    assert "batch 'batch2'" in str(caught.value)


def test_the_scale_is_not_guessed(blood, monkeypatch):
    scaled = [batch.copy() for batch in blood]
    for batch in scaled:
        batch.X = to_arcsinh(batch.X, 5.0)
    with pytest.raises(InputError, match="look transformed already"):
        cellgan.align(scaled, config=AlignConfig(**FAST))
    with pytest.raises(CellganError, match="different scales"):
        cellgan.align([blood[0], scaled[1]], config=AlignConfig(method="quantiles"))
    # Cells are drawn by their values as read: on either scale others, but for this.
    monkeypatch.setattr("cellgan.cytof.cells.cell_hashes", lambda values, _: np.arange(len(values)))
    plain = cellgan.align(scaled, config=AlignConfig(method="quantiles", transform="none")).adata
    counts = cellgan.align(blood, config=AlignConfig(**FAST)).adata
    np.testing.assert_array_equal(plain.layers["aligned"], counts.layers["aligned"])


def test_who_insists_that_counts_are_transformed_can_map_them_too(blood):
    run = cellgan.align(blood, config=AlignConfig(method="quantiles", transform="none"))
    assert any("look like counts" in warning for warning in run.report["warnings"])
    mapped = run.map(blood[1]).layers["aligned"]
    assert mapped.tobytes() == np.asarray(run.adata[150:].layers["aligned"]).tobytes()
