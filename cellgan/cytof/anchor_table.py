"""The table that says which file holds which batch's control sample."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from cellgan.cytof.input_files import check_file, naming
from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SEPARATORS = {".csv": ",", ".tsv": "\t"}
COLUMNS = ("batch", "file")


def read_anchor_table(path: Path, *, batches: Sequence[str] | None = None) -> dict[str, Path]:
    """Read which file holds which batch's control, without opening these files.

    Parameters
    ----------
    path
        A ``.csv`` or ``.tsv`` table with the columns ``batch`` and ``file``; others are ignored. A file is
        named relative to the table's folder.
    batches
        Names of the batches; None where they are not known yet, and then not checked.

    Returns
    -------
    dict[str, Path]
        File of the control by batch, in the order of the table.

    Raises
    ------
    InputError
        The table cannot be read or is empty, a column is missing, a value is missing, a batch is unknown or
        occurs twice, or a file is missing, given twice or of another format. Names line and column.
    """
    found: dict[str, Path] = {}
    with naming(path):
        for line, batch, file in _rows(path):
            if batches is not None and batch not in batches:
                known = ", ".join(batches)
                msg = f"line {line}, column batch: there is no batch {batch!r}; the batches are {known}"
                raise InputError(msg)
            if batch in found:
                msg = (
                    f"line {line}, column batch: {batch!r} is listed a second time; expected one control a "
                    "batch: put several files into one first"
                )
                raise InputError(msg)
            control = path.parent / file
            with naming(f"line {line}, column file"):
                check_file(control)
            for other, earlier in found.items():
                if control.samefile(earlier):
                    msg = (
                        f"line {line}, column file: {file} is the control of {other!r} already; the control "
                        "must have been measured once in every batch, each time in a file of its own"
                    )
                    raise InputError(msg)
            found[batch] = control
        if not found:
            msg = "the table lists no control: give one line a batch, with its name and its control's file"
            raise InputError(msg)
    return found


def _rows(path: Path) -> list[tuple[int, str, str]]:
    """Return line, batch and file of all rows but empty ones."""
    separator = SEPARATORS.get(path.suffix.lower())
    if separator is None:
        msg = f"the suffix is {path.suffix!r}; expected a table that ends in .csv (commas) or .tsv (tabs)"
        raise InputError(msg)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=separator)
            lines = [(reader.line_num, [value.strip() for value in row]) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"the table cannot be read as text ({error}); save it as {path.suffix} in UTF-8"
        raise InputError(msg) from error
    lines = [(line, row) for line, row in lines if any(row)]
    if not lines:
        msg = "the table is empty; expected a line with the columns batch and file, and one line a batch"
        raise InputError(msg)
    header = [name.casefold() for name in lines[0][1]]
    for column in COLUMNS:
        if header.count(column) != 1:
            seen = "there is no column" if column not in header else "there is more than one column"
            between = "commas" if separator == "," else "tabs"
            msg = (
                f"{seen} {column!r} in line {lines[0][0]}, which has {', '.join(map(repr, lines[0][1]))}; "
                f"expected the columns batch and file, set apart by {between}"
            )
            raise InputError(msg)
    return [(line, *_values(line, row, header)) for line, row in lines[1:]]


def _values(line: int, row: list[str], header: list[str]) -> tuple[str, str]:
    if any(row[len(header) :]):
        msg = (
            f"line {line} has {len(row)} values for {len(header)} columns; put a value that holds the "
            'separator into "quotes"'
        )
        raise InputError(msg)
    values = dict(zip(header, row, strict=False))
    for column in COLUMNS:
        if not values.get(column):
            msg = f"line {line}, column {column}: there is no value; fill it in, or take the line out"
            raise InputError(msg)
    return values["batch"], values["file"]
