"""Small tables that users write: .csv with commas or .tsv with tabs, the names of the columns on top."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from cellgan.errors import InputError
from cellgan.report.numbers import listing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SEPARATORS = {".csv": ",", ".tsv": "\t"}


def read_table(
    path: Path, columns: Sequence[str], *, optional: Sequence[str] = (), each: str
) -> list[tuple[int, dict[str, str]]]:
    """Read some columns of a table; other columns and empty lines are passed over.

    Parameters
    ----------
    path
        A ``.csv`` or ``.tsv`` file in UTF-8, with or without a byte order mark.
    columns
        Names of columns that hold a value in every line, in lower case; the table may write them otherwise.
    optional
        Names of columns that may be left out, or empty.
    each
        What a line is about, for the message on an empty table: ``a batch``.

    Returns
    -------
    list[tuple[int, dict]]
        For each line below the names its number, from 1, and its values by column; "" where an optional one
        has none.

    Raises
    ------
    InputError
        The table cannot be read or is empty, a column is missing or there twice, or a value is missing. Names
        line and column.
    """
    expected = f"the columns {listing([*optional, *columns])}" + "".join(
        f" ({name} may be left out)" for name in optional
    )
    separator = SEPARATORS.get(path.suffix.lower())
    if separator is None:
        msg = f"the suffix is {path.suffix!r}; expected a table that ends in .csv (commas) or .tsv (tabs)"
        raise InputError(msg)
    lines = _lines(path, separator)
    if not lines:
        msg = f"the table is empty; expected a line with {expected}, and one line {each}"
        raise InputError(msg)
    header = [name.casefold() for name in lines[0][1]]
    for column in (*columns, *optional):
        if header.count(column) != 1 and (column in columns or column in header):
            seen = "there is no column" if column not in header else "there is more than one column"
            between = "commas" if separator == "," else "tabs"
            msg = (
                f"{seen} {column!r} in line {lines[0][0]}, which has {', '.join(map(repr, lines[0][1]))}; "
                f"expected {expected}, set apart by {between}"
            )
            raise InputError(msg)
    found = []
    for line, row in lines[1:]:
        values = _values(line, row, header)
        for column in columns:
            if not values.get(column):
                msg = f"line {line}, column {column}: there is no value; fill it in, or take the line out"
                raise InputError(msg)
        found.append((line, {column: values.get(column, "") for column in (*columns, *optional)}))
    return found


def _lines(path: Path, separator: str) -> list[tuple[int, list[str]]]:
    """Return number and values of all lines but empty ones."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=separator)
            lines = [(reader.line_num, [value.strip() for value in row]) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"the table cannot be read as text ({error}); save it as {path.suffix} in UTF-8"
        raise InputError(msg) from error
    return [(line, row) for line, row in lines if any(row)]


def _values(line: int, row: list[str], header: list[str]) -> dict[str, str]:
    if any(row[len(header) :]):
        msg = (
            f"line {line} has {len(row)} values for {len(header)} columns; put a value that holds the "
            'separator into "quotes"'
        )
        raise InputError(msg)
    return dict(zip(header, row, strict=False))
