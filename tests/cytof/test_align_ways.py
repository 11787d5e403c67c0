"""Controls, conditions and a consensus, all the way: what each leaves alone, and what each removes."""

from __future__ import annotations

import json
import re

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import cellgan
from cellgan.cytof.align import Screen, align_batches, align_files
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.read_write import batches_from_adata
from cellgan.errors import ConfigError

N = 700
QUICK = {"rounds": 5, "transform": "arcsinh"}
TREATED = "CD4"  # what the treatment does shows here


def values(adata: ad.AnnData, batch: str, layer: str = "aligned") -> np.ndarray:
    return np.asarray(adata[adata.obs["batch"] == batch].layers[layer])


def treat(counts: np.ndarray) -> np.ndarray:
    return counts * 4 + 20


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean distance of quantiles, arcsinh units."""
    levels = np.linspace(0.05, 0.95, 19)
    return float(np.abs(np.quantile(a, levels, axis=0) - np.quantile(b, levels, axis=0)).mean())


@pytest.fixture(scope="module")
def two():
    return cellgan.simulate(n_cells=N, n_markers=8, seed=3)


@pytest.fixture(scope="module")
def treated(two):
    """A control of each batch, and the batches themselves: all cells of the second were treated."""
    controls, rest = zip(*((cells[: N // 2].copy(), cells[N // 2 :].copy()) for cells in two), strict=True)
    marker = list(rest[1].var_names).index(TREATED)
    rest[1].X[:, marker] = treat(rest[1].X[:, marker])
    names = ("one", "two")
    return dict(zip(names, rest, strict=True)), dict(zip(names, controls, strict=True))


def shift(adata: ad.AnnData, before: ad.AnnData) -> float:
    """Return how much brighter the treated marker is in the second batch, beyond its own half."""
    marker = list(adata.var_names).index(TREATED)
    return float(np.median(values(adata, "two")[:, marker]) - np.median(values(before, "two")[:, marker]))


@pytest.fixture(scope="module")
def by_controls(treated):
    batches, controls = treated
    return cellgan.align(batches, anchors=controls, config=AlignConfig(**QUICK))


def test_what_was_done_to_all_cells_of_a_batch_survives_on_controls(treated, by_controls, two):
    batches, controls = treated
    plain = {"one": batches["one"], "two": two[1][N // 2 :].copy()}
    untreated = cellgan.align(plain, anchors=controls, config=AlignConfig(**QUICK)).adata
    kept = shift(by_controls.adata, untreated)
    gone = shift(cellgan.align(batches, config=AlignConfig(**QUICK)).adata, untreated)
    assert kept > 0.8
    assert abs(gone) < 0.25
    # All other markers are aligned by the very same maps.
    rest = [i for i, name in enumerate(untreated.var_names) if name != TREATED]
    assert distance(values(by_controls.adata, "two")[:, rest], values(untreated, "two")[:, rest]) < 0.05


def test_the_report_tells_what_was_learned_from(by_controls, treated):
    (batch,) = by_controls.report["batches"]
    assert batch["learned_from"] == {"source": "controls", "reference": N // 2, "batch": N // 2}
    assert batch["n_cells"] == treated[0]["two"].n_obs


def test_a_table_of_controls_does_the_same_as_controls_in_memory(tmp_path, treated, by_controls):
    for kind, cells in (("batch", treated[0]), ("control", treated[1])):
        for name, own in cells.items():
            path = tmp_path / (f"{name}.h5ad" if kind == "batch" else f"control-{name}.h5ad")
            own.write_h5ad(path)
    (tmp_path / "anchors.csv").write_text("batch,file\none,control-one.h5ad\ntwo,control-two.h5ad\n")
    paths = [tmp_path / "one.h5ad", tmp_path / "two.h5ad"]
    found = align_files(paths, AlignConfig(**QUICK), anchors=tmp_path / "anchors.csv")
    for layer in ("aligned", "aligned_sd"):
        np.testing.assert_array_equal(found.adata.layers[layer], by_controls.adata.layers[layer])


def test_control_cells_within_batches_do_too(treated, by_controls):
    batches, controls = treated
    both = {}
    for name in ("one", "two"):
        both[name] = ad.concat([controls[name], batches[name]])
        both[name].obs["sample"] = ["control"] * controls[name].n_obs + ["patient"] * batches[name].n_obs
    found = cellgan.align(both, config=AlignConfig(**QUICK, anchor_key="sample=control"))
    assert found.report["batches"][0]["learned_from"]["source"] == "controls"
    patients = found.adata[(found.adata.obs["sample"] == "patient").to_numpy()]
    assert distance(values(patients, "two"), values(by_controls.adata, "two")) < 0.1


def test_shares_of_a_condition_are_no_batch_effect(two):
    """Four fifths of one batch and a fifth of the other are treated; without an effect of the batch."""
    cells = two[0].X
    rng = np.random.default_rng(0)
    given = {}
    for name, rows, share in (("one", slice(None, None, 2), 0.2), ("two", slice(1, None, 2), 0.8)):
        counts = cells[rows].copy()
        drug = rng.random(len(counts)) < share
        at = list(two[0].var_names).index(TREATED)
        counts[drug, at] = treat(counts[drug, at])
        obs = pd.DataFrame(
            {"drug": np.where(drug, "yes", "no")}, index=[f"{name}{i}" for i in range(len(drug))]
        )
        given[name] = ad.AnnData(counts, obs=obs, var=two[0].var)
    moved = {}
    for condition in (None, "drug"):
        found = cellgan.align(given, config=AlignConfig(**QUICK, condition=condition))
        moved[condition] = np.abs(
            values(found.adata, "two")[:, at] - np.arcsinh(given["two"].X[:, at] / 5)
        ).mean()
    learned = found.report["batches"][0]["learned_from"]
    assert learned["source"] == "condition"
    assert learned["reference"] < N // 2 > learned["batch"]
    assert moved["drug"] < 0.3 * moved[None]


@pytest.fixture(scope="module")
def consensus(two):
    third = cellgan.simulate(n_cells=N - 100, n_markers=8, seed=4)[1]
    batches = {"one": two[0], "two": two[1], "three": third}
    return cellgan.align(batches, config=AlignConfig(reference="consensus", **QUICK)), batches


def test_a_consensus_moves_every_batch(consensus):
    found, batches = consensus
    assert [batch["batch"] for batch in found.report["batches"]] == list(batches)
    assert found.report["reference"] == found.adata.uns["cellgan"]["reference"] == "consensus"
    assert {batch["reference"] for batch in found.report["batches"]} == {"consensus"}
    assert found.adata.obs["batch"].cat.categories.tolist() == list(batches)
    measured = {name: np.arcsinh(cells.X / 5) for name, cells in batches.items()}
    for name in batches:
        moved = np.abs(values(found.adata, name) - measured[name]).max(axis=0)
        assert (moved > 0.01).sum() >= len(moved) - 1  # what differs by chance alone is kept as measured
    assert distance(values(found.adata, "one"), values(found.adata, "two")) < 0.6 * distance(
        measured["one"], measured["two"]
    )


def test_and_its_model_maps_every_batch(consensus, tmp_path):
    found, batches = consensus
    found.save(tmp_path / "aligned.model")
    model = cellgan.load(tmp_path / "aligned.model")
    for name, cells in batches.items():
        again = model.map(cells, name)
        np.testing.assert_array_equal(again.layers["aligned"], values(found.adata, name))
        np.testing.assert_array_equal(again.layers["aligned_sd"], values(found.adata, name, "aligned_sd"))
    with pytest.raises(ConfigError, match="maps one, two, three onto consensus"):
        model.map(batches["one"])


def test_nobody_is_called_the_reference(two):
    said = []
    batches = [cells[:200].copy() for cells in two]
    for reference, times in (("consensus", 0), (None, 1)):
        said.clear()
        config = AlignConfig(reference=reference, transform="arcsinh", method="quantiles")
        align_batches(batches_from_adata(batches), config, Screen(say=said.append))
        assert sum("(reference)" in line for line in said) == times


@pytest.mark.parametrize("reference", [None, "consensus"])
def test_a_batch_called_consensus_is_no_reference(two, reference):
    config = AlignConfig(reference=reference, **QUICK)
    with pytest.raises(ConfigError, match="one of the batches is called so: give that batch another name"):
        cellgan.align({"consensus": two[0], "two": two[1]}, config=config)
    whole = ad.concat(two)
    whole.obs["plate"] = ["consensus"] * N + ["p2"] * N
    with pytest.raises(ConfigError, match="one of the batches is called so"):
        cellgan.align(whole, batch_key="plate", config=config)


def test_scores_in_uns_are_those_of_the_report(consensus):
    found, _ = consensus
    told = json.loads(found.adata.uns["cellgan"]["scores"])
    assert told == {batch["batch"]: batch["scores"] for batch in found.report["batches"]}
    assert not re.search("NaN|Infinity", found.adata.uns["cellgan"]["scores"])
