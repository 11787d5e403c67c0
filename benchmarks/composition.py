"""Batches that hold different types of cells: does a population come back as another, unsaid.

    CELLGAN_DATA=... python benchmarks/composition.py [--seeds 0,1,2] [--scenarios 30] [--method matched]

Each scenario draws two sets of cells of known types, without a cell in common: the sides share no type, one,
some, most or all, and either may hold types that the other lacks. One of them is then measured by another
instrument: not at all, mildly or strongly so (gain, curvature and background by marker, and a little gain by
type). What its cells were before is the truth. Without CELLGAN_DATA, the cells are simulated ones.

By how many types are shared, and over types of the batch with `LEAST` cells and more:

- *lost*: scenarios in which more than a fifth of a type's cells are taken for another type after the
  alignment and not before (15 nearest neighbours among cells that neither side holds), are not marked as
  novel, and the verdict is not "Do not use"; *silent*: the mean share of such cells.
- *alarm*: cells called novel of types that the reference holds; *found*: of types that it lacks.
- *rmse*: to the truth, in standard deviations, and of the cells as measured.

And by verdict: in how many scenarios a type was lost, values came out worse, or nearer than .6 of before.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import anndata as ad
import numpy as np

import cellgan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

SHARED = ("none", "one", "some", "most", "all")
STRENGTHS = (0.0, 0.5, 1.0)
SAME = {"B IgM+": "B", "B IgM-": "B"}  # types that are told apart by one marker only
N_CELLS = 3_000  # of each side, about
LEAST = 30  # cells of a type, for it to count
RARE, HELD = 0.01, 0.02  # shares from which a type is to be found, or counts as held
LOST, NEARER = 0.2, 0.6
N_NEAREST = 15
N_SIMULATED = 16_000
COFACTOR = 5.0


class Cells(NamedTuple):
    """Cells of known types: counts, ``(n_cells, n_markers)``, and types."""

    counts: NDArray[np.float64]
    types: NDArray[np.str_]


class Scenario(NamedTuple):
    """Two sides, the truth, and what tells types.

    ``held`` has the shares of types in the reference.
    """

    reference: NDArray[np.float64]
    measured: NDArray[np.float64]
    truth: NDArray[np.float64]
    types: NDArray[np.str_]
    held: Mapping[str, float]
    judge: tuple[NDArray[np.float64], NDArray[np.str_]]


@cache
def cells() -> Cells:
    """Read the cells, or simulate some."""
    if "CELLGAN_DATA" in os.environ:
        table = ad.read_h5ad(Path(os.environ["CELLGAN_DATA"]) / "cytof" / "pbmc_7types.h5ad")
    else:
        table, _ = cellgan.simulate(n_cells=N_SIMULATED, n_markers=24, seed=0)
    types = [SAME.get(each, each) for each in table.obs["cell_type"].astype(str)]
    return Cells(np.asarray(table.X, dtype=np.float64), np.array(types))


def another_instrument(drawn: Cells, strength: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return counts as another instrument has them."""
    counts, types = drawn
    n_markers = counts.shape[1]
    gain = np.exp(strength * rng.normal(0, 0.5, n_markers))
    curve = np.exp(strength * rng.normal(0, 0.08, n_markers))
    background = strength * np.where(rng.random(n_markers) < 0.4, rng.exponential(1.0, n_markers), 0.0)
    kinds, which = np.unique(types, return_inverse=True)
    by_type = np.exp(strength * rng.normal(0, 0.1, (len(kinds), n_markers)))[which]
    signal = gain * by_type * 50 * (np.maximum(counts, 0) / 50) ** curve
    return np.where(counts < 0, counts, signal) + rng.poisson(background, counts.shape)


