"""Reading .h5ad files that strangers may have sent: whatever is wrong with them ends in a plain error."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anndata as ad
import h5py

from cellgan.errors import CellganError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def reading_h5ad(path: Path) -> Iterator[None]:
    """Turn what goes wrong while an .h5ad file is read into an InputError.

    Raises
    ------
    InputError
        The file is not HDF5, is truncated, or does not hold an AnnData.
    """
    if not h5py.is_hdf5(path):
        with path.open("rb") as file:
            start = file.read(8)
        if start != b"\x89HDF\r\n\x1a\n":
            msg = f"this is not an .h5ad file: it begins with {start!r}, not with the signature of HDF5"
            raise InputError(msg)
    try:
        with warnings.catch_warnings():
            # Old encodings are read all the same, and names that occur twice are checked later.
            warnings.simplefilter("ignore")
            yield
    except CellganError:
        raise
    except Exception as error:  # what h5py and anndata raise on damaged files has no common ancestor
        first = str(error).split("\n", 1)[0]
        if "truncated" in str(error):
            msg = f"the file is truncated: copy or download it again ({first})"
        else:
            msg = f"this cannot be read as an .h5ad file, it may be damaged: {type(error).__name__}: {first}"
        raise InputError(msg) from error


def read_h5ad(path: Path) -> ad.AnnData:
    """Read a whole .h5ad file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    AnnData
        As stored.

    Raises
    ------
    InputError
        The file is not HDF5, is truncated, or does not hold an AnnData.
    """
    with reading_h5ad(path):
        return ad.read_h5ad(path)
