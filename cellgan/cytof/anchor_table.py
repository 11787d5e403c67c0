"""The table that says which file holds which batch's control sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellgan.cytof.input_files import check_file, naming
from cellgan.cytof.text_table import read_table
from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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
        for line, row in read_table(path, COLUMNS, each="a batch"):
            batch, file = row["batch"], row["file"]
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
