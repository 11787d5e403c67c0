"""A column of ``obs`` as text, the same whether it was stored as numbers, categories, booleans or words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cellgan.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellgan.cytof.read_write import CellBatch

# "None" is not among them: it may well say that a cell was given nothing.
MISSING = frozenset({"", "nan", "na", "n/a", "<na>", "unknown"})


def text_of(batch: CellBatch, key: str, *, what: str) -> NDArray[np.str_]:
    """Return a column of a batch's cells as text.

    A whole number is the same text with and without ``.0``: one file of several with an empty cell in it
    holds 1.0 where the others hold 1.

    Parameters
    ----------
    batch
        The cells.
    key
        Column of ``obs``.
    what
        What the column is to tell, for the message.

    Returns
    -------
    ndarray
        (n_cells,), without blanks at both ends; "" where a cell has no value.

    Raises
    ------
    InputError
        There is no such column; names those that exist.
    """
    codes, values = pd.factorize(column_of(batch, key, what=what))
    # The code of a missing value is -1, which is the last text.
    return np.array([*(_text(value) for value in values), ""], dtype=str)[codes]


def column_of(batch: CellBatch, key: str, *, what: str) -> pd.Series[Any]:
    """Return a column of a batch's cells; InputError where there is none. See `text_of`."""
    if key not in batch.cells.obs_columns:
        there = ", ".join(map(str, batch.cells.obs_columns)) or "no column at all"
        msg = f"batch {batch.name!r} has no obs column {key!r} with {what}; its obs has {there}"
        if batch.format == "fcs":
            msg += ": .fcs files hold no such columns, .h5ad files do"
        problem = InputError(msg)
        if batch.path is not None:
            problem.add_note(f"in {batch.path}")
        raise problem
    column: pd.Series[Any] = batch.cells.column(key)
    return column


def _text(value: object) -> str:
    whole = isinstance(value, float | np.floating) and float(value).is_integer()
    text = str(int(value)) if whole else str(value).strip()  # type: ignore[call-overload]
    return "" if text.casefold() in MISSING else text
