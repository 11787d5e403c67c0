"""The digits benchmark as a whole: both directions, every seed, stopped and taken up again."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from cellgan.adaptation import digit_runs
from cellgan.adaptation.config import AdaptConfig
from cellgan.adaptation.digit_benchmark import SAMPLES, DigitRun, Scored, find_digits, run_digits
from cellgan.errors import InputError
from cellgan_cli.main import cli


@pytest.fixture
def folder(tmp_path):
    """Digits of two sites: each digit is a bar in a place of its own."""
    rng = np.random.default_rng(0)
    for name, side in (("mnist", 28), ("usps", 16)):
        y = np.arange(60) % 10
        x = rng.integers(0, 40, (60, side, side))
        for image, digit in zip(x, y, strict=True):
            at = 1 + int(digit) * (side - 4) // 10
            image[at : at + 3, 2 : side - 2] = 255
        np.savez(tmp_path / f"{name}_few.npz", x=x.astype(np.uint8), y=y)
    return tmp_path


@pytest.fixture
def played(monkeypatch):
    runs = []

    def play(files, direction, config, *, framing, progress):
        if len(runs) == 3:
            raise KeyboardInterrupt
        runs.append((direction, config.seed))
        return DigitRun(*direction, config.seed, Scored(0.8, 0.8), Scored(0.9, 0.9), 0.97, (0.8, 0.9), 1, 1.0)

    monkeypatch.setattr(digit_runs, "run_digits", play)
    return runs


def bench(folder, *words):
    given = ["adapt", "benchmark", "digits", "--data", folder, "--report", folder / "d.html", *words]
    return CliRunner().invoke(cli, [str(word) for word in given])


def test_a_benchmark_that_was_stopped_goes_on(folder, played):
    first = bench(folder, "--seeds=2")
    assert first.exit_code == 130
    assert "d.runs.json keeps what was done: the same command with --resume" in first.stderr
    afresh = bench(folder, "--seeds=2")
    assert afresh.exit_code == 1
    assert "--resume" in afresh.stderr
    other = bench(folder, "--seeds=2", "--resume", "--framing=box")
    assert other.exit_code == 1
    assert "started with framing resize (now box)" in other.stderr
    done, again = list(played), bench(folder, "--seeds=2", "--resume")
    assert again.exit_code == 130  # the stand-in stops at the fourth
    assert played == done
    played.clear()
    last = bench(folder, "--seeds=2", "--resume")
    assert last.exit_code == 0, last.output
    assert len(played) == 1
    assert "least gain of a seed         +0.100" in last.stdout
    assert len(json.loads((folder / "d.json").read_text())["runs"]) == 4
    assert not (folder / "d.runs.json").exists()
    assert bench(folder).exit_code == 1  # the report is there


@pytest.mark.parametrize("content", ["", "[1]", '{"about": {}}'])
def test_kept_runs_that_are_damaged_are_refused(folder, played, content):
    (folder / "d.runs.json").write_text(content)
    refused = bench(folder, "--resume")
    assert refused.exit_code == 1
    assert "does not hold the runs of a benchmark" in refused.stderr
    assert not played


def test_one_real_run_is_the_same_twice(folder, monkeypatch):
    monkeypatch.setitem(SAMPLES, "mnist", 40)
    monkeypatch.setitem(SAMPLES, "usps", 40)
    config = AdaptConfig(rounds=3, size=8, checkpoints=1)
    a, b = (run_digits(find_digits(folder), ("usps", "mnist"), config, rounds=4).as_json() for _ in range(2))
    assert a | {"seconds": 0} == b | {"seconds": 0}
    assert len(a["candidates"]) == 2
    assert a["candidates"][0] == pytest.approx(a["source_only"]["sample"])


def test_digits_that_are_not_there(tmp_path):
    with pytest.raises(InputError, match="no files called mnist"):
        find_digits(tmp_path)
    assert bench(tmp_path).exit_code == 1
    with pytest.raises(
        InputError, match=r"none does not exist; expected one with mnist\*.npz and usps\*.npz"
    ):
        find_digits(tmp_path / "none")
    assert bench(tmp_path, "--seeds=0").exit_code == 2
