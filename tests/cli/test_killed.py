"""A run that is stopped at the worst moment, between writing a result and putting it in its place."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

import cellgan

SCRIPT = """
import os, signal, sys
from pathlib import Path

def stop(self, target):
    print("stopped before", Path(target).name)
    sys.stdout.flush()
    os.kill(os.getpid(), {number})
    raise AssertionError("still alive")

Path.replace = os.replace = stop
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may have it ignored
sys.argv = {words!r}
from cellgan_cli.main import main
main()
"""


@pytest.fixture
def batches(tmp_path):
    for number, batch in enumerate(cellgan.simulate(n_cells=600, n_markers=6), 1):
        batch.write_h5ad(tmp_path / f"b{number}.h5ad")
    return tmp_path


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGKILL", -9)])
def test_inputs_and_old_output_survive(batches, name, code):
    (batches / "aligned.h5ad").write_text("last week's result")
    before = {path.name: path.read_bytes() for path in batches.iterdir()}
    words = ["cellgan", "align", "b1.h5ad", "b2.h5ad", "--rounds", "3", "--no-report", "--overwrite"]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(number=int(getattr(signal, name)), words=words)],
        cwd=batches,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=os.environ | {"OMP_NUM_THREADS": "2"},
    )
    assert done.stdout == "stopped before aligned.h5ad\n", done.stderr
    assert done.returncode == code, done.stderr
    after = {path.name: path.read_bytes() for path in batches.iterdir()}
    if (
        name == "SIGKILL"
    ):  # nobody can clear away after it; the remains are hidden, and nothing else has changed
        after = {file: content for file, content in after.items() if not file.startswith(".")}
    assert after == before
    if name == "SIGINT":
        assert done.stderr.splitlines()[-1] == "Stopped by Ctrl-C; no half-written file is left behind."
    assert "Traceback" not in done.stderr
