from __future__ import annotations

import inspect
import re
import shlex
from pathlib import Path

import anndata as ad
import numpy as np
import pytest

import cellgan as package
from cellgan_cli.simulate import simulate

EXAMPLE = Path(__file__).parents[2] / "example_data"


def test_example_data_is_what_its_script_makes(cellgan, tmp_path):
    (line,) = re.findall(r"^cellgan (.*)$", (EXAMPLE / "make.sh").read_text(), flags=re.MULTILINE)
    words = [str(tmp_path) if "dirname" in word else word for word in shlex.split(line)]
    result = cellgan(*words)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [str(tmp_path / f"batch{i}.h5ad") for i in (1, 2)]
    for name in ("batch1.h5ad", "batch2.h5ad"):
        made, kept = ad.read_h5ad(tmp_path / name), ad.read_h5ad(EXAMPLE / name)
        assert made.obs.equals(kept.obs)
        assert made.var.equals(kept.var)
        # The last bits of exp and sinh may differ from machine to machine.
        np.testing.assert_allclose(made.X, kept.X, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(made.layers["truth"], kept.layers["truth"], rtol=1e-5, atol=1e-5)


def test_defaults_are_those_of_the_function(cellgan):
    defaults = {name: p.default for name, p in inspect.signature(package.simulate).parameters.items()}
    flags = {option.name: option.default for option in simulate.params}
    assert flags["cells"] == defaults["n_cells"]
    assert flags["markers"] == defaults["n_markers"]
    assert flags["seed"] == defaults["seed"]
    assert flags["missing"] == defaults["missing"]


def test_seed_and_missing_are_passed_on(cellgan, tmp_path):
    words = ["simulate", tmp_path / "new", "--cells", "200", "--markers", "5"]
    assert cellgan(*words).exit_code == 0
    first = ad.read_h5ad(tmp_path / "new/batch2.h5ad")
    assert cellgan(*words, "--overwrite", "--seed", "1", "--missing").exit_code == 0
    second = ad.read_h5ad(tmp_path / "new/batch2.h5ad")
    assert first.shape == second.shape == (200, 5)
    assert not np.array_equal(first.X, second.X)
    assert second.obs["cell_type"].nunique() < first.obs["cell_type"].nunique()


def test_older_files_are_kept_unless_asked(cellgan, tmp_path):
    (tmp_path / "batch2.h5ad").write_text("mine")
    result = cellgan("simulate", tmp_path)
    assert result.exit_code == 1
    assert "exists" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["batch2.h5ad"]


@pytest.mark.parametrize("words", [["--markers", "1"], ["--cells", "0"], ["--seed", "-1"]])
def test_numbers_out_of_range(cellgan, tmp_path, words):
    result = cellgan("simulate", tmp_path / "new", *words)
    assert result.exit_code == 2
    assert not (tmp_path / "new").exists()
