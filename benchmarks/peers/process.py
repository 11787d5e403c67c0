"""Run a whole process: how long it took, how much memory it held at its peak, or why it failed.

Whoever calls this should be small itself: on Linux a new process counts what its parent held at the moment of
the fork as its own peak. So the table's process imports no numeric library but numpy.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass

THREADS = 2
LIMITED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Run:
    """One process that has ended: wall time, largest resident memory, and what it said if it failed."""

    seconds: float
    megabytes: float
    failure: str = ""


def environment(threads: int) -> dict[str, str]:
    """Give this process's environment, with so many threads that wait without spinning."""
    counts = dict.fromkeys((*LIMITED, "LOKY_MAX_CPU_COUNT"), str(threads))
    return os.environ | counts | {"OMP_WAIT_POLICY": "PASSIVE"}


def run(*words: object, timeout: float, threads: int = THREADS) -> Run:
    """Run a command to its end, or end it after `timeout` seconds."""
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        began = time.perf_counter()
        try:
            process = subprocess.Popen(
                [str(word) for word in words],
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=environment(threads),
                start_new_session=True,
            )
        except OSError as error:
            return Run(0.0, 0.0, str(error))
        late = threading.Timer(timeout, _end, [process.pid])
        late.start()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        late.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        lines = [line.strip() for line in said if line.strip()]
    failure = ""
    if process.returncode:
        reason = lines[-1] if lines else "said nothing"
        timed_out = process.returncode == -signal.SIGKILL and seconds >= timeout
        failure = f"not done after {timeout:g} s" if timed_out else f"exit {process.returncode}: {reason}"
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Run(seconds, used.ru_maxrss / unit, failure)


def _end(pid: int) -> None:
    """End a process and those that it started."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
