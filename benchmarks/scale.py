"""What `cellgan align` or `cellgan map` takes by number of cells: time by stage, memory, and the disk's part.

    python benchmarks/scale.py [--command map] [--cells 100000 1000000] [--markers 35] [--folder DISK]

Cells are those of all batches together: two of the same size to align, one to map. Names of cells are the
same in both, so all of them have to be made unique. Slopes are least squares through all sizes. Nothing is
written but into a temporary folder in DISK, which needs room for seven times the largest table of float32.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

from measure import CELLGAN, run, simulate
from memory import enlarge

FAR = (55_000_000, 1_000_000_000)
BLOCK = 2**20


def disk_rate(folder: Path, megabytes: int) -> tuple[float, float]:
    """Write, flush and read so much, the last not from memory; give megabytes a second of both."""
    path, block = folder / "disk", os.urandom(BLOCK)
    start = time.perf_counter()
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    written = time.perf_counter() - start
    with path.open("rb", buffering=0) as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        start = time.perf_counter()
        while file.read(BLOCK):
            pass
    read = time.perf_counter() - start
    path.unlink()
    return megabytes / written, megabytes / read


def megabytes_in(*paths: Path) -> int:
    return max(1, round(sum(path.stat().st_size for path in paths) / 2**20))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--command", choices=["align", "map"], default="align")
    parser.add_argument("--cells", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--markers", type=int, default=35)
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name)
        small = simulate(folder / "data", cells=20_000, markers=args.markers)
        if args.command == "map":
            run(CELLGAN, "align", *small, "-o", folder / "a.h5ad", "--no-report", "--rounds", 100)
        rows = [measure(args.command, cells, small, folder) for cells in args.cells]
    if len(rows) > 1:
        draw_on(np.array(rows))


def measure(command: str, cells: int, small: list[Path], folder: Path) -> tuple[float, ...]:
    """Measure one size; give cells, seconds of processor, seconds, megabytes of memory and of both files."""
    inputs, out, times = [], folder / "out.h5ad", folder / "times.json"
    for number, source in enumerate(small if command == "align" else small[1:]):
        inputs.append(folder / f"large{number}.h5ad")
        enlarge(source, inputs[-1], cells=cells // (2 if command == "align" else 1), seed=number)
    words = [*inputs] if command == "align" else [folder / "a.model", *inputs]
    staged = [sys.executable, Path(__file__).with_name("staged.py"), times]
    done = run(*staged, command, *words, "-o", out, "-q", "--overwrite", threads=1)
    read, written = megabytes_in(*inputs), megabytes_in(out)
    print(
        f"\n{cells:,} cells: {done.seconds:.0f} s, {done.cpu_seconds:.0f} s of processor, "
        f"{done.megabytes:.0f} MB of memory at most; {read:,} MB in, {written:,} MB out"
    )
    seen = json.loads(times.read_text())
    for (stage, start, cpu), (_, stop, cpu_stop) in pairwise(seen):
        print(f"  {stage}: {stop - start:.1f} s, {cpu_stop - cpu:.1f} s of processor")
    for path in inputs:
        path.unlink()
    out.unlink()
    rates = disk_rate(folder, written)
    print(
        f"  out at {written / done.seconds:.0f} MB/s over the whole run; the disk alone writes "
        f"{rates[0]:.0f} and reads {rates[1]:.0f} MB/s",
        flush=True,
    )
    return cells, done.cpu_seconds, done.seconds, done.megabytes, read, written


def draw_on(rows: np.ndarray) -> None:
    """Say what larger numbers of cells would take."""
    print()
    measured = {"processor": "s", "time": "s", "memory": "MB", "input": "MB", "output": "MB"}
    for (what, unit), values in zip(measured.items(), rows[:, 1:].T, strict=True):
        slope, start = np.polyfit(rows[:, 0], values, 1)
        far = ", ".join(f"{n:,} cells: {start + slope * n:,.0f} {unit}" for n in FAR)
        print(f"{what}: {start:.1f} {unit} and {slope * 1e6:.1f} {unit} for each million cells; so {far}")


if __name__ == "__main__":
    main()
