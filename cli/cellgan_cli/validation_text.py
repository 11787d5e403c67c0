"""A validation as a table in plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.cytof.trust import WORDS
from cellgan.report.numbers import decimal, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCORES = ("r", "r_within", "nrmse", "emd", "sd_ratio", "corr", "coverage")


def as_text(report: Mapping[str, Any]) -> str:
    """Set out markers that were held out, their means beside simple methods, and what was imputed.

    Parameters
    ----------
    report
        Of a validation.
    """
    tables = [_held_out(report), _means(report)]
    if report["private"]:
        tables.append(_private(report))
    return "\n".join(tables)


def _held_out(report: Mapping[str, Any]) -> str:
    rows = [("held out", *SCORES, "best simple r", "if missing")]
    for entry in report["held_out"]:
        own, *simple = entry["methods"]
        best = max(simple, key=lambda row: row["r"])
        beside = f"{decimal(best['r'])} {best['method']}"
        rows.append((entry["marker"], *_scores(own), beside, WORDS[entry["level"]].lower()))
    return _aligned(rows, left=(0, len(SCORES) + 1, len(SCORES) + 2))


def _means(report: Mapping[str, Any]) -> str:
    rows = [("mean of all", *SCORES), *((row["method"], *_scores(row)) for row in report["mean"])]
    return _aligned(rows, left=(0,))


def _private(report: Mapping[str, Any]) -> str:
    rows = [("imputed", "measured in", "r at home", "r expected", "r low", "verdict", "judged by")]
    rows += [
        (
            entry["marker"],
            entry["measured_in"],
            decimal(entry["r_source"]),
            decimal(entry["r_expected"]),
            decimal(entry["r_low"]),
            WORDS[entry["level"]].lower(),
            ", ".join(entry["like"]) or "itself alone",
        )
        for entry in report["private"]
    ]
    return _aligned(rows, left=(0, 1, 5, 6))


def _scores(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        percent(row.get(name)) if name == "coverage" else decimal(row.get(name), 3) for name in SCORES
    )


def _aligned(rows: Sequence[tuple[str, ...]], *, left: Sequence[int]) -> str:
    """Set columns below each other, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            f"{text:<{width}}" if place in left else f"{text:>{width}}"
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines) + "\n"
