"""The evidence of docs/adapt_measured.md on volumes: segmenters carried to groups of unseen scanners.

    python benchmarks/adaptation_volumes.py run CASES.csv models/ [--only B:A] > volumes.jsonl
    python benchmarks/adaptation_volumes.py table volumes.jsonl

``run`` trains one segmenter for each source (five minutes, kept in models/), and scores every case of the
target, one JSON line a variant: with nothing done, with histograms matched to the source's, with a source
that was trained under stronger changes of light, and adapted with the discriminator alone, with its own masks
alone, with both, and with both on matched histograms. Target masks are used for scoring alone. Of an
adaptation all candidates are scored; the game is played everywhere, and what is kept is the source's
segmenter where that does not doubt enough, or both together.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import nibabel as nib
import numpy as np
import torch

from cellgan.adaptation.config import AdaptConfig
from cellgan.segmentation import SegmentConfig, adapt_volumes, evaluate, load_model, predict, train
from cellgan.segmentation import augment as changes
from cellgan.segmentation.adapt_volumes import default_game
from cellgan.segmentation.cases import Case, ImageCase, read_cases
from cellgan.segmentation.compare import compare
from cellgan.segmentation.doubts import LEAST_DOUBT
from cellgan.segmentation.intensity import normalise
from cellgan.segmentation.volumes import read_volume

PAIRS = ("B:A", "B:C", "B:D", "BC:AD")
LIT = {"GAMMA": 0.5, "COIL": 0.45, "NOISE": 0.3}  # half as much again to three times the usual
QUANTILES = np.linspace(0, 1, 101)

GAMES = {
    "discriminator": replace(default_game(), pseudo_label_weight=0.0),
    "own masks": replace(default_game(), adversarial_weight=0.0),
    "both": default_game(),
}


def run(args: argparse.Namespace) -> None:
    """Train what is not there yet, and print a line for each pair and variant."""
    torch.set_num_threads(1)
    cases = read_cases(args.table)
    for pair in args.only:
        source, target = ([case for case in cases if case.site in set(sites)] for sites in pair.split(":"))
        for name in args.variants:
            found = VARIANTS[name](args.models, source, target, args.seed)
            print(json.dumps({"pair": pair, "variant": name, "seed": args.seed, **found}), flush=True)


def as_it_is(folder: Path, source: list[Case], target: list[Case], _seed: int) -> dict:
    return {"scores": scores(source_model(folder, source), target)}


def better_lit(folder: Path, source: list[Case], target: list[Case], _seed: int) -> dict:
    return {"scores": scores(source_model(folder, source, lit=True), target)}


def matched(folder: Path, source: list[Case], target: list[Case], _seed: int) -> dict:
    with tempfile.TemporaryDirectory() as place:
        return {"scores": scores(source_model(folder, source), with_histograms(source, target, Path(place)))}


def matched_and_adapted(folder: Path, source: list[Case], target: list[Case], seed: int) -> dict:
    with tempfile.TemporaryDirectory() as place:
        return adapted(GAMES["both"])(folder, source, with_histograms(source, target, Path(place)), seed)


def with_histograms(source: list[Case], target: list[Case], place: Path) -> list[Case]:
    """Write every target volume with the mean histogram of the normalised source volumes."""
    usual = np.mean([np.quantile(normalised(case), QUANTILES) for case in source], 0)
    found = []
    for case in target:
        volume = nib.load(case.images[0])
        own = normalised(case)
        values = np.interp(own, np.quantile(own, QUANTILES), usual).astype(np.float32)
        path = place / case.images[0].name
        nib.save(nib.Nifti1Image(values, volume.affine, volume.header), path)
        found.append(replace(case, images=(path,)))
    return found


def adapted(game: AdaptConfig):
    def variant(folder: Path, source: list[Case], target: list[Case], seed: int) -> dict:
        model, kept = source_model(folder, source), []
        play = adapt_volumes.play_adaptation

        def watched(*given, **named):
            kept.append(play(*given, **named))
            return kept[0]

        start = time.process_time()
        unlabelled = [ImageCase(case.name, case.site, case.images) for case in target]
        with patch.object(adapt_volumes, "play_adaptation", watched):
            found = adapt_volumes.adapt_volumes(
                model, unlabelled, source, replace(game, seed=seed), least_doubt=0, precision="bfloat16"
            )
        seconds = time.process_time() - start
        candidates = [
            scores(replace(model, network=model.network.with_body(encoder)), target)
            for encoder in kept[0].candidates
        ]
        times = found.report["doubt"]["times"]
        doubts = times >= LEAST_DOUBT
        return {
            "scores": scores(found.model, target) if doubts else candidates[0],
            "candidates": candidates,
            "chosen": found.report["chosen"] if doubts else 0,
            "members": found.report["members"] if doubts else "source",
            "times": times,
            "looks": found.report["looks"],
            "seconds": seconds,
        }

    return variant


VARIANTS = {
    "nothing": as_it_is,
    "histograms": matched,
    "lit": better_lit,
    **{name: adapted(game) for name, game in GAMES.items()},
    "histograms, both": matched_and_adapted,
}


def source_model(folder: Path, source: list[Case], *, lit: bool = False):
    """Return the segmenter of these cases, trained now if it was not before."""
    place = folder / ("".join(sorted({case.site for case in source})) + ("_lit" if lit else ""))
    if not (place / "model.json").exists():
        with patch.multiple(changes, **LIT) if lit else nullcontext():
            train(source, SegmentConfig(precision="bfloat16"), device="cpu").save(place)
    return load_model(place, device="cpu")


def normalised(case: Case):
    return normalise(read_volume(case.images[0]).data.astype(float), path=case.images[0])


def scores(model, cases: list[Case]) -> dict[str, float]:
    """Return the Dice of each case."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            mask, *_ = predict(model, case.images).write(Path(folder))
            (row,) = evaluate(mask, case.mask).cases
            found[case.name] = row.scores["dice"]
    return found


