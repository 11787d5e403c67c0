"""Two panels made of one: how well what each lacks is imputed, beside simple methods and MAGAN as published.

    CELLGAN_DATA=... python benchmarks/impute.py [--only thymus,replicates] [--magan-rounds 2000] [--seed 0]

Cells of a data set are dealt to two batches, or are two real batches; from each, other markers are taken
away, and ``cellgan.align`` fills them in, in both directions. Every row is scored against what was measured:

- *r*: mean over markers of Pearson's correlation; *nrmse*: root mean squared error.
- *emd*: 1-D Wasserstein distance of the distributions; *sd*: standard deviation against the real one;
  *corr*: mean error of the correlations among the hidden markers.
- *cover*: share of real values within 1.645 ``aligned_sd`` of the expected one, which is meant to be 90 %.

All of it in standard deviations of the marker within its own batch: an imputed value stands in the units of
the batch it was learned from, the real one in those of its own, and nobody can know how these differ for a
marker that was never measured twice. Simple methods learn from shared markers standardised within each batch.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import anndata as ad
import numpy as np
from numpy.typing import NDArray

import cellgan
from cellgan.cytof.baselines import predict_simply

Values = NDArray[np.float64]
MAX_CELLS = 10_000
QUANTILES = np.linspace(0.005, 0.995, 199)
NORMAL = 1.645  # half width of a 90 % interval in standard deviations

# Data set; obs column and its values that tell two real batches apart, or nothing for random halves; what the
# first batch lacks, what the second.
PANELS = {
    "thymus": ("thymus", None, ["CD3", "CD25", "CD44"], ["CD8", "CD5", "TCRb"]),
    "pbmc": (
        "pbmc_7types",
        None,
        ["CD4", "CD14", "CD45RA", "HLADR", "CD11c"],
        ["CD8", "CD19", "CD16", "CD33", "CD38"],
    ),
    "replicates": (
        "replicates_person1",
        ("batch", "Day1", "Day2"),
        ["CD4", "CD45RO", "CD14", "CCR7", "CD28"],
        ["CD3", "CD19", "CD27", "HLADR", "GzB"],
    ),
    "centres": ("multicenter_S01_S08", ("batch", "S01", "S07"), ["CD4"], ["CD16"]),
    "simulated": (
        "simulated_shift",
        ("batch", "A", "B"),
        [f"CD{n:02d}" for n in range(0, 35, 7)],
        [f"CD{n:02d}" for n in range(3, 35, 7)],
    ),
}


def read(name: str, key: tuple[str, str, str] | None, seed: int) -> tuple[ad.AnnData, ad.AnnData]:
    """Read two batches of a file below the data folder, or split one at random."""
    cells = ad.read_h5ad(Path(os.environ["CELLGAN_DATA"]) / "cytof" / f"{name}.h5ad")
    rng = np.random.default_rng(seed)
    if key is None:
        halves = np.array_split(rng.permutation(cells.n_obs), 2)
    else:
        of = cells.obs[key[0]].astype(str).to_numpy()
        halves = [rng.permutation(np.flatnonzero(of == value)) for value in key[1:]]
    first, second = (cells[np.sort(half[:MAX_CELLS])].copy() for half in halves)
    return first, second


def score(real: Values, expected: Values, drawn: Values) -> list[float]:
    """Return r and nrmse of expected values; emd, sd and corr of drawn ones."""
    gap = np.abs(np.quantile(real, QUANTILES, axis=0) - np.quantile(drawn, QUANTILES, axis=0)).mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        pairs = zip(real.T, expected.T, strict=True)
        r = np.mean([np.nan_to_num(np.corrcoef(*pair)[0, 1]) for pair in pairs])
        upper = np.triu_indices(real.shape[1], 1)
        corr = np.abs(np.corrcoef(real.T) - np.corrcoef(drawn.T))[upper].mean() if len(upper[0]) else np.nan
    return [
        float(r),
        float(np.sqrt(((real - expected) ** 2).mean(axis=0)).mean()),
        float(gap),
        float(drawn.std(axis=0).mean()),
        float(corr),
    ]


def standard(values: Values, units: Values) -> Values:
    """Return values in the standard units of others."""
    return (values - units.mean(axis=0)) / (units.std(axis=0) + 1e-9)


def arcsinh(cells: ad.AnnData, markers: list[str], transform: str) -> Values:
    """Return markers on the arcsinh scale."""
    values = np.asarray(cells[:, markers].X, dtype=np.float64)
    return np.arcsinh(values / 5) if transform == "arcsinh" else values


def rows(name: str, seed: int, magan_rounds: int) -> dict[str, list[list[float]]]:
    """Score all methods on one pair of panels; one list of scores for each direction."""
    file, key, first_lacks, second_lacks = PANELS[name]
    batches = dict(zip(("first", "second"), read(file, key, seed), strict=True))
    lacks = {"first": first_lacks, "second": second_lacks}
    panels = {batch: cells[:, ~cells.var_names.isin(lacks[batch])].copy() for batch, cells in batches.items()}
    ours = cellgan.align(panels, config=cellgan.AlignConfig(seed=seed))
    magan = cellgan.align(panels, config=cellgan.AlignConfig(seed=seed, method="magan", rounds=magan_rounds))
    transform = str(ours.report["transform"]["name"])
    found: dict[str, list[list[float]]] = {}
    for batch, source in (("first", "second"), ("second", "first")):
        hidden = lacks[batch]
        both = list(panels["first"].var_names.intersection(panels["second"].var_names))
        learned = arcsinh(batches[source], hidden, transform)
        truth = arcsinh(batches[batch], hidden, transform)
        real = standard(truth, truth)
        x, new = (arcsinh(batches[b], both, transform) for b in (source, batch))
        simple = [predict_simply(x, column, new, seed=0) for column in learned.T]
        for method in simple[0]:
            guess = standard(np.column_stack([each[method] for each in simple]), learned)
            found.setdefault(method, []).append([*score(real, guess, guess), np.nan])
        for method, alignment in (("MAGAN", magan), ("cellgan", ours)):
            own = alignment.adata[alignment.adata.obs["batch"] == batch, hidden]
            expected = standard(np.asarray(own.layers["aligned"], dtype=np.float64), learned)
            drawn = standard(np.asarray(own.layers["sample"], dtype=np.float64), learned)
            sd = np.asarray(own.layers["aligned_sd"], dtype=np.float64) / learned.std(axis=0)
            cover = (
                float((np.abs(real - expected) <= NORMAL * sd).mean()) if np.isfinite(sd).all() else np.nan
            )
            found.setdefault(method, []).append([*score(real, expected, drawn), cover])
    return found


def main() -> None:
    """Print one table for each pair of panels."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(PANELS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--magan-rounds", type=int, default=2000)
    args = parser.parse_args()
    for name in args.only.split(","):
        print(f"\n| {name} | r | nrmse | emd | sd | corr | cover |\n|---|---|---|---|---|---|---|")
        for method, scores in rows(name, args.seed, args.magan_rounds).items():
            shown = " | ".join("–" if np.isnan(v) else f"{v:.3f}" for v in np.mean(scores, axis=0))
            print(f"| {method} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
