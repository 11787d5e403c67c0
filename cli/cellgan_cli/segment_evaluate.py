"""``cellgan segment evaluate``: masks beside the truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cellgan.atomic import atomic, check_output
from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from cellgan.segmentation.compare import Difference
    from cellgan.segmentation.evaluation import Evaluation

_PATH = click.Path(path_type=Path)


@click.command(short_help="Score masks against the truth.")
@click.argument("predicted", type=_PATH)
@click.argument("truth", type=_PATH)
@click.option("--against", type=_PATH, metavar="PATH", help="Other predictions, compared case by case.")
@click.option("--json", "as_json", type=_PATH, metavar="FILE", help="Write all figures, by slice too.")
@click.option("--csv", "as_csv", type=_PATH, metavar="FILE", help="Write a line per case.")
@click.option("--report", type=_PATH, metavar="FILE", help="Write a page with pictures, ending in .html.")
@click.option("--seed", default=0, show_default=True, help="Seed of the interval's draws.")
@click.option("--overwrite", is_flag=True, help="Replace older files.")
def evaluate(**flags: Any) -> None:  # noqa: ANN401 - each flag is typed by click
    """Score the masks PREDICTED against TRUTH: two files, two folders, or a folder and a CASES.csv.

    The table on stdout has a line per site: mean and standard deviation over its cases. Distances are in mm.
    A mask that is empty where the truth is not scores 0, and its distance is the volume's diagonal.
    """
    predicted, truth = flags["predicted"], flags["truth"]
    as_json, as_csv, report = flags["as_json"], flags["as_csv"], flags["report"]
    if report is not None and report.suffix != ".html":
        msg = f"--report is {str(report)!r}; expected a name that ends in .html"
        raise ConfigError(msg)
    for path in (as_json, as_csv, report):
        if path is not None:
            check_output(path, inputs=[predicted, truth], overwrite=flags["overwrite"])
    from cellgan.segmentation.evaluation import evaluate as score
    from cellgan.segmentation.evaluation import evaluate_pairs
    from cellgan.segmentation.pairs import find_pairs

    pairs = find_pairs(predicted, truth)
    found, other = evaluate_pairs(pairs), None
    if flags["against"] is not None:
        other = found.against(score(flags["against"], truth), seed=flags["seed"])
    click.echo(table(found))
    if found.calibration:
        errors = [one.error for one in found.calibration.values()]
        mean = sum(errors) / len(errors)
        click.echo(f"\ncalibration error of the probabilities: {mean:.3f}, mean of {len(errors)} cases")
    if other is not None:
        click.echo("\n" + differences(other))
    if as_json is not None:
        content = found.as_json()
        if other is not None:
            content["against"] = {
                str(label): {name: vars(value) for name, value in by_name.items()}
                for label, by_name in other.items()
            }
        with atomic(as_json) as part:
            part.write_text(json.dumps(content, indent=1, allow_nan=False), encoding="utf-8")
    if as_csv is not None:
        found.write_csv(as_csv)
    if report is not None:
        from cellgan.segmentation.report_page import write_report

        write_report(report, found, pairs, about=f"{predicted}, scored against {truth}.")


def table(found: Evaluation) -> str:
    """Return a line for each site."""
    heads = [
        "site",
        "label",
        "cases",
        "Dice",
        "HD95 mm",
        "surface mm",
        "sensitivity",
        "specificity",
        "volume",
    ]
    names = ("dice", "hd95", "surface", "sensitivity", "specificity", "volume_error")
    lines = [
        [row.site, str(row.label), str(row.n)]
        + [
            f"{row.mean[name]:.{2 if name in {'hd95', 'surface'} else 3}f} ± {row.sd[name]:.2f}"
            for name in names
        ]
        for row in found.sites
    ]
    return _columns([heads, *lines])


def differences(other: dict[int, dict[str, Difference]]) -> str:
    """Return a line for each figure: the mean difference and its interval."""
    lines = [
        [str(label), name, f"{value.mean:+.3f}", f"{value.low:+.3f} to {value.high:+.3f}", str(value.n)]
        for label, by_name in other.items()
        for name, value in by_name.items()
    ]
    return _columns([["label", "figure", "difference", "95 % interval", "cases"], *lines])


def _columns(rows: list[list[str]]) -> str:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)
