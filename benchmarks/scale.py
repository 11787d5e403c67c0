"""What `cellgan map` takes by number of cells: processor time, memory, and its rate beside the disk's own.

    python benchmarks/scale.py [--cells 100000 1000000] [--markers 35]

Slopes are least squares through all sizes. Nothing is written but into a temporary folder, which needs room
for four times the largest file.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from measure import CELLGAN, run, simulate
from memory import enlarge

FAR = (55_000_000, 1_000_000_000)


def disk_rate(folder: Path, *, megabytes: int = 512) -> float:
    """Write and flush so much; give megabytes a second."""
    block = os.urandom(2**20)
    start = time.perf_counter()
    with (folder / "disk").open("wb") as file:
        for _ in range(megabytes):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    seconds = time.perf_counter() - start
    (folder / "disk").unlink()
    return megabytes / seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--markers", type=int, default=35)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"disk: {disk_rate(folder):.0f} MB/s written and flushed")
        paths = simulate(folder / "data", cells=5000, markers=args.markers)
        run(CELLGAN, "align", *paths, "--output", folder / "a.h5ad", "--no-report", "--rounds", 100)
        rows = []
        for cells in args.cells:
            large, mapped = folder / "large.h5ad", folder / "mapped.h5ad"
            enlarge(paths[1], large, cells=cells)
            done = run(CELLGAN, "map", folder / "a.model", large, "-o", mapped, "-q", threads=1)
            written = mapped.stat().st_size / 2**20
            rows.append((cells, done.cpu_seconds, done.megabytes))
            print(
                f"{cells:,} cells: {done.cpu_seconds:.1f} s of processor, {done.seconds:.1f} s in all, "
                f"{done.megabytes:.0f} MB at most; {written:.0f} MB: {written / done.seconds:.0f} MB/s",
                flush=True,
            )
            large.unlink()
            mapped.unlink()
    if len(rows) > 1:
        cells, seconds, megabytes = np.array(rows).T
        for what, values, unit in (("processor", seconds, "s"), ("memory", megabytes, "MB")):
            slope, start = np.polyfit(cells, values, 1)
            far = ", ".join(f"{n:,} cells: {start + slope * n:,.0f} {unit}" for n in FAR)
            print(f"{what}: {start:.1f} {unit} and {slope * 1e6:.1f} {unit} for each million cells; so {far}")


if __name__ == "__main__":
    main()
