"""``cellgan validate``: what goes where, how it ends, and how it goes on; the work itself is stood in for."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import cellgan as package
from cellgan.cytof import validate as module
from cellgan.cytof.baselines import BASELINES
from cellgan.cytof.hold_out import OWN

R = {"CD45": 0.2, "CD3": 0.9, "CD4": 0.8, "CD8a": 0.75}


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    a, b = package.simulate(n_cells=150, n_markers=6)
    names = list(a.var_names)
    a[:, names[:5]].copy().write_h5ad(tmp_path / "a.h5ad")
    b[:, [*names[:4], names[5]]].copy().write_h5ad(tmp_path / "b.h5ad")
    return tmp_path


@pytest.fixture
def asked(monkeypatch):
    found = []
    scores = {"r_within": 0.3, "nrmse": 0.6, "emd": 0.4, "sd_ratio": 0.6, "corr": 0.1}

    def hold_out(_trial, marker):
        if "stop" in R and len(found) == R["stop"]:
            raise KeyboardInterrupt
        found.append(marker)
        values = np.linspace(0, 5, 60).tolist()
        return {
            "marker": marker,
            "r_source": R[marker],
            "methods": {OWN: scores | {"r": R[marker], "coverage": 0.9}}
            | {method: scores | {"r": 0.1} for method in BASELINES},
            "n_learned": 150,
            "n_scored": 150,
            "view": dict.fromkeys(("measured", "expected", "drawn"), values),
        }

    private = {"a": {"CD19": 0.85}, "b": {"CD14": 0.4}}
    monkeypatch.setattr(module, "hold_out", hold_out)
    monkeypatch.setattr(module.Trial, "of", classmethod(lambda *_: None))
    monkeypatch.setattr(module, "r_of_private", lambda _prepared, batch, _config: private[batch.name])
    return found


def names(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_table_on_stdout_words_on_stderr_and_a_report(cellgan, files, asked):
    done = cellgan("validate", "a.h5ad", "b.h5ad")
    assert done.exit_code == 0, done.stderr
    assert asked == list(R)
    lines = done.stdout.splitlines()
    assert lines[0].split()[:4] == ["held", "out", "r", "r_within"]
    assert " ".join(lines[2].split()) == "CD3 0.900 0.300 0.600 0.400 0.600 0.100 90 % 0.10 mean trust"
    assert len({line.index("0.300") for line in lines[1:5]}) == 1
    assert "CD14 b 0.40 0.40 0.40 do not trust CD45, CD8a, CD4, CD3" in {
        " ".join(line.split()) for line in lines
    }
    assert "Use 1 of the 2 imputed markers, with care" in done.stderr
    assert "CD3: r 0.90 (2 of 4)" in done.stderr
    assert names(files) == {"a.h5ad", "b.h5ad", "validation.html", "validation.json"}


def test_json_and_csv_for_programs(cellgan, files, asked):
    done = cellgan("validate", "a.h5ad", "b.h5ad", "--json", "-q")
    assert done.stderr == ""
    assert json.loads(done.stdout) == json.loads((files / "validation.json").read_text(encoding="utf-8"))
    done = cellgan("validate", "a.h5ad", "b.h5ad", "--csv", "-q", "--no-report", "--hold-out", "CD3, cd4")
    table = pd.read_csv(io.StringIO(done.stdout))
    assert table["marker"].unique().tolist() == ["CD3", "CD4", "CD19", "CD14"]
    assert names(files) == {"a.h5ad", "b.h5ad", "validation.html", "validation.json"}


def test_columns_under_other_names(cellgan, files, asked):
    b = ad.read_h5ad("b.h5ad")
    b.var_names = ["T4" if name == "CD4" else name for name in b.var_names]
    b.write_h5ad("b.h5ad")
    assert cellgan("validate", "a.h5ad", "b.h5ad", "--no-report").exit_code == 0
    assert asked == ["CD45", "CD3", "CD8a"]
    asked.clear()
    (files / "names.csv").write_text("batch,from,to\nb,T4,CD4\n")
    done = cellgan("validate", "a.h5ad", "b.h5ad", "--no-report", "--rename", "names.csv")
    assert done.exit_code == 0, done.stderr
    assert asked == list(R)


def test_ctrl_c_and_again(cellgan, files, asked, monkeypatch):
    monkeypatch.setitem(R, "stop", 2)
    done = cellgan("validate", "a.h5ad", "b.h5ad", "--report", "v.html")
    assert done.exit_code == 130
    assert "Stopped by Ctrl-C" in done.stderr
    assert names(files) == {"a.h5ad", "b.h5ad", "v.parts"}
    monkeypatch.delitem(R, "stop")
    asked.clear()
    done = cellgan("validate", "a.h5ad", "b.h5ad", "--report", "v.html")
    assert done.exit_code == 0
    assert asked == ["CD4", "CD8a"]
    assert "2 of 4 markers are there from a run that was stopped" in done.stderr
    assert names(files) == {"a.h5ad", "b.h5ad", "v.html", "v.json"}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["a.h5ad"], 2, "1 files were given"),
        (["a.h5ad", "b.h5ad", "c.h5ad"], 2, "expected two: the reference, then the other batch"),
        (["a.h5ad", "./a.h5ad"], 1, "the same file was given twice"),
        (["a.h5ad", "c.h5ad"], 1, "there is no file 'c.h5ad'"),
        (["a.h5ad", "b.h5ad", "--hold-out", "CD33"], 1, "'CD33' cannot be held out"),
        (["a.h5ad", "b.h5ad", "--hold-out", ","], 2, "names no marker"),
        (["a.h5ad", "b.h5ad", "--jobs", "0"], 2, "jobs is 0"),
        (["a.h5ad", "b.h5ad", "--json", "--csv"], 2, "give one of them"),
        (["a.h5ad", "b.h5ad", "--no-report", "--report", "v.html"], 2, "opposite things"),
        (["a.h5ad", "b.h5ad", "--report", "v.pdf"], 2, "ends in .html"),
        (["a.h5ad", "b.h5ad", "--report", "missing/v.html"], 1, "does not exist: make it first"),
        (["a.h5ad", "b.h5ad", "--rounds", "0"], 2, "rounds is 0"),
        (["a.h5ad", "b.h5ad", "--reference", "b"], 2, "No such option"),
    ],
)
def test_what_cannot_be_used_is_said_before_any_work(cellgan, files, asked, words, code, message):
    done = cellgan("validate", *words)
    assert done.exit_code == code
    assert message in done.stderr
    assert asked == []
    assert done.stdout == ""
    assert names(files) == {"a.h5ad", "b.h5ad"}


def test_an_older_report_is_replaced_only_when_asked(cellgan, files, asked):
    (files / "validation.json").write_text("mine")
    done = cellgan("validate", "a.h5ad", "b.h5ad")
    assert done.exit_code == 1
    assert "exists already" in done.stderr
    assert (files / "validation.json").read_text() == "mine"
    assert cellgan("validate", "a.h5ad", "b.h5ad", "--overwrite").exit_code == 0


def test_ctrl_c_ends_all_processes(files):
    """The real work, stopped while two processes are at it."""
    words = ["validate", "a.h5ad", "b.h5ad", "--jobs", "2", "--rounds", "100000", "--hold-out", "CD3,CD4"]
    code = (
        "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import cellgan.cytof.hold_out as h\nh.Trial.of = classmethod(lambda cls, p, c: cls(p, c, None))\n"
        f"import sys\nsys.argv = ['cellgan', *{words!r}]\nfrom cellgan_cli.main import main\nmain()"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    deadline = time.monotonic() + 60
    while len(_group(run.pid)) < 4 and time.monotonic() < deadline:  # itself, two others, what tracks them
        time.sleep(0.1)
    time.sleep(1)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: all of them hear it
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130, said
    assert said.splitlines()[-1] == "Stopped by Ctrl-C; no half-written file is left behind."
    assert "Traceback" not in said
    while _group(run.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _group(run.pid) == []


def _group(number: int) -> list[str]:
    """Give the living processes of a group."""
    done = subprocess.run(
        [str(shutil.which("ps")), "-eo", "pgid=,pid=,stat="],
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    return [pid for group, pid, state in rows if int(group) == number and not state.startswith("Z")]
