"""What analysts trust an alignment with: types that are missing, nothing to align, a treatment, error bars.

    CELLGAN_DATA=... python benchmarks/trust.py [--only halves,treatment] [--seeds 0,1,2]

- *missing*: a type is left out of the reference. Share of its cells in the other batch that are called
  novel, and of all other cells (false alarms).
- *halves*: one sample is split at random, so there is nothing to align. Median movement in standard
  deviations of the reference, the verdict, false alarms.
- *treatment*: untreated and IL-7 treated cells of one sample are dealt to two batches, evenly and 80 to 20,
  and an instrument's effect is added to one. What IL-7 does to each marker there, after alignment against
  before the effect was added: correlation, and size as the slope.
- *intervals*: simulated batches with a known truth. Share of aligned values whose 90 % interval holds it.
- *controls*: one volunteer's control blood on three plates; learned on a half of its cells, scored on the
  other.

No label and no truth is shown to the method.
"""

from __future__ import annotations

import argparse
import os
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np

import cellgan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

NORMAL = 1.645  # half width of a 90 % interval in standard deviations


def read(name: str, **kept: str) -> ad.AnnData:
    """Read the cells of a file below the data folder whose ``obs`` has these values; counts."""
    cells = ad.read_h5ad(Path(os.environ["CELLGAN_DATA"]) / "cytof" / f"{name}.h5ad")
    for key, value in kept.items():
        cells = cells[cells.obs[key].astype(str) == value]
    return cells.copy()


def instrument(cells: ad.AnnData, seed: int) -> ad.AnnData:
    """Return cells as another instrument would have counted them: gain, saturation and background."""
    rng = np.random.default_rng(seed)
    counts, n_markers = np.asarray(cells.X, dtype=np.float64), cells.n_vars
    gain = np.exp(rng.normal(-0.2, 0.5, n_markers))
    saturation = np.exp(rng.uniform(np.log(1500), np.log(20_000), n_markers))
    background = np.where(rng.random(n_markers) < 0.5, rng.exponential(1.5, n_markers), 0.0)
    signal = np.maximum(counts, 0) * gain
    seen = signal / (1 + signal / saturation) + rng.poisson(background, counts.shape) + np.minimum(counts, 0)
    other = cells.copy()
    other.X = seen.astype(np.float32)
    return other


def align(reference: ad.AnnData, other: ad.AnnData, seed: int) -> tuple[ad.AnnData, ad.AnnData, str]:
    """Align two batches with the defaults; return both as aligned, and the verdict's level."""
    config = cellgan.AlignConfig(seed=seed)
    found = cellgan.align({"reference": reference, "other": other}, config=config)
    of = found.adata.obs["batch"] == "reference"
    level = found.report["batches"][0]["verdict"]["level"]
    return found.adata[of], found.adata[~of], level


def missing(seed: int) -> Iterator[str]:
    """Leave types out of the reference, one at a time."""
    yield "| set | left out of the reference | called novel | false alarms |\n|---|---|---|---|"
    blood = read("pbmc_7types")
    half = np.random.default_rng(seed).random(blood.n_obs) < 0.5
    pairs = [("seven types, halves and an effect", blood[half].copy(), instrument(blood[~half], seed))]
    for a, b in (("S01", "S05"), ("S01", "S07"), ("S03", "S05")):
        sides = (read("multicenter_S01_S08", batch=name) for name in (a, b))
        pairs.append((f"centres {a}, {b}", *sides))
    for title, reference, other in pairs:
        types = sorted(set(reference.obs["cell_type"].astype(str)) - {"unlabelled"})
        for left_out in [None, *types]:
            of_type = other.obs["cell_type"].astype(str).to_numpy() == left_out
            kept = reference[reference.obs["cell_type"].astype(str) != left_out].copy()
            _, aligned, _ = align(kept, other, seed)
            novel = aligned.obs["cellgan_novel"].to_numpy()
            found = f"{novel[of_type].mean():.3f}" if left_out else ""
            yield f"| {title} | {left_out or 'nothing'} | {found} | {novel[~of_type].mean():.4f} |"


def halves(seed: int) -> Iterator[str]:
    """Split samples in two."""
    yield "| sample | cells in a half | median movement, SD | verdict | false alarms |\n|---|---|---|---|---|"
    samples = {
        "replicates, second day": read("replicates_person1", batch="Day2"),
        "centre S01": read("multicenter_S01_S08", batch="S01"),
        "control blood": read("controls_volunteer1", batch="PTLG021"),
        "seven types": read("pbmc_7types"),
        "B cells": read("bcell_basal_il7"),
        "panel B": read("panelB_pbmc"),
    }
    for title, cells in samples.items():
        half = np.random.default_rng(seed).permutation(cells.n_obs) % 2 == 0
        reference, other, level = align(cells[half].copy(), cells[~half].copy(), seed)
        before = np.arcsinh(np.asarray(other.X) / 5)
        sd = np.maximum(reference.layers["aligned"].std(axis=0), 1e-6)
        moved = np.median(np.abs(other.layers["aligned"] - before) / sd)
        novel = other.obs["cellgan_novel"].mean()
        yield f"| {title} | {other.n_obs:,} | {moved:.3f} | {level} | {novel:.4f} |"


