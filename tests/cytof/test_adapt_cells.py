"""Cell types carried to another centre's cells, on simulated cells of known type."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import cellgan
from cellgan.adaptation.config import AdaptConfig
from cellgan.cytof.adapt_cells import CellsConfig, adapt_cells
from cellgan.errors import ConfigError, InputError, PanelError
from cellgan_cli.main import cli

MARKERS = ["CD3", "CD4", "CD19", "CD14"]
CENTRES = np.array([[4.0, 4.0, 0.5, 0.5], [0.5, 0.5, 4.0, 0.5], [0.5, 2.0, 0.5, 4.0]])
TYPES = np.array(["T", "B", "Monocyte"])
GAME = AdaptConfig(rounds=60, checkpoints=4, size=64, encoder_lr=5e-3)


def cells(seed, *, n=450, factor=1.0, markers=MARKERS):
    """Cells of three types on the arcsinh scale; another instrument has another gain."""
    rng = np.random.default_rng(seed)
    types = np.arange(n) % 3
    values = CENTRES[types] * factor + rng.normal(0, 0.45, (n, 4))
    obs = pd.DataFrame({"cell_type": TYPES[types]}, index=[f"c{seed}_{k}" for k in range(n)])
    return ad.AnnData(values.clip(0).astype(np.float32), obs=obs, var=pd.DataFrame(index=markers))


def accuracy(adata, key):
    return float(np.mean(adata.obs[key].to_numpy(dtype=str) == adata.obs["cell_type"].to_numpy(dtype=str)))


@pytest.fixture(scope="module")
def found():
    target = cells(1, factor=np.array([0.6, 0.3, 0.7, 0.75]))
    return target, adapt_cells(cells(0), target, CellsConfig("cell_type", unknown_below=0.0), GAME)


def test_types_are_found(found):
    _, result = found
    assert accuracy(result.adata, "cellgan_type") >= accuracy(result.adata, "cellgan_source_type")
    assert accuracy(result.adata, "cellgan_type") > 0.95
    assert result.adata.obs["cellgan_confidence"].between(1 / 3, 1).all()


def test_what_was_given_is_left_alone(found):
    target, result = found
    assert list(target.obs) == ["cell_type"]
    assert np.array_equal(target.X, result.adata.X)


def test_target_labels_are_not_looked_at(found):
    target, result = found
    blind = target.copy()
    blind.obs["cell_type"] = "B"
    again = adapt_cells(cells(0), blind, CellsConfig("cell_type", unknown_below=0.0), GAME)
    assert list(again.adata.obs["cellgan_type"]) == list(result.adata.obs["cellgan_type"])


def test_fitting_again_follows_the_cells_to_where_they_are(found):
    target, result = found
    assert result.report["fitted_again"]["used"]
    assert result.report["kept"] == "adapted"
    without = adapt_cells(
        cells(0), target, CellsConfig("cell_type", unknown_below=0.0, fit_again=False), GAME
    )
    assert without.report["fitted_again"] is None
    changed = without.adata.obs["cellgan_type"] != result.adata.obs["cellgan_type"]
    assert result.report["fitted_again"]["changed"] == changed.sum() > 0
    assert accuracy(result.adata, "cellgan_type") > accuracy(without.adata, "cellgan_type")


def test_doubtful_cells_stay_unknown(found):
    target, result = found
    bold = result.adata.obs["cellgan_confidence"].to_numpy()
    least = float(np.sort(bold)[20])
    careful = adapt_cells(cells(0), target, CellsConfig("cell_type", unknown_below=least), GAME)
    unknown = careful.adata.obs["cellgan_type"].to_numpy(dtype=str) == "unknown"
    assert 0 < unknown.sum() < len(unknown)
    assert np.array_equal(unknown, bold < least)


def test_unlabelled_cells_are_not_learned():
    source = cells(0)
    source.obs["cell_type"] = source.obs["cell_type"].replace({"Monocyte": "unlabelled"})
    result = adapt_cells(source, cells(1), CellsConfig("cell_type", unknown_below=0.0), GAME)
    assert set(result.adata.obs["cellgan_type"]) == {"T", "B"}


def with_others(seed, **how):
    """Cells of which every tenth is of a type that has none of the markers but a little of all."""
    made = cells(seed, **how)
    others = np.arange(made.n_obs) % 10 == 0
    made.X[others] = np.random.default_rng(seed).normal(2.2, 0.2, (others.sum(), 4))
    made.obs["cell_type"] = np.where(others, "other", made.obs["cell_type"])
    return made


@pytest.mark.parametrize("moved", [0.0, 0.9])
def test_cells_of_a_type_that_the_source_lacks_are_marked(moved):
    target = with_others(1, n=900)
    target.X = target.X + np.float32(moved)
    result = adapt_cells(cells(0, n=900), target, CellsConfig("cell_type"), GAME)
    others = (target.obs["cell_type"] == "other").to_numpy()
    marked = result.adata.obs["cellgan_novel"].to_numpy()
    assert marked[others].mean() > 0.9
    assert marked[~others].mean() < 0.01
    assert "other" not in set(result.adata.obs["cellgan_type"])
    (warning,) = result.report["warnings"]
    assert f"{marked.sum()} of target’s cells" in warning
    config = CellsConfig("cell_type", novel_unknown=True)
    careful = adapt_cells(cells(0, n=900), target, config, GAME).adata.obs
    assert (careful["cellgan_type"][marked] == "unknown").all()


@pytest.mark.parametrize("moved", [0.0, 0.5])
def test_nothing_is_marked_where_the_types_are_the_same(moved):
    target = cells(1, n=900)
    target.X = target.X + np.float32(moved)
    result = adapt_cells(cells(0, n=900), target, CellsConfig("cell_type"), GAME)
    assert not result.adata.obs["cellgan_novel"].any()
    assert result.report["warnings"] == []
    assert result.report["novel"] == 0


def test_what_is_told_of_each_type(found):
    target, result = found
    obs, report = result.adata.obs, result.report
    assert [each["type"] for each in report["each_type"]] == ["B", "Monocyte", "T"]
    for each in report["each_type"]:
        own = (obs["cellgan_type"] == each["type"]).to_numpy()
        assert (each["labelled"], each["given"]) == (150, own.sum())
        assert each["confidence"] == pytest.approx(obs["cellgan_confidence"][own].median())
        assert each["found_at_home"] > 0.95
    changed = obs["cellgan_source_type"].astype(str) + ">" + obs["cellgan_type"].astype(str)
    counts = changed[obs["cellgan_source_type"].to_numpy() != obs["cellgan_type"].to_numpy()].value_counts()
    assert {f"{row['from']}>{row['to']}": row["cells"] for row in report["changed"]} == counts.to_dict()
    rows = {(row["type"], row["centre"]): row["medians"] for row in report["medians"]["rows"]}
    at = [MARKERS.index(name) for name in report["medians"]["markers"]]
    theirs = np.median(target.X[(obs["cellgan_type"] == "B").to_numpy()], 0)[at]
    assert rows["B", "target"] == pytest.approx(theirs.tolist(), abs=1e-4)


def test_markers_that_the_target_lacks_are_named_and_what_cannot_be_told_without_them():
    source, target = cells(0), cells(1)
    target = target[:, ["CD19", "CD14"]].copy()
    source.X[:, [0, 1]] = 4 * (np.arange(source.n_obs)[:, None] % 3 == 0)
    source.X[:, [2, 3]] = np.random.default_rng(0).normal(4, 0.2, (source.n_obs, 2))
    warnings = " ".join(adapt_cells(source, target, CellsConfig("cell_type"), GAME).report["warnings"])
    assert "target did not measure 2 of source’s markers: CD3 and CD4" in warnings
    assert "not all types can be told apart" in warnings


def test_the_alignments_verdict_is_passed_on():
    settings = CellsConfig("cell_type", align=True)
    target = with_others(1, n=900)
    result = adapt_cells(cells(0, n=900), target, settings, GAME)
    told = result.report["alignment"]
    alone = cellgan.align({"source": cells(0, n=900), "target": target}).report["batches"][0]
    assert told["verdict"]["level"] == alone["verdict"]["level"]
    said = any("The alignment that came first" in warning for warning in result.report["warnings"])
    assert said == (told["verdict"]["level"] not in {"good", "nothing"})


def test_few_cells_are_warned_of():
    result = adapt_cells(cells(0), cells(1, n=30), CellsConfig("cell_type"), GAME)
    assert any("target has 30 cells" in warning for warning in result.report["warnings"])


def one_type(source):
    source.obs["cell_type"] = "T"


def few(source):
    labels = source.obs["cell_type"].to_numpy(dtype=object)
    labels[:3] = "NK"
    source.obs["cell_type"] = labels


def numbers(source):
    source.obs["cell_type"] = source.X[:, 0]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (one_type, "only 'T'"),
        (few, "'NK' has 3 labelled cells"),
        (numbers, "holds numbers such as"),
        (lambda s: s.obs.drop(columns="cell_type", inplace=True), "no obs column"),
    ],
)
def test_labels_that_cannot_be_learned(spoil, words):
    source = cells(0)
    spoil(source)
    with pytest.raises(InputError, match=words):
        adapt_cells(source, cells(1), CellsConfig("cell_type"), GAME)


def test_panels_that_differ():
    with pytest.raises(PanelError):
        adapt_cells(cells(0), cells(1, markers=["P1", "P2", "P3", "P4"]), CellsConfig("cell_type"), GAME)


def test_settings_that_make_no_sense():
    with pytest.raises(ConfigError, match="less than 1"):
        CellsConfig("cell_type", unknown_below=1.5)
    with pytest.raises(ConfigError, match="label is empty"):
        CellsConfig("")
    with pytest.raises(ConfigError, match="seed is -1"):
        CellsConfig("cell_type", seed=-1)


def test_the_command_line(tmp_path):
    cells(0).write_h5ad(tmp_path / "a.h5ad")
    cells(1, factor=0.8).write_h5ad(tmp_path / "b.h5ad")
    out = tmp_path / "out.h5ad"
    words = ["adapt", "cells", tmp_path / "a.h5ad", tmp_path / "b.h5ad", "--label", "cell_type", "-o", out]
    done = CliRunner().invoke(cli, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    assert {"cellgan_type", "cellgan_confidence"} <= set(ad.read_h5ad(out).obs)
    assert "Adaptation report" in out.with_suffix(".html").read_text()
    again = CliRunner().invoke(cli, [str(word) for word in words])
    assert again.exit_code == 1
    assert "exists already" in again.output
    wrong = CliRunner().invoke(cli, [*map(str, words[:-1]), "out.csv"])
    assert wrong.exit_code == 2


def test_all_files_are_listed_and_columns_get_other_names(tmp_path):
    cells(0).write_h5ad(tmp_path / "a.h5ad")
    cells(1, markers=["P1", "P2", "CD19", "CD14"]).write_h5ad(tmp_path / "b.h5ad")
    (tmp_path / "names.csv").write_text("batch,from,to\nb,P1,CD3\nb,P2,CD4\n")
    words = ["adapt", "cells", "a.h5ad", "b.h5ad", "--label", "cell_type", "-o", "out.h5ad"]
    with contextlib.chdir(tmp_path):
        done = CliRunner().invoke(cli, [*words, "--rename", "names.csv"])
        assert done.exit_code == 0, done.output
        assert done.stdout.split() == ["out.h5ad", "out.html", "out.json"]
        assert json.loads(Path("out.json").read_text())["markers"] == MARKERS
        (tmp_path / "copy.h5ad").write_bytes((tmp_path / "a.h5ad").read_bytes())
        words[3] = "copy.h5ad"
        same = CliRunner().invoke(cli, [*words, "--overwrite"])
    assert same.exit_code == 1
    assert "copies of one file" in same.stderr
