"""Every demo's own test at full size, over several seeds, as a table.

    python benchmarks/demos.py --seeds 5 --json demos.json
    python benchmarks/demos.py gan vae --seeds 1 --pages pages/ --pictures docs/demos/
    python benchmarks/demos.py --table demos.json

Seeds are the outer loop, so that a run which is stopped has all demos of the seeds that are done. Nothing is
chosen by what comes out: bounds stand in the demos.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import torch

from cellgan.images.demo_page import as_json, as_page
from cellgan.images.demos import TITLES, find


def once(name: str, seed: int, pages: Path | None, pictures: Path | None) -> dict:
    """Play a demo once; write its page, and its last sample as a picture of its own."""
    start = time.process_time()
    run = find(name).run(seed=seed)
    took = time.process_time() - start
    if pages is not None:
        pages.mkdir(exist_ok=True)
        (pages / f"{name}.html").write_text(as_page(name, run), encoding="utf-8")
    if pictures is not None:
        pictures.mkdir(exist_ok=True)
        drawing = str(run.result.played.samples[-1].drawing)
        alone = drawing.replace(
            "<svg ", '<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" ', 1
        )
        (pictures / f"{name}.svg").write_text(alone + "\n", encoding="utf-8")
    report = json.loads(as_json(name, run))
    del report["losses"]
    return report | {"cpu_seconds": round(took, 1)}


def span(values: list[float | None]) -> str:
    """Return the least and the largest value, once if they look alike; a dash where there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    low, high = (f"{value:.3g}" for value in (min(known), max(known)))
    return low if low == high else f"{low} to {high}"


def table(reports: list[dict]) -> str:
    """Return a Markdown table: each test of each demo, its bound, what was measured, how often it passed."""
    seeds = len({report["seed"] for report in reports})
    lines = [
        f"| demo | figure | bound | of {seeds} seeds | switched off | real data | passed | CPU, s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(report["demo"] for report in reports):
        own = [report for report in reports if report["demo"] == name]
        seconds = f"{max(report['cpu_seconds'] for report in own):.0f}"
        for number, measure in enumerate(own[0]["measures"]):
            rows = [report["measures"][number] for report in own]
            low, high = measure["at_least"], measure["at_most"]
            if low is None and high is None:
                continue
            bound = f"≥ {low:g}" if low is not None else f"≤ {high:g}"
            values, floor, off = (
                span([row[key] for row in rows]) for key in ("value", "real_against_real", "switched_off")
            )
            passed = f"{sum(row['passed'] for row in rows)} of {len(rows)}"
            cells = (f"`{name}`", measure["name"], bound, values, off, floor, passed, seconds)
            lines.append(f"| {' | '.join(cells)} |")
            seconds = ""
    return "\n".join(lines)


def main() -> None:
    """Play, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[*TITLES, []], help="By default all.")
    parser.add_argument("--seeds", type=int, default=5, help="How many.")
    parser.add_argument("--first", type=int, default=0, help="The first seed.")
    parser.add_argument("--json", type=Path, help="Every figure, one demo and seed a line, as they come.")
    parser.add_argument("--pages", type=Path, help="A folder for the pages of seed 0.")
    parser.add_argument("--pictures", type=Path, help="A folder for the last sample of seed 0.")
    parser.add_argument("--table", type=Path, help="Play nothing: the table of such a file.")
    given = parser.parse_args()
    if given.table:
        print(table([json.loads(line) for line in given.table.read_text(encoding="utf-8").splitlines()]))
        return
    torch.set_num_threads(1)
    reports = []
    for seed in range(given.first, given.first + given.seeds):
        for name in given.names or TITLES:
            report = once(name, seed, *((given.pages, given.pictures) if seed == 0 else (None, None)))
            reports.append(report)
            print(
                name,
                seed,
                "passed" if report["passed"] else "not passed",
                report["cpu_seconds"],
                file=sys.stderr,
            )
            if given.json:
                with given.json.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(report) + "\n")
    print(table(reports))


if __name__ == "__main__":
    main()
