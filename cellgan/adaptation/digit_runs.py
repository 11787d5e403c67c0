"""All runs of the digits benchmark, kept one by one, so that a benchmark that was stopped goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from cellgan.adaptation.adaptation_page import write_page
from cellgan.adaptation.config import PUBLISHED, AdaptConfig
from cellgan.adaptation.digit_benchmark import DIRECTIONS, find_digits, run_digits
from cellgan.adaptation.digit_page import as_text, digit_page, summarise
from cellgan.atomic import atomic, check_output
from cellgan.core.checkpoint import check_same_start
from cellgan.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cellgan.adaptation.adaptation import Progress
    from cellgan.adaptation.digits import Framing


@dataclass(frozen=True)
class DigitPlan:
    """What is to be run.

    Attributes
    ----------
    folder
        With both sites' files.
    seeds
        How many, from 0.
    framing
        How digits come onto one grid.
    published
        Whether every guard is off.
    """

    folder: Path
    seeds: int
    framing: Framing = "resize"
    published: bool = False

    def config(self, seed: int) -> AdaptConfig:
        """Return the settings of one run."""
        return replace(PUBLISHED, seed=seed) if self.published else AdaptConfig(seed=seed)


def run_all(
    plan: DigitPlan, report: Path, *, resume: bool, progress: Progress, say: Callable[[str], None]
) -> str:
    """Run both directions with every seed, write the report, and return the table as text.

    Parameters
    ----------
    plan
        What to run.
    report
        The page; what was run so far is kept beside it.
    resume
        Take the runs that are kept there.
    progress, say
        Where progress and words for people go.

    Raises
    ------
    InputError
        The digits cannot be used.
    ModelError
        The runs that are kept are of other settings, or damaged.
    """
    files = find_digits(plan.folder)
    about = {"framing": plan.framing, "published": plan.published, "version": version("cellgan")}
    kept = runs_beside(report)
    runs = _kept(kept, about) if resume else []
    for seed in range(plan.seeds):
        for direction in DIRECTIONS:
            if any((run["source"], run["seed"]) == (direction[0], seed) for run in runs):
                continue
            found = run_digits(files, direction, plan.config(seed), framing=plan.framing, progress=progress)
            runs.append(found.as_json())
            before, after = found.source_only.sample, found.adapted.sample
            say(f"{' to '.join(direction)}, seed {seed}: {before:.3f} before, {after:.3f} adapted")
            with atomic(kept) as part:
                part.write_text(json.dumps({"about": about, "runs": runs}), encoding="utf-8")
    runs = [run for run in runs if run["seed"] < plan.seeds]
    rows = summarise(runs)
    write_page(digit_page(runs, version("cellgan")), {**about, "rows": rows, "runs": runs}, report)
    kept.unlink(missing_ok=True)
    return as_text(rows)


def runs_beside(report: Path) -> Path:
    """Return where the runs are kept until the report is written."""
    return report.with_suffix(".runs.json")


def check_digit_report(report: Path, *, overwrite: bool) -> None:
    """See that the report can be written.

    Raises
    ------
    ConfigError
        Its name does not end in .html.
    OutputError
        The place is taken or cannot be written.
    """
    if report.suffix != ".html":
        msg = f"--report is {str(report)!r}; expected a name that ends in .html"
        raise ConfigError(msg)
    for path in (report, report.with_suffix(".json")):
        check_output(path, overwrite=overwrite)


def _kept(path: Path, about: dict[str, Any]) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        before, runs = dict(content["about"]), list(content["runs"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{path} does not hold the runs of a benchmark: {error}. Start anew with --overwrite"
        raise ModelError(msg) from error
    check_same_start(path, before, about)
    return runs
