"""How long `cellgan align` takes as a whole process, and where the time goes.

    python benchmarks/speed.py [--cells 20000] [--markers 35] [--profile]

Limits on two cores, for two batches of 20,000 cells x 35 markers: 30 s with the report, 20 s without it,
and 1.2 GB; `cellgan --help` 0.5 s. With --profile it also runs the alignment in this process, and prints
the time of each stage, the functions that take most, and the floor: the floating-point operations of the
games at the speed of a large matrix product on this machine. Nothing is written but into a temporary
folder.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import tempfile
import time
from pathlib import Path

from measure import CELLGAN, run, simulate, verdict

LIMITS = {"with report": 30.0, "without report": 20.0, "--help": 0.5}
MEGABYTES = 1200.0


class Stages:
    """Adds up the time between one report of progress and the next, by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stage = "reading"
        self._since = time.perf_counter()

    def __call__(self, stage: str, _fraction: float) -> None:
        now = time.perf_counter()
        self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now


def peak_flops(threads: int) -> float:
    """Measure floating-point operations per second of a large single-precision matrix product."""
    import torch

    torch.set_num_threads(threads)
    a = torch.randn(2048, 2048)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - start)
    return 2 * 2048**3 / best


def profile(paths: list[Path], folder: Path, *, threads: int) -> None:
    """Align in this process, and print where the time goes."""
    start = time.perf_counter()
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from cellgan.cytof.align import align_files
    from cellgan.cytof.config import AlignConfig

    imports = time.perf_counter() - start
    config = AlignConfig(threads=threads)
    torch.set_num_threads(threads)

    stages, profiler = Stages(), cProfile.Profile()
    profiler.enable()
    alignment = align_files(paths, config, progress=stages)
    stages("writing .h5ad and model", 0.0)
    alignment.write(folder / "out.h5ad")
    alignment.save(folder / "out.model")
    stages("writing report", 0.0)
    alignment.write_report(folder / "out.html")
    stages("end", 1.0)
    profiler.disable()

    print(f"\nstages (under a profiler, so somewhat slower)\n{'imports':32s} {imports:6.2f} s")
    for stage, seconds in stages.seconds.items():
        print(f"{stage:32s} {seconds:6.2f} s")

    stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    show(
        "our functions by time with all they call",
        [row for row in stats.items() if "cellgan" in row[0][0]],
        3,
    )
    show("all functions by time of their own", list(stats.items()), 2)

    with FlopCounterMode(display=False) as counter:
        align_files(paths, config)
    operations, peak = counter.get_total_flops(), peak_flops(threads)
    print(f"\nfloor: {operations / 1e9:.1f} GFLOP at {peak / 1e9:.0f} GFLOP/s = {operations / peak:.2f} s")


def show(title: str, rows: list, column: int) -> None:
    """Print the functions with most time in one column of a profile."""
    print(f"\n{title}\n{'own':>9s} {'in all':>9s} {'calls':>9s}")
    for (file, line, name), values in sorted(rows, key=lambda row: -row[1][column])[:20]:
        where = "/".join(Path(file).parts[-2:]) if line else ""
        print(f"{values[2]:7.2f} s {values[3]:7.2f} s {values[1]:9,d}  {name}  {where}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=20_000)
    parser.add_argument("--markers", type=int, default=35)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = simulate(folder / "data", cells=args.cells, markers=args.markers)
        print(f"2 batches of {args.cells:,} cells x {args.markers} markers, {args.threads} threads")
        print(f"load before the first run: {os.getloadavg()[0]:.1f}")
        print(f"{'run':16s} {'wall':>8s} {'cpu':>8s} {'peak':>9s}")
        words = [CELLGAN, "align", *paths, "--output", folder / "a.h5ad", "--overwrite"]
        jobs = {
            "with report": words,
            "without report": [*words, "--no-report"],
            "--help": [CELLGAN, "--help"],
        }
        for job, command in jobs.items():
            for _ in range(args.repeats):
                done = run(*command, threads=args.threads)
                kept = verdict(done.seconds, LIMITS[job]), verdict(done.megabytes, MEGABYTES)
                print(
                    f"{job:16s} {done.seconds:6.2f} s {done.cpu_seconds:6.2f} s {done.megabytes:6.0f} MB  "
                    f"time {kept[0]} (limit {LIMITS[job]:g} s), memory {kept[1]} (limit {MEGABYTES:g} MB)",
                    flush=True,
                )
        if args.profile:
            profile(paths, folder, threads=args.threads)


if __name__ == "__main__":
    main()