def draw(shared: str, strength: float, seed: Sequence[int]) -> Scenario:
    """Draw a scenario."""
    rng, known = np.random.default_rng(seed), cells()
    names = rng.permutation(np.unique(known.types))
    n = {"none": 0, "one": 1, "some": len(names) // 2, "most": len(names) - 1, "all": len(names)}[shared]
    own = names[n:]
    cut = len(own) // 2 if shared == "none" else rng.integers(0, len(own) + 1)
    thirds = np.array_split(rng.permutation(len(known.types)), 3)
    rows, shares = [], []
    for part, alone in zip(thirds[:2], (own[:cut], own[cut:]), strict=True):
        present = [*names[:n], *alone]
        share = np.maximum(rng.dirichlet(np.full(len(present), 1.5)), HELD)
        shares.append(dict(zip(present, share / share.sum(), strict=True)))
        rows.append(
            np.concatenate(
                [
                    part[known.types[part] == name][: max(LEAST, round(N_CELLS * each))]
                    for name, each in shares[-1].items()
                ]
            )
        )
    there = Cells(known.counts[rows[1]], known.types[rows[1]])
    scaled = np.arcsinh(known.counts / COFACTOR)
    seen = np.arcsinh(another_instrument(there, strength, rng) / COFACTOR)
    judge = scaled[thirds[2]], known.types[thirds[2]]
    return Scenario(scaled[rows[0]], seen, scaled[rows[1]], there.types, shares[0], judge)


def table(values: NDArray[np.float64], name: str) -> ad.AnnData:
    """Return cells as a user would have them."""
    found = ad.AnnData(values.astype(np.float32))
    found.obs_names = [f"{name}{number}" for number in range(len(values))]
    found.var_names = [f"CD{number}" for number in range(101, 101 + values.shape[1])]
    return found


def run(which: tuple[int, int], method: str) -> dict[str, Any]:
    """Align one scenario, and hold it against the truth."""
    from sklearn.neighbors import KNeighborsClassifier

    turns = list(product(STRENGTHS, SHARED))
    strength, shared = turns[which[1] % len(turns)]
    one = draw(shared, strength, which)
    batches = {"reference": table(one.reference, "r"), "batch": table(one.measured, "b")}
    config = cellgan.AlignConfig(transform="none", threads=1, method=method)
    aligned = cellgan.align(batches, config=config)
    mine = (aligned.adata.obs["batch"] == "batch").to_numpy()
    moved = np.asarray(aligned.adata.layers["aligned"], dtype=np.float64)[mine]
    novel = aligned.adata.obs["cellgan_novel"].to_numpy(dtype=bool)[mine]
    level = aligned.report["batches"][0]["verdict"]["level"]
    sd = np.arcsinh(cells().counts / COFACTOR).std(axis=0) + 1e-9
    tell = KNeighborsClassifier(N_NEAREST).fit(one.judge[0] / sd, one.judge[1])
    was, became = (tell.predict(values / sd) for values in (one.truth, moved))
    quiet = (was != became) & ~novel & (level != "poor")
    counted = [name for name in np.unique(was) if (was == name).sum() >= LEAST]
    lost = {name: float(quiet[was == name].mean()) for name in counted}
    rmse, nothing = (
        float(np.sqrt((((values - one.truth) / sd) ** 2).mean())) for values in (moved, one.measured)
    )
    held = [name for name in counted if one.held.get(name, 0.0) >= HELD]
    lacking = [name for name in counted if name not in one.held and (one.types == name).mean() >= RARE]
    return {
        "shared": shared,
        "strength": strength,
        "level": level,
        "lost": any(share > LOST for share in lost.values()),
        "silent": float(np.mean(list(lost.values()))),
        "alarm": mean(novel[was == name].mean() for name in held),
        "found": mean(novel[one.types == name].mean() for name in lacking),
        "rmse": rmse,
        "nothing": nothing,
    }


def mean(values: Iterable[float]) -> float:
    """Return a mean; NaN of nothing."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def by_shared(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each number of shared types and kind of effect."""
    print("| shared types | effect | scenarios | lost | silent | alarm | found | rmse | as measured |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    groups = [(shared, effect) for shared in SHARED for effect in ("no", "some")]
    for shared, effect in [*groups, ("all of these", "")]:
        own = [
            row
            for row in rows
            if not effect or (row["shared"] == shared and (row["strength"] > 0) == (effect == "some"))
        ]
        if own:
            figures = [
                mean(row[key] for row in own) for key in ("silent", "alarm", "found", "rmse", "nothing")
            ]
            said = " | ".join("–" if np.isnan(each) else f"{each:.3f}" for each in figures)
            print(f"| {shared} | {effect} | {len(own)} | {sum(row['lost'] for row in own)} | {said} |")


def by_verdict(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each verdict."""
    print(f"\n| verdict | scenarios | lost | worse than measured | rmse below {NEARER:g} of as measured |")
    print("|---|---:|---:|---:|---:|")
    for level in ("good", "caution", "poor", "nothing"):
        own = [row for row in rows if row["level"] == level]
        worse = sum(row["rmse"] > row["nothing"] + 1e-6 for row in own)
        nearer = sum(row["rmse"] < NEARER * row["nothing"] for row in own)
        print(f"| {level} | {len(own)} | {sum(row['lost'] for row in own)} | {worse} | {nearer} |")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--scenarios", type=int, default=30, help="for each seed")
    parser.add_argument("--method", default="matched", help="of cellgan align")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    which = list(product(map(int, args.seeds.split(",")), range(args.scenarios)))
    with ProcessPoolExecutor(args.jobs) as pool:
        rows = list(pool.map(partial(run, method=args.method), which))
    by_shared(rows)
    by_verdict(rows)


if __name__ == "__main__":
    main()
