"""Hold cellgan beside other methods: score, time and memory, all in one run.

    python benchmarks/peers [--cellgan PATH] [--only METHOD ...] [--pairs WORD ...] [--json PATH]

Needs the environment of requirements.txt beside this file, and a `cellgan` in one of its own. Real batches
are read from the folder that the environment variable CELLGAN_DATA names; without it the simulated ones of
example_data are scored. One row is run at a time, in a process of its own with two threads. The tables go to
stdout, progress to stderr. docs/peers.md says what the columns mean.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from methods import METHODS, Method
from pairs import EXAMPLE, MEASURED, TIMED, TIMED_CELLS, TIMED_MARKERS, Pair
from process import THREADS, run
from rows import HERE, Row, Setting, chosen, run_method, script
from table import overview, pair_table

PACKAGES = ("cycombinepy", "cytonormpy", "flowsom", "harmonypy", "scanpy", "scvi-tools", "torch")


def sources(words: Sequence[str], folder: Path, setting: Setting) -> list[tuple[Pair, Path]]:
    """Give the pairs asked for with the folders that their files lie in; simulate the one that is timed."""
    data = os.environ.get("CELLGAN_DATA")
    if data:
        pairs = [(pair, Path(data)) for pair in MEASURED]
    else:
        print("CELLGAN_DATA is not set: simulated batches alone.", file=sys.stderr)
        pairs = [(EXAMPLE, HERE.parents[1] / "example_data")]
    pairs = [*pairs, (TIMED, folder)]
    wanted = [(pair, at) for pair, at in pairs if not words or any(word in pair.title for word in words)]
    if not wanted:
        sys.exit(
            f"no pair's title holds {' or '.join(words)}; there are: {'; '.join(p.title for p, _ in pairs)}"
        )
    if (TIMED, folder) in wanted:
        size = "--cells", TIMED_CELLS, "--markers", TIMED_MARKERS, "--seed", setting.seed
        done = run(setting.cellgan, "simulate", folder, "--overwrite", *size, timeout=setting.timeout)
        if done.failure:
            sys.exit(f"{setting.cellgan} simulate: {done.failure}")
    return wanted


def rows_of(
    pair: Pair, data: Path, methods: Sequence[Method], setting: Setting, *, max_cells: int
) -> list[Row]:
    """Run the methods on one pair, one after the other."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = json.dumps(asdict(pair)), folder, "--data", data, "--max-cells", max_cells
        ready = script("prepare.py", *words, setting=setting)
        if ready.failure:
            return [Row(pair.title, method.title, failure=ready.failure) for method in methods]
        rows = []
        for method in methods:
            rows.append(run_method(method, folder, pair.title, setting, scored=pair.scored))
            print(pair_line(rows[-1]), file=sys.stderr, flush=True)
        return rows


def pair_line(row: Row) -> str:
    """Say in a line how a row went."""
    if row.failure:
        return f"{row.pair}, {row.method}: failed: {row.failure}"
    scored = f"score {row.figures['score']:.3f}, " if row.figures else ""
    return f"{row.pair}, {row.method}: {scored}{row.seconds:.1f} s, {row.megabytes:.0f} MB"


def report(rows: Sequence[Row]) -> str:
    """Give all tables: scores over all pairs first, then one a pair."""
    over_all = [f"### All pairs\n\n{overview(rows, timed=TIMED.title)}"]
    titles = dict.fromkeys(row.pair for row in rows)
    each = [f"### {title}\n\n{pair_table([row for row in rows if row.pair == title])}" for title in titles]
    return "\n\n".join([*over_all, *each])


def circumstances(setting: Setting) -> dict[str, object]:
    """Give what the numbers depend on: machine, load at the start, seed, versions."""
    told = subprocess.run([setting.cellgan, "--version"], capture_output=True, text=True, check=False)
    return {
        "cellgan": told.stdout.strip(),
        "machine": f"{platform.platform()}, {os.cpu_count()} cores, {THREADS} threads used",
        "load": os.getloadavg()[0],
        "seed": setting.seed,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
    }


def write_json(path: Path, about: dict[str, object], rows: Sequence[Row]) -> None:
    """Write all that is known so far: a run that is stopped loses no more than one pair."""
    text = json.dumps(about | {"rows": [asdict(row) for row in rows]}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks/peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [method.name for method in METHODS]
    parser.add_argument("--cellgan", default="cellgan", help="our command, or its path [default: on PATH]")
    parser.add_argument("--only", nargs="+", default=[], choices=names, help="these methods only")
    parser.add_argument("--pairs", nargs="+", default=[], help="only pairs with these words in the title")
    parser.add_argument("--max-cells", type=int, default=0, help="at most so many cells per batch")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds until a method is ended")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write everything here, too")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    cellgan = shutil.which(args.cellgan)
    if cellgan is None:
        sys.exit(f"there is no {args.cellgan}; give the path of the command with --cellgan")
    if args.json and not args.json.parent.is_dir():
        sys.exit(f"there is no folder {args.json.parent} for {args.json.name}")
    setting = Setting(Path(cellgan).resolve(), args.timeout, args.seed)
    about = circumstances(setting)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        for pair, data in sources(args.pairs, Path(name), setting):
            rows += rows_of(pair, data, chosen(args.only), setting, max_cells=args.max_cells)
            if args.json:
                write_json(args.json, about, rows)
    print(report(rows))
    print(f"\n{about['machine']}; load {about['load']:.1f} at the start; seed {args.seed}")


if __name__ == "__main__":
    main()
