"""The evidence of docs/adapt_measured.md: digits and cells, one JSON line a run.

    python benchmarks/adaptation.py digits DIR > digits.jsonl
    python benchmarks/adaptation.py cells multicenter.h5ad > cells.jsonl
    python benchmarks/adaptation.py pairs multicenter.h5ad > pairs.jsonl
    python benchmarks/adaptation.py novel multicenter.h5ad > novel.jsonl
    python benchmarks/adaptation.py figure digits.jsonl > docs/adapt_digits.svg
    python benchmarks/adaptation.py table digits.jsonl

DIR holds mnist*.npz and usps*.npz. The .h5ad has obs["batch"] and obs["cell_type"]. Lines that stand in a
file given with --done are not run again.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import permutations
from pathlib import Path

import numpy as np
import torch

SOURCE, CENTRES = "S01", ("S07", "S05", "S08")


def digits(folder: Path, done: list[dict]) -> None:
    from cellgan.adaptation.config import AdaptConfig
    from cellgan.adaptation.digit_benchmark import DIRECTIONS, find_digits, run_digits

    files = find_digits(folder)
    for seed in range(5):
        for direction in reversed(DIRECTIONS):  # the harder one first
            if any(row["seed"] == seed and row["source"] == direction[0] for row in done):
                continue
            row = run_digits(files, direction, AdaptConfig(seed=seed)).as_json()
            print(json.dumps(row), flush=True)


def cells(path: Path, done: list[dict]) -> None:
    """Carry types from S01 to the three centres that are reported."""
    run_cells(path, done, [(SOURCE, centre, align) for centre in CENTRES for align in (False, True)])


def pairs(path: Path, done: list[dict]) -> None:
    """Carry types between all other pairs of centres, on which the method was chosen."""
    run_cells(path, done, other_pairs(path))


def novel(path: Path, done: list[dict]) -> None:
    """Count cells that look like no labelled one, and also where the labels of a type are left out."""
    run_cells(path, done, other_pairs(path), count_novel)


def other_pairs(path: Path) -> list[tuple[str, str, bool]]:
    import anndata as ad

    centres = sorted(ad.read_h5ad(path, backed="r").obs["batch"].unique())
    return [(a, b, False) for a, b in permutations(centres, 2) if a != SOURCE or b not in CENTRES]


def run_cells(path: Path, done: list[dict], runs: list[tuple[str, str, bool]], score=None) -> None:
    import anndata as ad

    score = score or score_cells
    whole = ad.read_h5ad(path)
    finished = {(row["source"], row["target"], row["align"]) for row in done}
    for run in runs:
        if run in finished:
            continue
        source, target = (whole[whole.obs["batch"] == centre].to_memory() for centre in run[:2])
        row = score(source, target, align=run[2])
        print(json.dumps(dict(zip(("source", "target", "align"), run, strict=True)) | row), flush=True)


def score_cells(source, target, *, align: bool) -> dict:
    """Return balanced accuracies, unlabelled cells left out, beside those of simple methods."""
    from sklearn.metrics import balanced_accuracy_score

    from cellgan.cytof.adapt_cells import CellsConfig, adapt_cells
    from cellgan.cytof.read_write import batches_from_adata
    from cellgan.cytof.two_centres import comparable, known_types

    config = CellsConfig("cell_type", unknown_below=0.0, align=align)
    found = adapt_cells(source, target, config)
    batches = batches_from_adata({"source": source, "target": target})
    types, codes = known_types(batches[0], "cell_type")
    _, truth = known_types(batches[1], "cell_type")
    both = comparable(batches, codes, align=align)
    known, x, y, theirs = truth >= 0, both.source[codes >= 0], codes[codes >= 0], both.target

    def score(predicted) -> float:
        return float(balanced_accuracy_score(truth[known], predicted[known]))

    place = {name: k for k, name in enumerate(types)}
    named = {
        name: np.array([place[str(each)] for each in found.adata.obs[f"cellgan_{name}"]])
        for name in ("type", "source_type")
    }
    simple = {name: predict(x, y, theirs) for name, predict in SIMPLE.items()}
    best = max(simple, key=lambda name: score(simple[name]))
    return {
        "source_only": score(named["source_type"]),
        "adapted": score(named["type"]),
        "kept": found.report["kept"],
        **{name: score(predicted) for name, predicted in simple.items()},
        "against_best": interval(truth[known], named["type"][known], simple[best][known]),
        **{f"{name}, its own labels": score(own) for name, own in with_its_labels(theirs, truth).items()},
    }


def count_novel(source, target, *, align: bool) -> dict:
    """Return which shares of the target's cells are marked, labelled or not, and of types left out."""
    from cellgan.adaptation.adaptation import probabilities
    from cellgan.cytof.align import Screen
    from cellgan.cytof.read_write import batches_from_adata
    from cellgan.cytof.two_centres import comparable, find_novel, known_types
    from cellgan.cytof.type_classifier import linear

    batches = batches_from_adata({"source": source, "target": target})
    types, codes = known_types(batches[0], "cell_type")
    _, truth = known_types(batches[1], "cell_type")
    both = comparable(batches, codes, align=align)

    def marked(without=-1):
        left, labels = np.unique(codes[known := (codes >= 0) & (codes != without)], return_inverse=True)
        cells, labels = torch.from_numpy(both.source[known]), torch.from_numpy(labels)
        named = probabilities(*linear(cells, labels), torch.from_numpy(both.target)).argmax(1).numpy()
        kept = np.where(known, codes, -1)
        return find_novel(batches, kept, both, left[named], seed=0, screen=Screen())

    found = marked()
    row = {"labelled": found[truth >= 0].mean(), "unlabelled": found[truth < 0].mean(), "left out": {}}
    row["most of a type"] = max(found[truth == k].mean() for k in range(len(types)))
    for k, name in enumerate(types):
        found = marked(without=k)
        others = (truth >= 0) & (truth != k)
        row["left out"][name] = {"found": found[truth == k].mean(), "others": found[others].mean()}
    return row


