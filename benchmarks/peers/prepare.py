"""Write a pair's batches as every method gets them: arcsinh values, without the cells' types.

    python prepare.py PAIR FOLDER --data DATA [--max-cells N] [--seed 0]

PAIR is a `Pair` as JSON. FOLDER gets reference.h5ad and other.h5ad, and types.json for the score alone.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import anndata
import numpy as np
from numpy.typing import NDArray
from pairs import COFACTOR, Pair
from scipy.sparse import issparse

Rng = np.random.Generator


def read(pair: Pair, data: Path) -> tuple[anndata.AnnData, anndata.AnnData]:
    """Read the reference's cells and the other batch's."""
    if len(pair.files) == 1:
        both = anndata.read_h5ad(data / pair.files[0])
        batch = both.obs["batch"].astype(str)
        reference, other = both[batch == pair.reference], both[batch == pair.other]
    else:
        reference, other = (anndata.read_h5ad(data / file) for file in pair.files)
    if pair.visit is not None:
        reference, other = (part[part.obs["timepoint"] == pair.visit] for part in (reference, other))
    for name, part in ((pair.reference, reference), (pair.other, other)):
        if not part.n_obs:
            msg = f"{pair.title}: no cells of batch {name!r} in {', '.join(pair.files)}"
            raise SystemExit(msg)
    return reference, other


def thin(cells: anndata.AnnData, pair: Pair, rng: Rng) -> anndata.AnnData:
    """Leave out some cells of one type, as the pair asks for."""
    if pair.thinned is None:
        return cells
    own = np.flatnonzero(cells.obs[pair.types] == pair.thinned)
    if not len(own):
        msg = f"{pair.title}: no cells of type {pair.thinned!r} in batch {pair.other!r}"
        raise SystemExit(msg)
    gone = rng.permutation(own)[round(pair.kept * len(own)) :]
    return cells[np.setdiff1d(np.arange(cells.n_obs), gone)]


def draw(cells: anndata.AnnData, limit: int, rng: Rng) -> anndata.AnnData:
    """Draw at most so many cells, in the order they were in."""
    if not limit or cells.n_obs <= limit:
        return cells
    return cells[np.sort(rng.choice(cells.n_obs, limit, replace=False))]


def arcsinh_values(cells: anndata.AnnData, pair: Pair) -> NDArray[np.float32]:
    """Give the cells' values on the arcsinh scale, ``(n_cells, n_markers)``."""
    values = np.asarray(cells.X.toarray() if issparse(cells.X) else cells.X, dtype=np.float32)
    return np.arcsinh(values / np.float32(COFACTOR)) if pair.counts else values


def prepare(pair: Pair, data: Path, folder: Path, *, max_cells: int, seed: int) -> None:
    """Write the pair's two batches, and apart from them the types."""
    rng = np.random.default_rng(seed)
    reference, other = read(pair, data)
    limit = min(filter(None, (pair.max_cells, max_cells)), default=0)
    types = {}
    for role, part in (("reference", reference), ("other", thin(other, pair, rng))):
        cells = draw(part, limit, rng)
        bare = anndata.AnnData(arcsinh_values(cells, pair))
        bare.obs_names = [f"{role}_{number}" for number in range(cells.n_obs)]
        bare.var_names = list(cells.var_names)
        bare.write_h5ad(folder / f"{role}.h5ad")
        types[role] = list(cells.obs[pair.types].astype(str)) if pair.types else ["any"] * cells.n_obs
    (folder / "types.json").write_text(json.dumps(types), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pair", type=lambda text: Pair(**json.loads(text)))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--max-cells", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    prepare(args.pair, args.data, args.folder, max_cells=args.max_cells, seed=args.seed)


if __name__ == "__main__":
    main()
