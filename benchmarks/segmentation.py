"""The losses of Kohl et al. (2017) and soft Dice, side by side: cross-validation and small-data curve.

    python benchmarks/segmentation.py run CASES.csv -o runs/ [--losses hybrid] [--cases 4 8 0] [--seeds 0 1]
    python benchmarks/segmentation.py show runs/ [--figure losses.svg]

``run`` trains every loss on every fold, seed and number of training cases with the same network, the same
steps and the same mini-batches, and writes a small .json for each training; those that are there already are
not run again, so that several processes, or several evenings, can share the work. 0 cases means all outside
of the fold. ``show`` prints tables in Markdown: mean Dice over cases with its bootstrap interval, and the
paired difference to cross-entropy, a case's score being its mean over the seeds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from itertools import product
from pathlib import Path

import numpy as np

from cellgan.segmentation import SegmentConfig, evaluate, predict, train
from cellgan.segmentation.cases import Case, read_cases
from cellgan.segmentation.compare import compare
from cellgan.segmentation.crossval import folds_of

LOSSES = ("cross-entropy", "dice", "adversarial", "hybrid")
COLOURS = dict(zip(LOSSES, ("#4c566a", "#1b7a5a", "#c2571a", "#3567b5"), strict=True))

# (loss, training cases) -> case -> one score a seed
Scores = dict[tuple[str, int], dict[str, list[float]]]


def some(cases: list[Case], n: int, *, seed: int) -> list[Case]:
    """Return n cases, shuffled and dealt out from the sites in turn; 0 returns all."""
    if not n:
        return cases
    shuffled = [cases[row] for row in np.random.default_rng(seed).permutation(len(cases))]
    turn = {
        case.name: sum(other.site == case.site for other in shuffled[:k]) for k, case in enumerate(shuffled)
    }
    return sorted(shuffled, key=lambda case: (turn[case.name], case.site))[:n]


def run(args: argparse.Namespace) -> None:
    """Train and score what is not there yet."""
    args.output.mkdir(parents=True, exist_ok=True)
    cases = read_cases(args.table)
    fold = folds_of(cases, args.folds, seed=0)
    for seed, n, part, loss in product(args.seeds, args.cases, range(args.folds), args.losses):
        path = args.output / f"{loss}_{n}_{seed}_{part}.json"
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            continue
        config = SegmentConfig(
            loss=loss,
            adversarial_weight=args.adversarial_weight,
            steps=args.steps,
            learning_rate=args.learning_rate,
            slices=args.slices,
            members=args.members,
            precision=args.precision,
            seed=seed,
        )
        pool = [case for case, k in zip(cases, fold, strict=True) if k != part]
        model = train(some(pool, n, seed=seed), config)
        found = {}
        with tempfile.TemporaryDirectory() as folder:
            for case in (case for case, k in zip(cases, fold, strict=True) if k == part):
                mask, *_ = predict(model, case.images).write(Path(folder))
                (row,) = evaluate(mask, case.mask).cases
                found[case.name] = {"site": case.site, **row.scores}
        path.write_text(json.dumps({"loss": loss, "n": n, "seed": seed, "scores": found}), encoding="utf-8")
        print(f"{path.name}: {np.mean([row['dice'] for row in found.values()]):.3f}", flush=True)


def read(folder: Path, metric: str) -> tuple[Scores, dict[str, str]]:
    """Return all scores of a folder of runs, and the cases' sites."""
    scores: Scores = {}
    sites: dict[str, str] = {}
    for path in sorted(folder.glob("*.json")):
        if text := path.read_text(encoding="utf-8"):  # an empty one is being trained
            content = json.loads(text)
            of = scores.setdefault((content["loss"], content["n"]), {})
            for case, row in content["scores"].items():
                of.setdefault(case, []).append(row[metric])
                sites[case] = row["site"]
    return scores, sites


