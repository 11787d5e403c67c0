"""Cell types carried to another centre's cells, on simulated cells of known type."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

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


def one_type(source):
    source.obs["cell_type"] = "T"


def few(source):
    labels = source.obs["cell_type"].to_numpy(dtype=object)
    labels[:3] = "NK"
    source.obs["cell_type"] = labels


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (one_type, "only 'T'"),
        (few, "'NK' has 3 labelled cells"),
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
