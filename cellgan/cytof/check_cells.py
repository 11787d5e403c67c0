"""What a table of cells must fulfil before anything is done with it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from cellgan.cytof.cell_names import twice
from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cellgan.cytof.cell_names import Pieces


def check_names(n_cells: int, cells: Pieces, markers: Sequence[str], *, n_least: int = 2) -> None:
    """Check the numbers and the names of cells and markers.

    Parameters
    ----------
    n_cells
        How many cells there are.
    cells
        Gives their names, piece by piece.
    markers
        Names of the columns.
    n_least
        Cells that there must be: two to be aligned, one to be mapped.

    Raises
    ------
    InputError
        There are too few cells or no markers, or a name occurs twice.
    """
    if n_cells < n_least:
        seen = "there is only one cell" if n_cells else "there are no cells"
        need = "a batch needs at least two, and some hundreds for a good result"
        msg = f"{seen}; {need if n_least > 1 else 'give at least one'}"
        raise InputError(msg)
    if not len(markers):
        msg = "there are no markers (var is empty)"
        raise InputError(msg)
    if again := twice(cells, n_cells):
        msg = f"cell names occur more than once: {_listed(again)}. Use adata.obs_names_make_unique()"
        raise InputError(msg)
    if len(set(markers)) < len(markers):
        again = {name: n for name, n in Counter(markers).items() if n > 1}
        msg = f"marker names occur more than once: {_listed(again)}. Rename the columns (adata.var_names)"
        raise InputError(msg)


def check_values(values: NDArray[np.float32], markers: Sequence[str]) -> None:
    """Check that all values are finite.

    Parameters
    ----------
    values
        (n_cells, n_markers).
    markers
        Names of the columns.

    Raises
    ------
    InputError
        NaN or infinite values; names the markers and the numbers of cells.
    """
    # A sum is finite only if every value is: one pass without a table of truth values.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum(dtype=np.float64)):
            return
    told = []
    for what, test in (("NaN", np.isnan), ("infinite", np.isinf)):
        counts = {m: int(n) for m, n in zip(markers, test(values).sum(axis=0), strict=True) if n}
        if counts:
            listed = ", ".join(
                f"{m} ({n:,} cell{'s' if n > 1 else ''})" for m, n in list(counts.items())[:10]
            )
            told.append(f"{what} values in {len(counts)} marker{'s' if len(counts) > 1 else ''}: {listed}")
    if told:
        msg = f"{'; '.join(told)}. Values must be finite numbers: remove these cells or markers"
        raise InputError(msg)


def dense_float32(values: Any) -> NDArray[np.float32]:  # noqa: ANN401 -- whatever AnnData may hold
    """Return X as a dense float32 array of its own.

    Parameters
    ----------
    values
        (n_cells, n_markers): an array or a sparse matrix.

    Returns
    -------
    ndarray
        A copy.

    Raises
    ------
    InputError
        There is no X, or it does not hold numbers.
    """
    if values is None:
        msg = "there are no values (X is empty): put the ion counts or the arcsinh values into X"
        raise InputError(msg)
    table = check_sparse(values).toarray() if sp.issparse(values) else np.asarray(values)
    if table.ndim != 2 or table.dtype.kind not in "fiub":
        msg = f"X holds {table.dtype} in {table.ndim} dimensions; expected numbers, in one row a cell"
        raise InputError(msg)
    with np.errstate(over="ignore"):  # a double beyond float32 becomes inf, which is refused by name
        return np.array(table, dtype=np.float32, order="C")


def check_sparse(matrix: Any) -> Any:  # noqa: ANN401 -- scipy has a class for each kind
    """Return a sparse matrix whose indices are sound: with others, scipy reads and writes beyond its memory.

    Parameters
    ----------
    matrix
        By rows or columns.

    Returns
    -------
    sparse matrix
        The same one.

    Raises
    ------
    InputError
        Indices point outside the matrix.
    """
    if hasattr(matrix, "check_format"):
        try:
            matrix.check_format(full_check=True)
        except ValueError as error:
            msg = f"the sparse matrix in X is damaged: {error}; copy or download the file again"
            raise InputError(msg) from error
    return matrix


def _listed(again: Mapping[str, int]) -> str:
    names = list(again)
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    return ", ".join(map(repr, names[:5])) + more
