"""How much memory `cellgan map` needs for a file that is larger than it should ever hold at once.

    python benchmarks/memory.py [--cells 1000000] [--markers 35]

Limit: 1.5 GB for 1,000,000 cells x 35 markers. Nothing is written but into a temporary folder, which
needs room for two such files.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd

from measure import CELLGAN, run, simulate, verdict

MEGABYTES = 1500.0
CHUNK = 50_000
NOISE = 0.02
SAMPLES = "abcdefghijklmnopqrst"


def enlarge(source: Path, target: Path, *, cells: int, seed: int = 0) -> None:
    """Write `cells` cells drawn from `source`, each value a little off, a piece at a time."""
    small = anndata.read_h5ad(source)
    values = np.asarray(small.X, dtype=np.float32)
    empty = anndata.AnnData(
        np.zeros((0, small.n_vars), np.float32),
        var=small.var[[]],
        obs={"obs_names": np.array([], dtype=object)},
    )
    empty.write_h5ad(target)
    rng = np.random.default_rng(seed)
    with h5py.File(target, "r+") as file:
        del file["X"], file["obs/_index"]
        x = file.create_dataset("X", (cells, small.n_vars), np.float32, chunks=(10_000, small.n_vars))
        x.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        for start in range(0, cells, CHUNK):
            rows = rng.integers(0, len(values), min(CHUNK, cells - start))
            noise = rng.normal(1, NOISE, (len(rows), small.n_vars)).astype(np.float32)
            x[start : start + len(rows)] = values[rows] * noise
        index = file.create_dataset("obs/_index", (cells,), dtype=h5py.string_dtype())
        for start in range(0, cells, CHUNK):
            stop = min(start + CHUNK, cells)
            index[start:stop] = [f"cell{i}" for i in range(start, stop)]
        sample = pd.Categorical.from_codes(np.arange(cells) * len(SAMPLES) // cells, list(SAMPLES))
        anndata.io.write_elem(file["obs"], "sample", sample)
        anndata.io.write_elem(file["obs"], "time", rng.random(cells))
        file["obs"].attrs["column-order"] = ["sample", "time"]
        index.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=1_000_000)
    parser.add_argument("--markers", type=int, default=35)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = simulate(folder / "data", cells=5000, markers=args.markers)
        run(CELLGAN, "align", *paths, "--output", folder / "a.h5ad", "--no-report", "--rounds", 100)
        enlarge(paths[1], folder / "large.h5ad", cells=args.cells)
        size = (folder / "large.h5ad").stat().st_size / 2**20
        done = run(CELLGAN, "map", folder / "a.model", folder / "large.h5ad", "-o", folder / "mapped.h5ad")
        print(f"cellgan map, {args.cells:,} cells x {args.markers} markers ({size:.0f} MB file)")
        kept = verdict(done.megabytes, MEGABYTES)
        print(f"{done.seconds:.1f} s, peak {done.megabytes:.0f} MB: {kept} (limit {MEGABYTES:g} MB)")


if __name__ == "__main__":
    main()
