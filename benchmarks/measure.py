"""Run a whole process, and say how long it took and how much memory it held at its peak."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

CELLGAN = shutil.which("cellgan", path=sysconfig.get_path("scripts")) or "cellgan"


@dataclass(frozen=True)
class Run:
    """One finished process: wall time, time on all cores, and largest resident memory."""

    seconds: float
    cpu_seconds: float
    megabytes: float


def run(*words: object, threads: int = 2) -> Run:
    """Run a command with so many threads; end everything if it fails."""
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": str(threads)}
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    said = process.stderr.read() if process.stderr else ""
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(map(str, words))} ended with {process.returncode}:\n{said}")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / unit)


def simulate(folder: Path, *, cells: int, markers: int, seed: int = 0) -> list[Path]:
    """Write two simulated batches; give their paths."""
    run(CELLGAN, "simulate", folder, "--cells", cells, "--markers", markers, "--seed", seed)
    return [folder / "batch1.h5ad", folder / "batch2.h5ad"]


def verdict(value: float, limit: float) -> str:
    """Say whether a value keeps its limit."""
    return "ok" if value <= limit else "TOO MUCH"