def interval(values: list[float]) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a mean."""
    found = compare(
        {str(k): value for k, value in enumerate(values)}, {str(k): 0.0 for k in range(len(values))}, seed=0
    )
    return found.low, found.high


def show(args: argparse.Namespace) -> None:
    """Print the tables, and draw the curve."""
    scores, sites = read(args.runs, "dice")
    distances, _ = read(args.runs, "hd95")
    means = {
        key: {case: float(np.mean(values)) for case, values in by_case.items()}
        for key, by_case in scores.items()
    }
    groups = sorted(set(sites.values()))
    for n in sorted({n for _, n in means}, key=lambda n: n or 999):
        print(f"\n{n or 'all'} training cases\n")
        print(f"| loss | Dice | 95 % interval | {' | '.join(groups)} | HD95, mm | against cross-entropy |")
        print("|---" * (len(groups) + 5) + "|")
        for loss in (loss for loss in LOSSES if (loss, n) in means):
            own = means[loss, n]
            low, high = interval(list(own.values()))
            by_group = [np.mean([own[case] for case in own if sites[case] == group]) for group in groups]
            hd95 = np.mean([np.mean(values) for values in distances[loss, n].values()])
            other = means.get(("cross-entropy", n), {})
            against = "–"
            if loss != "cross-entropy" and set(other) == set(own):
                apart = compare(own, other, seed=0)
                against = f"{apart.mean:+.3f} ({apart.low:+.3f} to {apart.high:+.3f})"
            shown = " | ".join(f"{value:.3f}" for value in by_group)
            print(
                f"| {loss} | {np.mean(list(own.values())):.3f} | {low:.3f} to {high:.3f} | {shown} | "
                f"{hd95:.1f} | {against} |"
            )
    if args.figure:
        draw(means, args.figure, most=args.most)


def draw(means: dict[tuple[str, int], dict[str, float]], path: Path, *, most: int) -> None:
    """Draw mean Dice against the number of training cases, each with its interval."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    mpl.rcParams |= {"svg.hashsalt": "cellgan", "svg.fonttype": "none", "font.family": "sans-serif"}
    figure, axes = plt.subplots(figsize=(5.6, 3.6), layout="constrained")
    for shift, loss in enumerate(LOSSES):
        sizes = sorted((n for other, n in means if other == loss), key=lambda n: n or most)
        values = [list(means[loss, n].values()) for n in sizes]
        middle = np.array([np.mean(v) for v in values])
        around = np.abs(np.array([interval(v) for v in values]).T - middle)
        at = np.array([n or most for n in sizes]) + 0.12 * (shift - 1.5)
        axes.errorbar(at, middle, around, marker="o", capsize=3, label=loss, color=COLOURS[loss])
    axes.set(xlabel="training cases", ylabel="mean Dice of the held-out cases")
    axes.set_xticks(sorted({n or most for _, n in means}))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    runs = commands.add_parser("run")
    runs.add_argument("table", type=Path)
    runs.add_argument("--output", "-o", type=Path, required=True)
    runs.add_argument("--losses", nargs="+", default=LOSSES)
    runs.add_argument("--cases", nargs="+", type=int, default=[0, 8, 4])
    runs.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    runs.add_argument("--folds", type=int, default=4)
    runs.add_argument("--steps", type=int, default=SegmentConfig.steps)
    runs.add_argument("--slices", type=int, default=SegmentConfig.slices)
    runs.add_argument("--members", type=int, default=1, help="the comparison is of single networks")
    runs.add_argument("--adversarial-weight", type=float, default=SegmentConfig.adversarial_weight)
    runs.add_argument("--learning-rate", type=float, default=SegmentConfig.learning_rate)
    runs.add_argument("--precision", default=SegmentConfig.precision)
    runs.set_defaults(play=run)
    tables = commands.add_parser("show")
    tables.add_argument("runs", type=Path)
    tables.add_argument("--figure", type=Path)
    tables.add_argument("--most", type=int, default=16, help="where to draw 'all' on the axis")
    tables.set_defaults(play=show)
    args = parser.parse_args()
    args.play(args)


if __name__ == "__main__":
    main()