def treatment(seed: int) -> Iterator[str]:
    """Deal treated and untreated cells to two batches."""
    yield "| IL-7 : untreated in the reference | correlation | size |\n|---|---|---|"
    cells = read("bcell_basal_il7")
    treated = cells.obs["condition"].astype(str).to_numpy() == "IL7"
    for share in (0.5, 0.2, 0.8):
        chance = np.where(treated, share, 1 - share)
        first = np.random.default_rng(seed).random(cells.n_obs) < chance
        true, il7 = cells[~first], treated[~first]
        _, aligned, _ = align(cells[first].copy(), instrument(true, seed), seed)
        wanted = effect(np.arcsinh(np.asarray(true.X) / 5), il7)
        found = effect(np.asarray(aligned.layers["aligned"]), il7)
        slope = (wanted @ found) / (wanted @ wanted)
        yield f"| {share:.0%} : {1 - share:.0%} | {np.corrcoef(wanted, found)[0, 1]:.3f} | {slope:.3f} |"


def effect(values: NDArray[np.floating], treated: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the difference of means by marker, in standard deviations."""
    difference = values[treated].mean(axis=0) - values[~treated].mean(axis=0)
    return np.asarray(difference / values.std(axis=0), dtype=np.float64)


def intervals(seed: int) -> Iterator[str]:
    """Align twelve simulated pairs, and count how often the truth lies within the interval."""
    yield (
        "| simulated batches | 90 % intervals that hold the truth | in the marker with fewest "
        "| median SD / true RMSE |\n|---|---|---|---|"
    )
    held = []
    for number, (cells, markers) in enumerate(product((1500, 3000, 5000, 8000), (12, 20, 35))):
        lacking = number % 3 == number // 3 % 3  # a third of the pairs, of all sizes
        a, b = cellgan.simulate(
            n_cells=cells, n_markers=markers, seed=100 * seed + 100 + number, missing=lacking
        )
        _, aligned, _ = align(a, b, seed)
        error = np.abs(aligned.layers["aligned"] - np.arcsinh(b.layers["truth"] / 5))
        sd = aligned.layers["aligned_sd"]
        inside = (error <= NORMAL * sd).mean(axis=0)
        held.append(inside.mean())
        title = f"{cells:,} cells, {markers} markers{', no NK in the second' if lacking else ''}"
        size = f"{np.median(sd):.3f} / {np.sqrt((error**2).mean()):.3f}"
        yield f"| {title} | {held[-1]:.3f} | {inside.min():.2f} | {size} |"
    n_kept = sum(0.85 <= share <= 0.95 for share in held)
    yield f"| all: mean, lowest to highest | {np.mean(held):.3f}, {min(held):.3f} to {max(held):.3f} | | |"
    yield f"| within .85 to .95 | {n_kept} of {len(held)} | | |"


def controls(seed: int) -> Iterator[str]:
    """Learn plates from half of the control blood's cells, and score the other half."""
    yield "| plates | distance before | learned from the other half | chance |\n|---|---|---|---|"
    for other in ("PTLG028", "PTLG034"):
        sides = {name: read("controls_volunteer1", batch=name) for name in ("PTLG021", other)}
        half = {n: np.random.default_rng(seed).random(c.n_obs) < 0.5 for n, c in sides.items()}
        learned = {name: cells[half[name]].copy() for name, cells in sides.items()}
        scored = {name: cells[~half[name]].copy() for name, cells in sides.items()}
        found = cellgan.align(scored, anchors=learned, config=cellgan.AlignConfig(seed=seed)).adata
        reference = found[found.obs["batch"] == "PTLG021"].layers["aligned"]
        after = found[found.obs["batch"] == other]
        before = np.arcsinh(np.asarray(after.X) / 5)
        chance = np.arcsinh(np.asarray(learned["PTLG021"].X) / 5)
        figures = (distance(reference, values) for values in (before, after.layers["aligned"], chance))
        yield f"| PTLG021, {other} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |"


def distance(reference: NDArray[np.floating], values: NDArray[np.floating]) -> float:
    """Return the mean distance of quantiles over markers, in standard deviations of the reference."""
    levels = np.linspace(0.01, 0.99, 50)
    gap = np.abs(np.quantile(reference, levels, axis=0) - np.quantile(values, levels, axis=0)).mean(axis=0)
    return float((gap / np.maximum(reference.std(axis=0), 1e-6)).mean())


TESTS = {test.__name__: test for test in (missing, halves, treatment, intervals, controls)}


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(TESTS))
    parser.add_argument("--seeds", default="0,1,2")
    arguments = parser.parse_args()
    for name in arguments.only.split(","):
        for seed in map(int, arguments.seeds.split(",")):
            print(f"\n{name}, seed {seed}\n")
            for row in TESTS[name](seed):
                print(row, flush=True)


if __name__ == "__main__":
    main()
