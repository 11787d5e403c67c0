"""The rows as markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rows import Row

COLUMNS: dict[str, Callable[[Row], str]] = {
    "method": lambda row: row.method,
    "score": lambda row: _figure(row, "score"),
    "distance removed": lambda row: _figure(row, "distance_removed"),
    "not told apart": lambda row: _figure(row, "not_told_apart"),
    "types carried over": lambda row: _figure(row, "types_carried_over"),
    "whole process, s": lambda row: _number(row.seconds, 1),
    "correction alone, s": lambda row: _number(row.correction_seconds, 2),
    "peak memory, MB": lambda row: _number(row.megabytes, 0),
}
FIGURES = ("score", "distance removed", "not told apart", "types carried over")
COSTS = ("whole process, s", "correction alone, s", "peak memory, MB")


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _figure(row: Row, name: str) -> str:
    return _number((row.figures or {}).get(name), 3)


def _lines(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *body))


def _failure(row: Row) -> str:
    return row.failure.replace("|", "/")[:120]


def pair_table(rows: Sequence[Row]) -> str:
    """Give the table of one pair; a method that failed says why in place of its score."""
    columns = [name for name in COLUMNS if name not in FIGURES or any(row.figures for row in rows)]
    body = []
    for row in rows:
        cells = [COLUMNS[name](row) for name in columns]
        if row.failure:
            cells[1] = f"failed: {_failure(row)}"
        body.append(cells)
    return _lines(columns, body)


def overview(rows: Sequence[Row], *, timed: str) -> str:
    """Give every method's scores, their mean if none is missing, and its cost on the timed pair."""
    pairs = list(dict.fromkeys(row.pair for row in rows if row.pair != timed))
    costs = COSTS if any(row.pair == timed for row in rows) else ()
    found = {(row.method, row.pair): row for row in rows}
    body = []
    for method in dict.fromkeys(row.method for row in rows):
        scores = [(found[method, pair].figures or {}).get("score") for pair in pairs]
        there = [score for score in scores if score is not None]
        mean = sum(there) / len(there) if there and len(there) == len(pairs) else None
        shown = ["failed" if score is None else _number(score, 3) for score in scores]
        body.append(
            [method, *shown, _number(mean, 3), *(COLUMNS[name](found[method, timed]) for name in costs)]
        )
    return _lines(["score", *pairs, "mean", *(f"{timed}: {name}" for name in costs)], body)