def with_its_labels(cells, truth) -> dict:
    """Return what classifiers say that learned the target's own labels, in five-fold cross-validation."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    known, found = truth >= 0, {}
    for name, method in (
        ("linear", LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")),
        ("logistic", LogisticRegression(max_iter=1000)),
    ):
        found[name] = np.full(len(truth), -1)
        found[name][known] = cross_val_predict(method, cells[known], truth[known], cv=5)
    return found


def interval(truth, ours, theirs, n=2000) -> list[float]:
    """Return the difference of balanced accuracies and its 95 % interval, bootstrapped over cells by type."""
    rng = np.random.default_rng(0)
    better = (ours == truth).astype(float) - (theirs == truth)
    by_type = [better[truth == each] for each in np.unique(truth)]
    draws = np.mean([each[rng.integers(0, len(each), (n, len(each)))].mean(1) for each in by_type], 0)
    return [float(np.mean([each.mean() for each in by_type])), *np.quantile(draws, (0.025, 0.975)).tolist()]


def neighbours(x, y, new):
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(15).fit(x, y).predict(new)


def logistic(x, y, new):
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000).fit(x, y).predict(new)


def coral(x, y, new):
    """Give the source the target's covariance, then logistic regression (Sun et al. 2016)."""

    def power(values, exponent):
        w, v = np.linalg.eigh(np.cov(values.T) + np.eye(values.shape[1]))
        return (v * w**exponent) @ v.T

    return logistic(x @ power(x, -0.5) @ power(new, 0.5), y, new)


SIMPLE = {"neighbours": neighbours, "logistic": logistic, "coral": coral}


def figure(path: Path, _done: list[dict]) -> None:
    """Draw the accuracy of every candidate: MNIST to USPS as lines, USPS to MNIST dashed."""
    from cellgan.adaptation.config import AdaptConfig
    from cellgan.report.charts import Curve, curves
    from cellgan.report.palette import AFTER, BEFORE

    lines = []
    for row in read_lines(path):
        y = np.array(row["candidates"])
        x = np.linspace(0, AdaptConfig().rounds, len(y))
        to_usps = row["target"] == "usps"
        lines.append(Curve(x, y, AFTER if to_usps else BEFORE, "line" if to_usps else "dashed"))
    drawn = str(curves(lines, alt="accuracy on the target by round, one line a seed", y_axis=True))
    print(drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def table(path: Path, _done: list[dict]) -> None:
    from cellgan.adaptation.digit_page import as_text, summarise

    rows = summarise(read_lines(path))
    print(as_text(rows))
    for row in rows:
        print({name: row[name] for name in ("source only, unseen", "best candidate", "last candidate")})
    print("CPU s a run:", [round(row["seconds"]) for row in read_lines(path)])


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=tuple(KINDS))
    parser.add_argument("data", type=Path)
    parser.add_argument("--done", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    done = []
    if given.done is not None and given.done.exists():
        done = read_lines(given.done)
    KINDS[given.kind](given.data, done)


KINDS = {"digits": digits, "cells": cells, "pairs": pairs, "novel": novel, "figure": figure, "table": table}


if __name__ == "__main__":
    sys.exit(main())
