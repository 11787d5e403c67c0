"""The whole way, from files to files, on a few simulated cells."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import anndata as ad
import flowio
import numpy as np
import pytest
from click.testing import CliRunner

import cellgan as package
from cellgan_cli.main import cli

QUICK = ["--rounds", "30", "--threads", "1"]


def call(*words: object) -> list[str]:
    result = CliRunner().invoke(cli, [str(word) for word in words])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout.splitlines()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three small batches, aligned once with everything that comes with it."""
    folder = tmp_path_factory.mktemp("run")
    first, second = package.simulate(n_cells=700, n_markers=8, seed=1)
    third = package.simulate(n_cells=600, n_markers=8, seed=2)[1]
    third.obs_names = [*second.obs_names[:3], *[f"third-{i}" for i in range(597)]]
    for name, batch in {"one": first, "two": second, "three": third}.items():
        batch.write_h5ad(folder / f"{name}.h5ad")
    before = {path: digest(path) for path in folder.iterdir()}
    inputs = [folder / "one.h5ad", folder / "two.h5ad", folder / "three.h5ad"]
    written = call("align", *inputs, "--output", folder / "out.h5ad", *QUICK)
    assert {path: digest(path) for path in before} == before
    return folder, inputs, written


def test_four_files_are_written_and_nothing_else(made):
    folder, inputs, written = made
    ends = [".h5ad", ".model", ".html", ".json"]
    assert written == [str(folder / f"out{end}") for end in ends]
    assert {path.name for path in folder.iterdir()} >= {*(f"out{end}" for end in ends)}
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_every_cell_is_there_as_it_was_measured(made):
    folder, inputs, _ = made
    out = ad.read_h5ad(folder / "out.h5ad")
    batches = [ad.read_h5ad(path) for path in inputs]
    np.testing.assert_array_equal(out.X, np.concatenate([batch.X for batch in batches]))
    assert list(out.obs["batch"].unique()) == ["one", "two", "three"]
    assert out.obs_names.is_unique
    renamed = out.obs["original_name"].astype(str) if "original_name" in out.obs else out.obs_names
    assert set(batches[1].obs_names[:3]) <= set(renamed)
    assert np.isfinite(out.layers["aligned"]).all()
    reference = out[out.obs["batch"] == "one"]
    np.testing.assert_allclose(
        reference.layers["aligned"], np.arcsinh(batches[0].X / 5), rtol=1e-5, atol=1e-5
    )


def test_the_screen_names_the_aligned_markers_unless_there_are_many(made, tmp_path, monkeypatch):
    _, inputs, _ = made
    names = list(ad.read_h5ad(inputs[0]).var_names)
    words = ["align", *map(str, inputs[:2]), "--method", "quantiles", "--output", str(tmp_path / "out.h5ad")]
    line = f"aligned: {', '.join(names)}"
    for named, shown in ((len(names) + 1, True), (len(names), False)):
        monkeypatch.setattr("cellgan.cytof.align.NAMED", named)
        result = CliRunner().invoke(cli, [*words, "--overwrite", "--no-report"])
        assert result.exit_code == 0, result.output
        assert (line in result.stderr.splitlines()) is shown
        assert result.stderr.count("8 shared markers") == 1


def test_report_tells_the_inputs_by_their_hashes(made):
    folder, inputs, _ = made
    report = json.loads((folder / "out.json").read_text())
    assert [entry["sha256"] for entry in report["inputs"]] == [digest(path) for path in inputs]
    assert [batch["batch"] for batch in report["batches"]] == ["two", "three"]


def test_same_seed_same_bytes(made, tmp_path):
    folder, inputs, _ = made
    call("align", *inputs, "--output", tmp_path / "out.h5ad", *QUICK)
    first, second = ad.read_h5ad(folder / "out.h5ad"), ad.read_h5ad(tmp_path / "out.h5ad")
    assert first.layers["aligned"].tobytes() == second.layers["aligned"].tobytes()
    assert digest(folder / "out.model") == digest(tmp_path / "out.model")
    assert digest(folder / "out.html") == digest(tmp_path / "out.html")


