"""What every workflow looks like, and what it says of sheets and settings that cannot be used."""

from __future__ import annotations

import csv
import re
import subprocess

import pytest

from .conftest import NAMES, WORKFLOWS, installed

DIRECTIVES = {"input", "output", "log", "threads", "resources", "benchmark", "conda", "shell"}


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_says_all_that_a_cluster_must_know(name):
    text = "".join(path.read_text() for path in sorted((WORKFLOWS / name / "workflow/rules").glob("*.smk")))
    rules = re.split(r"^rule (\w+):", text, flags=re.MULTILINE)[1:]
    assert len(rules) >= 4
    for rule, body in zip(rules[::2], rules[1::2], strict=True):
        told = set(re.findall(r"^    (\w+):", body, flags=re.MULTILINE))
        assert told >= DIRECTIVES, rule
        (command,) = re.findall(r"shell:\n(.*?)(?:\n\n|\Z)", body, flags=re.DOTALL)
        first = re.sub(r"^OMP_NUM_THREADS=\{threads\} ", "", command.strip().strip('"'))
        assert first.startswith("cellgan "), rule


@pytest.mark.parametrize("name", NAMES)
def test_the_files_of_the_test_are_small(name):
    assert sum(path.stat().st_size for path in (WORKFLOWS / name / ".test").rglob("*")) < 500_000


def test_every_file_is_formatted():
    command = [installed("snakefmt"), "--check", str(WORKFLOWS)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_snakemake_has_nothing_to_say(study, name):
    assert "in a good condition" in study(name).run("--lint")


def test_forty_batches_are_forty_jobs(study):
    big = study("align_batches")
    (first,) = big.folder.glob("data/tuesday.h5ad")
    with (big.folder / "config/batches.csv").open("a", newline="", encoding="utf-8") as file:
        for number in range(38):
            (big.folder / f"data/batch_{number}.h5ad").symlink_to(first)
            csv.writer(file).writerow([f"data/batch_{number}.h5ad"])
    said = big.run("--dry-run")
    assert re.search(r"^align +40$", said, flags=re.MULTILINE)
    assert re.search(r"^join +1$", said, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "told"),
    [
        (
            "align_batches",
            "config/batches.csv",
            "tuesday.h5ad",
            "tuesday.csv",
            r"batches\.csv, line 3, column file: 'data/tuesday\.csv' does not match",
        ),
        (
            "align_batches",
            "config/batches.csv",
            "tuesday",
            "thursday",
            r"batches\.csv, line 3: there is no file data/thursday\.h5ad; paths are relative",
        ),
        ("align_batches", "config/config.yaml", "rounds: 20", "rouns: 20", r"'rouns' was unexpected"),
        ("merge_panels", "config/panels.csv", "panel_b", "panel_a", r"line 3: the name panel_a is also"),
        (
            "segment_prostate",
            "config/cases.csv",
            "b,B,../data/b_t2w.nii.gz",
            "b,B,../data/c_t2w.nii.gz",
            r"cases\.csv, line 3: there is no file data/c_t2w\.nii\.gz",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_told_with_its_line(study, name, file, old, new, told):
    wrong = study(name)
    wrong.edit(file, old, new)
    assert re.search(told, wrong.run("--dry-run", code=1))