def table(args: argparse.Namespace) -> None:
    """Print a table in Markdown: mean Dice, and the paired difference to nothing done with its interval."""
    rows = [json.loads(line) for line in args.lines.read_text(encoding="utf-8").splitlines()]
    before = {row["pair"]: row["scores"] for row in rows if row["variant"] == "nothing"}
    print("| pair | variant | seed | doubt | kept | Dice, last | Dice, kept | gain, kept |\n|" + "---|" * 8)
    for row in rows:
        first = before[row["pair"]]
        last = row["candidates"][-1] if "candidates" in row else row["scores"]
        kept = f"{row['chosen']} of {len(row['looks']) - 1}" if "chosen" in row else ""
        gain = compare(row["scores"], first, seed=0)
        worst = min(row["scores"][name] - first[name] for name in first)
        cells = (
            *(row[name] for name in ("pair", "variant", "seed")),
            f"{row['times']:.2f}" if "times" in row else "",
            kept,
            mean(last),
            mean(row["scores"]),
            f"{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}), worst {worst:+.3f}",
        )
        print(f"| {' | '.join(map(str, cells))} |")


def mean(found: dict[str, float]) -> str:
    return f"{np.mean(list(found.values())):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    running = commands.add_parser("run")
    running.set_defaults(go=run)
    running.add_argument("table", type=Path)
    running.add_argument("models", type=Path)
    running.add_argument("--only", nargs="+", default=PAIRS)
    running.add_argument("--variants", nargs="+", default=tuple(VARIANTS), choices=tuple(VARIANTS))
    running.add_argument("--seed", type=int, default=0)
    showing = commands.add_parser("table")
    showing.set_defaults(go=table)
    showing.add_argument("lines", type=Path)
    args = parser.parse_args()
    args.go(args)


if __name__ == "__main__":
    main()
