"""How near alignments come to what is known: simulated cells with their truth, replicates of one blood."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest

import cellgan
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.transform import to_arcsinh


def distances(batches: list[ad.AnnData], config: AlignConfig) -> tuple[float, float, dict]:
    """Return the root mean square distance to the truth before and after, in SD of the truth; the report."""
    alignment = cellgan.align(batches, config=config)
    truth, before = (to_arcsinh(each, 5.0) for each in (batches[1].layers["truth"], batches[1].X))
    after = alignment.adata[alignment.adata.obs["batch"] == "batch2"].layers["aligned"]
    units = to_arcsinh(batches[0].X, 5.0).std(axis=0)
    gaps = (float(np.sqrt((((each - truth) / units) ** 2).mean())) for each in (before, after))
    return (*gaps, alignment.report["batches"][0])


@pytest.fixture(scope="module")
def blood():
    return {
        missing: cellgan.simulate(n_cells=1000, n_markers=12, seed=2, missing=missing)
        for missing in (False, True)
    }


@pytest.fixture(scope="module")
def lacking(blood):
    return distances(blood[True], AlignConfig(rounds=25))


def test_more_than_half_of_the_batch_effect_is_undone(blood):
    before, after, report = distances(blood[False], AlignConfig(rounds=25))
    assert after < 0.5 * before
    scores = {row["method"]: row for row in report["scores"]}
    (chosen,) = (row for row in report["scores"] if row.get("chosen"))
    assert chosen["emd"] < 0.6 * scores["nothing"]["emd"]
    assert chosen["auc"] < scores["nothing"]["auc"] - 0.1
    assert report["verdict"]["level"] in {"good", "caution"}


def test_and_no_less_where_the_batch_lacks_a_type(lacking, blood):
    before, after, _ = lacking
    assert after < 0.5 * before
    plain = distances(blood[True], AlignConfig(method="quantiles"))
    assert plain[1] > before, (
        "without balance, the missing type would do no harm, and this test shows nothing"
    )


def test_the_type_that_is_missing_is_pointed_out(lacking):
    alone = [row for row in lacking[2]["clusters"] if row["share_reference"] > 10 * row["share_batch"]]
    assert sum(row["share_reference"] for row in alone) > 0.03
    assert any("CD56" in row["high"] for row in alone)
    assert not any(row["mapped"] for row in alone)
    told = [warning for warning in lacking[2]["warnings"] if "almost only in batch1" in warning]
    assert any("CD56+" in warning for warning in told)


def test_magan_as_published_comes_nearer_too(blood):
    before, after, report = distances(blood[False], AlignConfig(method="magan", rounds=100))
    assert after < before
    assert report["scores"][-1]["method"] == "MAGAN's generator"
    assert report["scores"][-1]["chosen"]


def test_blood_of_one_person_measured_on_two_days(real_cells):
    cells = ad.read_h5ad(real_cells / "replicates_person1.h5ad")
    cells = cells[cells.obs["timepoint"] == "baseline"]
    days = [cells[cells.obs["batch"] == day].copy() for day in ("Day1", "Day2")]
    alignment = cellgan.align(days, config=AlignConfig(rounds=25))
    (report,) = alignment.report["batches"]
    scores = {row["method"]: row for row in report["scores"]}
    (chosen,) = (row for row in report["scores"] if row.get("chosen"))
    assert scores["nothing"]["auc"] > 0.8
    assert chosen["auc"] < scores["nothing"]["auc"] - 0.15
    assert chosen["emd"] < 0.6 * scores["nothing"]["emd"]
    assert chosen["neighbours"] > 0.4
    assert np.isfinite(alignment.adata.layers["aligned"]).all()
