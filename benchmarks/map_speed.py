"""How much processor time mapping takes for each cell, and on what.

    python benchmarks/map_speed.py [--cells 200000] [--markers 35] [--compression none]

Maps a file with one thread, and prints microseconds for each cell: reading, arithmetic and writing. The whole
may take twice the larger of its arithmetic and its input and output. Then it prints where the mover's time
goes, and how long `cellgan map` takes as a whole process. Processor time is the least of several repeats,
since it too grows beside busy neighbours. Nothing is written but into a temporary folder.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import torch

from measure import CELLGAN, run, simulate, verdict

if TYPE_CHECKING:
    from cellgan.cytof.model import Model

LIMIT = 2.0  # of the larger of arithmetic, and input and output
BLOCK = 4096
# Functions by name and file; what they call counts in.
READING = (("chunks", "cell_file.py"),)
WRITING = (("__setitem__", "dataset.py"), ("copyfile", "shutil.py"), ("write_elem", "registry.py"))
MOVER = {
    "in all": ("_map", "mover.py"),
    "ranks for ties": ("dither", "ranks.py"),
    "buckets of the values": ("place", "pieces.py"),
    "network": ("__call__", "mover.py"),
    "clusters of the positions": ("memberships", "cluster_maps.py"),
    "maps": ("__call__", "pieces.py"),
}


def seconds(profiler: cProfile.Profile, *functions: tuple[str, str]) -> float:
    """Return the time spent in functions and all that they call."""
    rows = pstats.Stats(profiler).stats.items()  # type: ignore[attr-defined]
    return sum(took[3] for (file, _, name), took in rows if (name, Path(file).name) in functions)


def map_once(model: Model, path: Path, out: Path) -> dict[str, float]:
    """Map a file, and return the processor time of each part."""
    from cellgan.cytof.read_write import open_for_map

    source = open_for_map(path)
    profiler = cProfile.Profile(time.process_time)  # of all threads: the mover computes in another one
    start = time.process_time()
    profiler.runcall(model.map_file, source, out)
    whole = time.process_time() - start
    reading, writing = seconds(profiler, *READING), seconds(profiler, *WRITING)
    arithmetic = whole - reading - writing
    return {"reading": reading, "arithmetic": arithmetic, "writing": writing, "the whole": whole}


def move_once(model: Model, path: Path) -> dict[str, float]:
    """Map one block of cells in this thread, and return the processor time of each part of the mover."""
    from cellgan.cytof.read_write import open_for_map
    from cellgan.cytof.threads import one_thread
    from cellgan.cytof.transform import to_arcsinh

    source, batch = open_for_map(path), model.pick(None)
    columns = model.columns(source.names, source.channels, batch)
    counts = next(source.chunks(BLOCK))[:, columns.aligned]
    cells = model.units.apply(to_arcsinh(counts, model.cofactor)).astype(np.float64)
    mover = model.batches[batch].mover
    mover(cells)  # its tables are made once
    profiler = cProfile.Profile(time.process_time)
    with one_thread(fits=False):
        profiler.runcall(mover._map, cells)
    return {name: seconds(profiler, function) for name, function in MOVER.items()}


def show(title: str, runs: list[dict[str, float]], n_cells: int) -> dict[str, float]:
    """Print and return the least microseconds a cell, part by part."""
    print(f"\n{title}")
    least = {name: min(each[name] for each in runs) * 1e6 / n_cells for name in runs[0]}
    for name, took in least.items():
        print(f"{name:26s} {took:7.2f} us a cell")
    return least


def compress(path: Path, compression: str) -> None:
    """Rewrite X of a file with another compression."""
    with h5py.File(path, "r+") as file:
        values, about = file["X"][:], dict(file["X"].attrs)
        del file["X"]
        how = None if compression == "none" else compression
        file.create_dataset("X", data=values, compression=how).attrs.update(about)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=200_000)
    parser.add_argument("--markers", type=int, default=35)
    parser.add_argument("--compression", choices=["gzip", "lzf", "none"], default="gzip")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        learned = simulate(folder / "learned", cells=20_000, markers=args.markers)
        run(CELLGAN, "align", *learned, "--output", folder / "a.h5ad", "--no-report")
        path = simulate(folder / "more", cells=args.cells, markers=args.markers)[1]
        if args.compression != "gzip":  # as `cellgan simulate` writes
            compress(path, args.compression)
        import cellgan

        model = cellgan.load(folder / "a.model")
        print(f"{args.cells:,} cells x {args.markers} markers, compression {args.compression}")
        print(f"load {os.getloadavg()[0]:.1f}")

        parts = [map_once(model, path, folder / "b.h5ad") for _ in range(args.repeats)]
        least = show("one file, one thread", parts, args.cells)
        ratio = least["the whole"] / max(least["arithmetic"], least["reading"] + least["writing"])
        print(f"{'whole / larger of the two':26s} {ratio:7.2f}  {verdict(ratio, LIMIT)} (limit {LIMIT:g})")
        blocks = [move_once(model, path) for _ in range(5 * args.repeats)]
        show("its mover, under a profiler", blocks, BLOCK)

        print(f"\n{'cellgan map':12s} {'wall':>8s} {'cpu':>8s} {'peak':>9s}")
        for threads in (1, 2):
            words = ["map", folder / "a.model", path, "--output", folder / "b.h5ad", "--overwrite"]
            done = run(CELLGAN, *words, threads=threads)
            took = f"{done.seconds:6.2f} s {done.cpu_seconds:6.2f} s {done.megabytes:6.0f} MB"
            print(f"threads: {threads:3d} {took}", flush=True)


if __name__ == "__main__":
    main()
