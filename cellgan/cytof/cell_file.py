"""Files of cells whose values are read piece by piece, so that they may be larger than the memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import anndata as ad
import h5py
import scipy.sparse as sp

from cellgan.cytof.check_cells import check_names, check_sparse, check_values, dense_float32
from cellgan.cytof.fcs import FcsFile, cell_names, open_fcs
from cellgan.cytof.h5ad import reading_h5ad
from cellgan.cytof.input_files import check_file, file_format, naming
from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

ROWS = 20_000


@dataclass(frozen=True, eq=False)
class CellFile:
    """A file of cells whose values are read when they are needed.

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
    fcs
        The open FCS file; None for .h5ad.
    """

    path: Path
    format: Literal["h5ad", "fcs"]
    n_cells: int
    names: tuple[str, ...]
    channels: tuple[str, ...]
    fcs: FcsFile | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know about the file, in words."""
        return self.fcs.notes if self.fcs else ()

    @property
    def keywords(self) -> Mapping[str, str]:
        """FCS keywords, in upper case; empty for .h5ad."""
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
        pieces = _fcs_pieces(self.fcs, rows) if self.fcs else _h5ad_pieces(self.path, rows)
        while True:
            with naming(self.path):  # not around the yield: what the caller does wrong is not the file's
                piece = next(pieces, None)
                if piece is None:
                    return
                check_values(piece, self.names)
            yield piece


def open_for_map(path: str | Path) -> CellFile:
    """Open a file of cells without reading their values.

    Parameters
    ----------
    path
        An ``.h5ad`` or ``.fcs`` file.

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
        if file_format(path) == "fcs":
            fcs = open_fcs(path)
            check_names(cell_names(fcs), fcs.names(), n_least=1)
            return CellFile(path, "fcs", fcs.n_cells, fcs.names(), fcs.channels, fcs)
        with reading_h5ad(path), h5py.File(path) as file:
            cells, var = _index(file["obs"]), ad.io.read_elem(file["var"])
            shape = _shape(file)
        names = tuple(map(str, var.index))
        check_names(cells, names, n_least=1)
        if shape != (len(cells), len(names)):
            msg = f"X has the shape {shape}, but obs and var name {len(cells)} cells and {len(names)} markers"
            raise InputError(msg)
        channels = tuple(map(str, var["channel"])) if "channel" in var else ("",) * len(names)
        return CellFile(path, "h5ad", len(cells), names, channels)


def _fcs_pieces(fcs: FcsFile, rows: int) -> Iterator[NDArray[np.float32]]:
    for start in range(0, fcs.n_cells, rows):
        yield fcs.rows(start, start + rows)


def _h5ad_pieces(path: Path, rows: int) -> Iterator[NDArray[np.float32]]:
    with h5py.File(path) as file:
        with reading_h5ad(path):
            read, n_cells = _row_reader(file["X"]), _shape(file)[0]
        for start in range(0, n_cells, rows):
            with reading_h5ad(path):
                piece = read(start, min(start + rows, n_cells))
            yield dense_float32(piece)


def _row_reader(x: h5py.Dataset | h5py.Group) -> Callable[[int, int], Any]:
    """Return what reads rows of X: from an array, or a sparse matrix by rows or by columns."""
    if isinstance(x, h5py.Dataset):
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


def _shape(file: h5py.File) -> tuple[int, int]:
    if "X" not in file or file["X"].attrs.get("encoding-type") == "null":
        msg = "there are no values (X is empty): put the ion counts or the arcsinh values into X"
        raise InputError(msg)
    x = file["X"]
    shape = x.shape if isinstance(x, h5py.Dataset) else x.attrs["shape"]
    return int(shape[0]), int(shape[1])


def _index(frame: h5py.Group | h5py.Dataset) -> list[str]:
    """Return the row names of a table without reading its columns, which may be large."""
    if isinstance(frame, h5py.Dataset):
        msg = (
            "a version of anndata before 0.7 wrote this file, and nothing can be added to its tables: read "
            "it with today's anndata, and write it again"
        )
        raise InputError(msg)
    return [str(name) for name in ad.io.read_elem(frame[frame.attrs["_index"]])]
