"""Files of cells that are read piece by piece, so that they may be larger than the memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anndata as ad
import pandas as pd
import scipy.sparse as sp

from cellgan.cytof.check_cells import check_names, check_sparse, check_values, dense_float32
from cellgan.cytof.fcs import FcsFile, cell_names, fcs_to_adata, open_fcs
from cellgan.cytof.input_files import Format, check_file, file_format, naming
from cellgan.cytof.stores import Element, doubt_of, is_array, opened, read_whole, reading, texts
from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

ROWS = 32_768  # cells at a time: whole blocks of the mover, as many for each of two threads


@dataclass(frozen=True, eq=False)
class CellFile:
    """A file of cells whose values and tables are read when they are needed.

    Attributes
    ----------
    path
        The file.
    format
        What it is.
    n_cells
        Cells in it.
    names
        Names of the columns, unique.
    channels
        FCS ``$PnN``, or "" where the file has none.
    columns
        Columns of ``obs``.
    index_name
        What the cells' names are called in ``obs``; None where they are not called anything.
    fcs
        The open FCS file; None for others.
    doubt
        What the user should know about a store, in words; empty if there is nothing.
    """

    path: Path
    format: Format
    n_cells: int
    names: tuple[str, ...]
    channels: tuple[str, ...]
    columns: tuple[str, ...] = ()
    index_name: str | None = None
    fcs: FcsFile | None = field(default=None, repr=False)
    doubt: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know about the file, in words."""
        return self.fcs.notes if self.fcs else (self.doubt,) if self.doubt else ()

    @property
    def keywords(self) -> Mapping[str, str]:
        """FCS keywords, in upper case; empty for other formats."""
        return self.fcs.keywords if self.fcs else {}

    def chunks(self, rows: int = ROWS) -> Iterator[NDArray[np.float32]]:
        """Read all cells in order.

        Parameters
        ----------
        rows
            At most so many cells at a time.

        Yields
        ------
        ndarray
            (n_cells, n_columns), float32, finite, as stored.

        Raises
        ------
        InputError
            A value is NaN or infinite, or the file is damaged.
        """
        pieces = _fcs_pieces(self.fcs, rows) if self.fcs else _store_pieces(self.path, rows)
        while True:
            with naming(self.path):  # not around the yield: what the caller does wrong is not the file's
                piece = next(pieces, None)
                if piece is None:
                    return
                check_values(piece, self.names)
            yield piece

    def cell_names(self, rows: int = ROWS) -> Iterator[NDArray[np.object_]]:
        """Yield the names of all cells in order, at most so many at a time."""
        if self.fcs:
            yield from cell_names(self.fcs, rows)
            return
        with naming(self.path), reading(self.path), opened(self.path) as file:
            yield from texts(_index(file["obs"]), rows)

    def column(self, key: str) -> pd.Series[Any]:
        """Read one column of ``obs``."""
        with naming(self.path), reading(self.path), opened(self.path) as file:
            obs = file["obs"]
            if obs.attrs.get("encoding-version") != "0.2.0":  # older tables keep categories elsewhere
                return pd.Series(ad.io.read_elem(obs)[key].array)
            return pd.Series(ad.io.read_elem(obs[key]))

    def whole(self) -> ad.AnnData:
        """Read all that the file holds."""
        with naming(self.path):
            return fcs_to_adata(self.fcs) if self.fcs else read_whole(self.path)


def open_for_map(path: str | Path, *, n_least: int = 1) -> CellFile:
    """Open a file of cells without reading their values.

    Parameters
    ----------
    path
        An ``.h5ad`` or ``.fcs`` file, or a ``.zarr`` folder.
    n_least
        Cells that there must be.

    Returns
    -------
    CellFile
        Checked but for the values, which are checked as they are read.

    Raises
    ------
    InputError
        The file is missing or cannot be used as it is; the message names it.
    """
    path = Path(path)
    check_file(path)
    with naming(path):
        kind = file_format(path)
        if kind == "fcs":
            fcs = open_fcs(path)
            found = CellFile(path, kind, fcs.n_cells, fcs.names(), fcs.channels, fcs=fcs)
        else:
            found = _open_store(path, kind)
        check_names(found.n_cells, found.cell_names, found.names, n_least=n_least)
    return found


def _open_store(path: Path, kind: Format) -> CellFile:
    with reading(path), opened(path) as file:
        index, var = _index(file["obs"]), ad.io.read_elem(file["var"])
        shape, attributes = _shape(file), file["obs"].attrs
        columns, called = tuple(map(str, attributes["column-order"])), str(attributes["_index"])
        doubt = doubt_of(path)
        held = index if is_array(index) else index["codes" if "codes" in index else "values"]
        n_cells = int(held.shape[0])
    names = tuple(map(str, var.index))
    if shape != (n_cells, len(names)):
        msg = f"X has the shape {shape}, but obs and var name {n_cells} cells and {len(names)} markers"
        raise InputError(msg)
    own = var["channel"].astype("object") if "channel" in var else [""] * len(names)
    channels = tuple(str(one) if isinstance(one, str) else "" for one in own)
    index_name = None if called == "_index" else called
    return CellFile(path, kind, n_cells, names, channels, columns, index_name, doubt=doubt)


def _fcs_pieces(fcs: FcsFile, rows: int) -> Iterator[NDArray[np.float32]]:
    for start in range(0, fcs.n_cells, rows):
        yield fcs.rows(start, start + rows)


def _store_pieces(path: Path, rows: int) -> Iterator[NDArray[np.float32]]:
    with opened(path) as file:
        with reading(path):
            read, n_cells = _row_reader(file["X"]), _shape(file)[0]
        for start in range(0, n_cells, rows):
            with reading(path):
                piece = read(start, min(start + rows, n_cells))
            yield dense_float32(piece)


def _row_reader(x: Element) -> Callable[[int, int], Any]:
    """Return what reads rows of X: from an array, or a sparse matrix by rows or by columns."""
    if is_array(x):
        return lambda start, stop: x[start:stop]
    n_markers = int(x.attrs["shape"][1])
    if x.attrs["encoding-type"] == "csc_matrix":
        # Rows cannot be found in columns without reading all of them.
        whole = check_sparse(ad.io.read_elem(x)).tocsr()
        return lambda start, stop: whole[start:stop]
    pointers = x["indptr"][:]

    def read(start: int, stop: int) -> sp.csr_matrix:
        first, last = int(pointers[start]), int(pointers[stop])
        parts = (x["data"][first:last], x["indices"][first:last], pointers[start : stop + 1] - first)
        return sp.csr_matrix(parts, shape=(stop - start, n_markers))

    return read


def _shape(file: Element) -> tuple[int, int]:
    if "X" not in file or file["X"].attrs.get("encoding-type") == "null":
        msg = "there are no values (X is empty): put the ion counts or the arcsinh values into X"
        raise InputError(msg)
    x = file["X"]
    shape = x.shape if is_array(x) else x.attrs["shape"]
    return int(shape[0]), int(shape[1])


def _index(frame: Element) -> Element:
    """Return where the row names of a table lie."""
    if is_array(frame):
        msg = (
            "a version of anndata before 0.7 wrote this file, and nothing can be added to its tables: read "
            "it with today's anndata, and write it again"
        )
        raise InputError(msg)
    return frame[frame.attrs["_index"]]
