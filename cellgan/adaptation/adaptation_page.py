"""The page of an adaptation: what was kept and why, without target labels."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from cellgan.atomic import atomic
from cellgan.report import page
from cellgan.report.charts import Curve, curves
from cellgan.report.numbers import decimal, percent
from cellgan.report.palette import AFTER, BEFORE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

KEPT = (
    "An adapted encoder looks better than the source’s, by a criterion that needs no target labels. Such a "
    "criterion can be wrong: score some target {rows} by hand before you rely on it."
)
HURT = (
    "No adapted encoder looked better than the source’s own, so the source’s is kept, and the result is what "
    "it would have been without adaptation."
)
CRITERION = (
    "Each candidate was looked at without target labels. Information rises where predictions are certain and "
    "do not collapse onto few classes; source kept is how well the source’s own labels are still predicted. "
    "The most informative candidate is taken among those that keep the source within {tolerance}. A wrong "
    "encoder that is certain and balanced is not found out."
)


def adaptation_page(
    report: Mapping[str, Any],
    *,
    title: str,
    subtitle: str,
    rows: str,
    reason: str = "",
    results: Sequence[page.Block] = (),
    warnings: Sequence[str] = (),
) -> page.Page:
    """Lay out the report of an adaptation.

    Parameters
    ----------
    report
        With ``kept``, ``chosen``, ``looks``, ``config`` and ``cellgan``.
    title, subtitle
        Of the page.
    rows
        What the target holds, such as "cells".
    reason
        Of the verdict, if it is not the candidates' looks alone.
    results
        What came of it, below the verdict.
    warnings
        What the verdict is to be read with; where there are any, it is not called good.
    """
    adapted = report["kept"] == "adapted"
    headline = "Adapted" if adapted else "The source’s model is kept"
    looks, chosen = report["looks"], report["looks"][report["chosen"]]
    verdict = page.Banner(
        "good" if adapted and not warnings else "caution",
        f"{headline}: look closer" if warnings else headline,
        reason or (KEPT.format(rows=rows) if adapted else HURT),
    )
    first = looks[0]
    tiles = page.Tiles(
        (
            page.Tile(
                "Information", decimal(chosen["information"]), f"{decimal(first['information'])} before"
            ),
            page.Tile(
                "Source kept", percent(chosen["source_kept"]), f"{percent(first['source_kept'])} before"
            ),
            page.Tile("Round", str(chosen["round"]), f"of {report['config']['rounds']}"),
        )
    )
    made = page.Section("How it was chosen", how_it_was_chosen(report))
    settings = tuple((name, str(value)) for name, value in report["config"].items())
    return page.Page(
        title=title,
        kicker="Adaptation report",
        subtitle=subtitle,
        blocks=(
            verdict,
            *((page.Notes("Warnings", tuple(warnings)),) if warnings else ()),
            tiles,
            *results,
            made,
            page.Details("Settings of the game", (page.Terms(settings),)),
        ),
        footer=page.made_by(report["cellgan"]),
    )


def how_it_was_chosen(report: Mapping[str, Any]) -> tuple[page.Block, ...]:
    """Lay out the criterion and the looks at all candidates."""
    criterion = CRITERION.format(tolerance=percent(report["config"]["tolerance"]))
    drawn = (_gallery(report["looks"]),) if len(report["looks"]) > 1 else ()
    return page.Text(criterion), *drawn, _table(report)


def write_page(made: page.Page, report: Mapping[str, Any], path: Path) -> None:
    """Write a page, and its numbers as JSON beside it; each appears whole or not at all.

    Raises
    ------
    OutputError
        The place cannot be written.
    """
    numbers = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    for target, content in ((path, page.render(made)), (path.with_suffix(".json"), numbers)):
        with atomic(target) as part:
            part.write_text(content, encoding="utf-8", newline="\n")


def _gallery(looks: Sequence[Mapping[str, float]]) -> page.Gallery:
    at = np.array([each["round"] for each in looks], dtype=float)
    figures = []
    for name, colour, caption in (
        ("information", AFTER, "Of target predictions, by round; 0 is the source encoder."),
        ("source_kept", BEFORE, "How well the source’s own labels are predicted, by round."),
    ):
        values = np.array([each[name] for each in looks], dtype=float)
        title = name.replace("_", " ").capitalize()
        drawing = curves([Curve(at, values, colour)], alt=f"{title} by round", y_axis=True)
        figures.append(page.Figure(drawing, title, caption))
    return page.Gallery(tuple(figures), "medium")


def _table(report: Mapping[str, Any]) -> page.Table:
    columns = ("Round", "Information", "Entropy", "Balance", "Source kept")
    names = ("information", "entropy", "balance", "source_kept")
    rows = tuple(
        (page.Cell(str(each["round"])), *(page.Cell(decimal(each[n], 3), each[n]) for n in names))
        for each in report["looks"]
    )
    return page.Table(
        "Candidates; the one that is kept is set off.",
        tuple(page.Column(title, look="number") for title in columns),
        rows,
        strong=frozenset({report["chosen"]}),
    )
