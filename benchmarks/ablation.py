"""What each part of the method buys: the score without it, on the pairs of benchmarks/peers.

    CELLGAN_DATA=... python benchmarks/ablation.py [--only WORD ...] [--seed 0] [--swapped]

Each row changes one thing about `align_pair` and leaves the rest as it is. Scores are those of
benchmarks/peers/score.py, on cells' types that no row sees. With --swapped the reference and the other batch
change places. The table goes to stdout, each score to stderr as it comes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from cellgan.cytof import cluster_maps, correspondence, pair, proposals, ranks
from cellgan.cytof.balance import Weights
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.correspondence import Start
from cellgan.cytof.marker_maps import MarkerMaps
from cellgan.cytof.mover import Mover
from cellgan.cytof.pair import Pair, align_pair
from cellgan.cytof.transform import Standardise

sys.path.insert(0, str(Path(__file__).parent / "peers"))
from pairs import MEASURED
from prepare import prepare
from score import Batches, score

Values = NDArray[np.float64]
Row = Callable[[Values, Values, Standardise, int], Values]


def aligned(
    reference: Values,
    cells: Values,
    units: Standardise,
    seed: int,
    *,
    method: str = "matched",
    mover: Callable[[Pair], Mover] = lambda found: found.mover,
) -> Values:
    """Align with the defaults, and move the cells with what was found or a part of it."""
    config = AlignConfig(seed=seed, method=method)
    return mover(align_pair(reference, cells, units=units, config=config))(cells)


@contextmanager
def changed(*changes: tuple[object, str, object]) -> Iterator[None]:
    """Give some names of some modules other values for a while."""
    with ExitStack() as stack:
        for change in changes:
            stack.enter_context(patch.object(*change))
        yield


def without(*changes: tuple[object, str, object]) -> Callable[..., Values]:
    """Return the row of an alignment with other values in place of the defaults."""

    def row(reference: Values, cells: Values, units: Standardise, seed: int, **own: object) -> Values:
        with changed(*changes):
            return aligned(reference, cells, units, seed, **own)

    return row


def passes(**settings: object) -> tuple[tuple[object, str, object], ...]:
    """Return the change to other settings of all passes."""

    def fit(*args: object, **own: object) -> object:
        return correspondence.fit_passes(*args, **(own | settings))

    return (proposals, "fit_passes", fit), (pair, "fit_passes", fit)


def evenly(reference: Values, positions: Values, **_: object) -> Weights:
    """Weigh all cells alike."""
    return Weights(np.ones(len(reference)), np.ones(len(positions)))


def identity(_reference: Values, cells: Values, **_: object) -> Start:
    """Start where cells were measured."""
    knots = np.stack([cells.min(axis=0) - 1, cells.max(axis=0) + 1])
    return Start(MarkerMaps.of(knots, knots))


def bent(gain: float, background: float) -> tuple[tuple[object, str, object], ...]:
    """Return the change to a start that cells may bend so far from an instrument's response."""
    return (correspondence, "BENT_GAIN", gain), (correspondence, "BENT_BACKGROUND", background)


KEPT = (proposals, "_once_more", lambda start, *_: start)
ALWAYS_GAME, NEVER_GAME = (proposals, "MARGIN", np.inf), (proposals, "MARGIN", -np.inf)
UNWEIGHTED = (correspondence, "balance", evenly), (proposals, "balance", evenly)
ROWS: dict[str, Row] = {
    "default": aligned,
    "game and maps, no choice by held-out cells": without(ALWAYS_GAME),
    "start and maps, no game": without(NEVER_GAME),
    "28 clusters only": without(*passes(cluster_counts=(28,))),
    "14 clusters only": without(*passes(cluster_counts=(14,))),
    "maps of clusters not held to what an instrument can do": without(*passes(batch=None)),
    "departures of clusters applied as a whole": without((cluster_maps, "APPLIED", 1.0)),
    "maps for all clusters, whatever their shares": without((cluster_maps, "MAX_RATIO", np.inf)),
    "start not learned again from all cells": without(KEPT),
    "without ranks for tied values": without((ranks, "DITHER", 0.0)),
    "start alone": partial(aligned, mover=lambda found: Mover(found.mover.start)),
    "start alone, not bent by cells": partial(
        without(*bent(0.0, 0.0)), mover=lambda found: Mover(found.mover.start)
    ),
    "start not held to what an instrument can do": without(*bent(20.0, 1e4)),
    "identity as the start": without((proposals, "fit_start", identity), KEPT),
    "without weights": without(*UNWEIGHTED),
    "generator as the mover, after the start": partial(
        aligned, mover=lambda found: Mover(found.mover.start, found.mover.generator)
    ),
    "MAGAN as published: the generator moves the cells as measured": partial(aligned, method="magan"),
    "per-marker quantiles": partial(aligned, method="quantiles"),
    "nothing": lambda _reference, cells, _units, _seed: cells,
}


def batches(folder: Path, *, swapped: bool) -> Batches:
    """Read a pair's batches and types."""
    import json

    import anndata

    roles = ("other", "reference") if swapped else ("reference", "other")
    values = [np.asarray(anndata.read_h5ad(folder / f"{role}.h5ad").X, dtype=np.float64) for role in roles]
    types = json.loads((folder / "types.json").read_text(encoding="utf-8"))
    return Batches(*values, *(np.asarray(types[role]) for role in roles))


def scored(row: Row, measured: Batches, seed: int) -> float:
    """Score a row on one pair."""
    units = Standardise.of(measured.reference.astype(np.float32))
    sides = (units.apply(cells).astype(np.float64) for cells in (measured.reference, measured.other))
    moved = units.invert(row(*sides, units, seed))
    return score(measured, replace(measured, other=moved), seed=seed).score


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=[""], help="rows with one of these words")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--swapped", action="store_true")
    args = parser.parse_args()
    data = os.environ.get("CELLGAN_DATA")
    if data is None:
        sys.exit("set CELLGAN_DATA to the folder of the pairs' data; docs/peers.md describes them")
    rows = {name: row for name, row in ROWS.items() if any(word in name for word in args.only)}
    found: dict[str, list[float]] = {name: [] for name in rows}
    for one in MEASURED:
        with tempfile.TemporaryDirectory() as folder:
            prepare(one, Path(data), Path(folder), max_cells=0, seed=args.seed)
            measured = batches(Path(folder), swapped=args.swapped)
        for name, row in rows.items():
            found[name].append(scored(row, measured, args.seed))
            print(f"{one.title}: {name} {found[name][-1]:.3f}", file=sys.stderr, flush=True)
    print(f"| | {' | '.join(one.title for one in MEASURED)} | mean |")
    print(f"|---|{'---:|' * (len(MEASURED) + 1)}")
    for name, scores in found.items():
        print(f"| {name} | {' | '.join(f'{each:.3f}' for each in (*scores, np.mean(scores)))} |")


if __name__ == "__main__":
    main()
