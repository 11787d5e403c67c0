"""Cells drawn at random by their own values, so that the order of a file's rows decides nothing.

Every cell gets a number that is a hash of its proteins' values and a seed (when it was measured and how it
scattered light is not asked, and not every file has it); those with the lowest numbers are drawn. The
same cells are drawn however the rows are ordered, whether a file is read at once or piece by piece, and they
come in the same order, so that all that follows is the same to the last bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.marker_names import column_kinds
from cellgan.cytof.ranks import mix

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cellgan.cytof.cells import Cells

N_DRAWN = 100_000  # cells of a batch at most: enough for its scale and units, and more than is learned from


def cell_hashes(values: NDArray[np.float32], seed: int) -> NDArray[np.uint64]:
    """Return a number for each cell that depends on its values alone, ``(n_cells,)``.

    Parameters
    ----------
    values
        ``(n_cells, n_columns)``.
    seed
        Another one gives other numbers.
    """
    columns = np.arange(1, values.shape[1] + 1, dtype=np.uint64)
    # Odd factors, one a column: multiplication by them loses no bit.
    factors = mix(mix(np.array([seed], dtype=np.uint64)) + columns) | np.uint64(1)
    found = np.zeros(len(values), dtype=np.uint64)
    for column, factor in zip(values.T, factors, strict=True):
        bits = (column + np.float32(0)).view(np.uint32)  # -0 is 0
        found += (bits + np.uint64(1)) * factor
    return mix(found)


def hashed_columns(var: pd.DataFrame) -> NDArray[np.intp]:
    """Return which columns count for a cell's number: proteins, or all where there are none."""
    channels = var["channel"] if "channel" in var else [""] * len(var)
    kinds = column_kinds(list(map(str, var.index)), list(map(str, channels)))
    proteins = np.flatnonzero([kind == "marker" for kind in kinds])
    return proteins if len(proteins) else np.arange(len(var))


def draw(cells: Cells, n: int, seed: int, among: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
    """Draw cells of a batch.

    Parameters
    ----------
    cells
        All of them.
    n
        How many at most; all where there are no more.
    seed
        Of the draw.
    among
        Rows to draw from; all if not given.

    Returns
    -------
    NDArray
        Rows in the order drawn, ``(n,)``: the first ones are a smaller draw.
    """
    numbers = cells.hashes(seed)
    rows = np.arange(cells.n_cells) if among is None else among
    own = numbers[rows]
    if n < len(rows):
        first = np.argpartition(own, n - 1)[:n]
        rows, own = rows[first], own[first]
    # Cells with the same number have the same values: which of them comes first makes no difference.
    return rows[np.argsort(own)]