def test_map_gives_the_bytes_of_the_first_run(made, tmp_path):
    folder, inputs, _ = made
    before = digest(inputs[1])
    written = call("map", folder / "out.model", inputs[1], "--batch", "two", "-o", tmp_path / "two.h5ad")
    assert written == [str(tmp_path / "two.h5ad")]
    assert digest(inputs[1]) == before
    mapped, out = ad.read_h5ad(tmp_path / "two.h5ad"), ad.read_h5ad(folder / "out.h5ad")
    wanted = out[out.obs["batch"] == "two"].layers["aligned"]
    assert mapped.layers["aligned"].tobytes() == np.asarray(wanted).tobytes()
    np.testing.assert_array_equal(mapped.X, ad.read_h5ad(inputs[1]).X)


def test_map_refuses_a_panel_that_lacks_markers_by_name(made, tmp_path, cellgan):
    folder, inputs, _ = made
    ad.read_h5ad(inputs[1])[:, :5].copy().write_h5ad(tmp_path / "narrow.h5ad")
    result = cellgan(
        "map", folder / "out.model", tmp_path / "narrow.h5ad", "--batch", "two", "-o", tmp_path / "x.h5ad"
    )
    assert result.exit_code == 1
    assert "CD14" in result.stderr
    assert not (tmp_path / "x.h5ad").exists()


def test_map_asks_which_batch_is_meant(made, tmp_path, cellgan):
    folder, inputs, _ = made
    result = cellgan("map", folder / "out.model", inputs[1], "-o", tmp_path / "x.h5ad")
    assert result.exit_code == 2
    assert "two, three" in result.stderr


@pytest.mark.parametrize("name", ["one.h5ad", "out.html", "nowhere.model"])
def test_map_refuses_what_is_no_model(made, tmp_path, cellgan, name):
    folder, inputs, _ = made
    result = cellgan("map", folder / name, inputs[1], "-o", tmp_path / "x.h5ad")
    assert result.exit_code == 1
    assert name in result.stderr


def test_map_never_replaces_what_it_reads(made, cellgan):
    folder, inputs, _ = made
    for target in (inputs[1], folder / "out.model"):
        before = digest(target)
        words = ["map", folder / "out.model", inputs[1], "-o", target, "--overwrite"]
        assert cellgan(*words).exit_code in {1, 2}
        assert digest(target) == before


def test_map_takes_h5ad_or_fcs_names_only(made, tmp_path, cellgan):
    folder, inputs, _ = made
    result = cellgan("map", folder / "out.model", inputs[1], "-o", tmp_path / "x.csv")
    assert result.exit_code == 2
    assert ".h5ad, .zarr or .fcs" in result.stderr


def test_fcs_files_into_a_folder(made, tmp_path):
    folder, inputs, _ = made
    target = tmp_path / "fcs"
    written = call("align", *inputs[:2], "--output", f"{target}/", "--no-report", *QUICK)
    assert written == [str(target / name) for name in ("one.fcs", "two.fcs", "aligned.model")]
    read = flowio.FlowData(target / "two.fcs")
    values = read.as_array(preprocess=False)
    assert values.shape == (700, 8)
    assert np.isfinite(values).all()
    # Back in, an .fcs file maps to the same cells as the .h5ad that it came from.
    call("map", target / "aligned.model", inputs[1], "-o", tmp_path / "again.fcs")
    again = flowio.FlowData(tmp_path / "again.fcs").as_array(preprocess=False)
    np.testing.assert_array_equal(again, values)


def test_one_file_with_several_batches(made, tmp_path):
    folder, inputs, _ = made
    batches = {path.stem: ad.read_h5ad(path) for path in inputs[:2]}
    ad.concat(batches, label="plate").write_h5ad(tmp_path / "all.h5ad")
    call(
        "align",
        tmp_path / "all.h5ad",
        "--batch-key",
        "plate",
        "-o",
        tmp_path / "o.h5ad",
        "--no-report",
        *QUICK,
    )
    out = ad.read_h5ad(tmp_path / "o.h5ad")
    assert out.obs["batch"].value_counts().to_dict() == {"one": 700, "two": 700}
