"""Correct a pair's batches with one method, in a process of its own.

    python correct.py METHOD FOLDER [--seed 0]

Reads FOLDER/reference.h5ad and FOLDER/other.h5ad; writes FOLDER/METHOD.h5ad with ``layers["aligned"]``, and
to FOLDER/METHOD.json the seconds that the correction took by itself.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path

import anndata
import numpy as np
from methods import METHODS, Cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("method", choices=[method.name for method in METHODS])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    (method,) = (method for method in METHODS if method.name == args.method)
    warnings.simplefilter("ignore")  # the peers' own; ours are errors in our tests

    reference, other = (anndata.read_h5ad(args.folder / f"{role}.h5ad") for role in ("reference", "other"))
    both = anndata.concat([reference, other])
    is_other = np.arange(both.n_obs) >= reference.n_obs
    cells = Cells(np.asarray(both.X, dtype=np.float64), is_other, tuple(both.var_names), args.seed)
    method.load()
    began = time.perf_counter()
    both.layers["aligned"] = np.asarray(method.correct(cells), dtype=np.float32)
    seconds = time.perf_counter() - began
    both.write_h5ad(args.folder / f"{method.name}.h5ad")
    (args.folder / f"{method.name}.json").write_text(json.dumps({"seconds": seconds}), encoding="utf-8")


if __name__ == "__main__":
    main()
