from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from cellgan.images.demos import TITLES


def test_the_list_goes_to_stdout_without_torch(cellgan):
    result = cellgan("demo", "list")
    assert result.exit_code == 0
    assert dict(line.split("\t") for line in result.stdout.splitlines()) == TITLES
    code = (
        "import sys\nfrom cellgan_cli.main import cli\ncli(['demo', 'list'], standalone_mode=False)\n"
        "print({'torch', 'numpy', 'sklearn'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr.strip() == "set()"


def test_a_demo_writes_its_page_and_its_figures(cellgan, tmp_path):
    words = ["demo", "run", "optimal-discriminator", "-o", tmp_path / "new", "--rounds", "5"]
    result = cellgan(*words)
    assert result.exit_code == 0, result.output
    files = [tmp_path / "new" / f"optimal-discriminator.{suffix}" for suffix in ("html", "json")]
    assert result.stdout.splitlines() == [str(path) for path in files]
    assert "not passed" in result.stderr
    assert "bounds are meant for 600 rounds" in result.stderr
    report = json.loads(files[1].read_text())
    assert (report["demo"], report["seed"], report["rounds"]) == ("optimal-discriminator", 0, 5)
    assert sorted((tmp_path / "new").iterdir()) == files
    again = cellgan(*words)
    assert again.exit_code == 1
    assert "exists already" in again.stderr
    assert cellgan(*words, "--overwrite", "--seed", "1").exit_code == 0
    assert json.loads(files[1].read_text())["seed"] == 1


def test_a_file_of_images_takes_the_place_of_the_digits(cellgan, tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (80, 12, 12), dtype=np.uint8)
    np.savez(tmp_path / "own.npz", x=x, y=np.arange(80) % 2)
    words = ["demo", "run", "conditional-vae", "-o", tmp_path / "new", "--rounds", "5"]
    result = cellgan(*words, "--data", tmp_path / "own.npz")
    assert result.exit_code == 0, result.output
    told = json.loads((tmp_path / "new/conditional-vae.json").read_text())["data"]
    assert told == "80 images of own.npz, brought to 8 x 8 pixels"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["magic"], 2, "'magic' is not one of"),
        (["vae", "--data", "none.npz"], 1, "there is no such file"),
        (["gan", "--data", "own.npz"], 2, "takes no images"),
        (["gan", "--rounds", "0"], 2, "--rounds"),
        (["gan", "--seed", "-1"], 2, "--seed"),
    ],
)
def test_what_cannot_be_done_is_told_and_leaves_nothing(cellgan, tmp_path, monkeypatch, words, code, told):
    monkeypatch.chdir(tmp_path)
    np.savez("own.npz", x=np.zeros((60, 8, 8), np.uint8), y=np.arange(60) % 2)
    result = cellgan("demo", "run", *words, "-o", "new")
    assert result.exit_code == code
    assert told in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own.npz"]
