"""Workflows run for real: a killed job is done again, alone; bytes do not depend on what else ran."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import Study, environment, installed

LINUX = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks for the job in /proc")
SLOW = pytest.mark.skipif("CELLGAN_SLOW" not in os.environ, reason="takes minutes: set CELLGAN_SLOW=1")


def job(study: Study, pattern: str) -> int:
    """Return the process of this study whose command line matches."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode().split("\0")
            here = (entry / "cwd").resolve() == study.folder.resolve()
        except OSError:  # it has ended
            continue
        if here and "python" in Path(words[0]).name and re.search(pattern, " ".join(words)):
            return int(entry.name)
    pytest.fail("the job is not there")


def kill_midway(study: Study, *words: object, what: str) -> str:
    """Run a workflow, kill -9 the job `what` once it works, and return what was said."""
    command = study.command(*words)
    with (study.folder / "said.txt").open("w") as said:
        running = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=environment())
    log, deadline = study.folder / "logs/align/tuesday.log", time.monotonic() + 600
    while not (log.exists() and "shared markers" in log.read_text()):  # it has read its files and begins
        assert running.poll() is None, (study.folder / "said.txt").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(job(study, what), signal.SIGKILL)
    running.wait(timeout=600)
    text = (study.folder / "said.txt").read_text()
    assert running.returncode == 0, text + study.logs()
    return text


def digests(study: Study) -> dict[str, str]:
    """Return the SHA-256 of every result."""
    return {
        str(path.relative_to(study.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((study.folder / "results").rglob("*"))
        if path.is_file()
    }


def times(said: str, rule: str, batch: str) -> int:
    """Count how often a batch's job was begun."""
    return len(re.findall(rf"rule {rule}:\n(?:    .*\n)*?    wildcards: batch={batch}\n", said))


@LINUX
def test_a_killed_batch_is_done_again_and_no_other(study):
    batches = study("align_batches")
    said = kill_midway(
        batches, "--cores", 1, "--retries", 1,
        what=r"cellgan align .*tuesday\.h5ad.*results/batches/tuesday",
    )  # fmt: skip
    assert "Trying to restart job" in said
    assert times(said, "align", "tuesday") == 2
    assert times(said, "align", "wednesday") == 1
    assert {"results/study.h5ad", "results/study.html", "results/batches/tuesday.model"} <= set(
        digests(batches)
    )
    assert "results/batches/tuesday.h5ad" not in digests(batches)  # it was for joining alone
    batches.run("--report", "report.html")
    page = (batches.folder / "report.html").read_text(encoding="utf-8")
    assert "results/study.html" in page
    assert "Nothing to be done" in batches.run("--cores", 1)


@SLOW
@pytest.mark.parametrize(
    ("name", "results"),
    [
        ("adapt_sites", {"results/north/masks/new_t2w_mask.nii.gz", "results/north/scores.csv"}),
        ("merge_panels", {"results/merged.h5ad", "results/validation/panel_b.csv"}),
        ("segment_prostate", {"results/masks/new_t2w_mask.nii.gz", "results/scores/new_t2w.json"}),
    ],
)
def test_it_runs(study, name, results):
    done = study(name)
    done.run("--cores", 2)
    assert results <= set(digests(done))


STAND_IN = """#!{python}
# A cluster of one machine: takes a job script, starts it, and prints a number for it.
import subprocess, sys
print(subprocess.Popen(["bash", sys.argv[-1]], stdout=open("cluster.log", "a"), stderr=2,
                       start_new_session=True).pid)
"""


@LINUX
@SLOW
def test_bytes_do_not_depend_on_how_it_was_run(study, tmp_path):
    alone, together, cluster = (study("align_batches", name) for name in ("alone", "together", "cluster"))
    alone.run("--cores", 1)
    said = kill_midway(
        together, "--cores", 2, "--retries", 1,
        what=r"cellgan align .*tuesday\.h5ad.*results/batches/tuesday",
    )  # fmt: skip
    assert times(said, "align", "wednesday") == 1
    submit = tmp_path / "submit"
    submit.write_text(STAND_IN.format(python=sys.executable), encoding="utf-8")
    submit.chmod(0o755)
    cluster.run("--executor", "cluster-generic", "--jobs", 2, "--cluster-generic-submit-cmd", submit)
    assert digests(alone) == digests(together) == digests(cluster)


@SLOW
def test_a_study_takes_the_workflow_as_a_module(study):
    own = study("align_batches")
    snakefile = own.folder / "Snakefile"
    snakefile.write_text(
        f'configfile: "config/config.yaml"\n\n\nmodule batches:\n    snakefile:\n        "{own.snakefile}"\n'
        "    config:\n        config\n\n\nuse rule * from batches as batches_*\n",
        encoding="utf-8",
    )
    installed("snakemake")
    said = Study(own.folder, snakefile).run("--dry-run", "batches_all")
    assert re.search(r"^batches_align +2$", said, flags=re.MULTILINE)
