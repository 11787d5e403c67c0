"""Files and folders in which AnnData lies: .h5ad and .zarr, opened without reading what is in them.

Strangers may have sent them: whatever is wrong with them ends in a plain error, and nothing is unpickled.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import anndata as ad
import h5py
import numpy as np

from cellgan.errors import CellganError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

# A group or an array of h5py or zarr. These share no type that could be told, but they do the same.
Element: TypeAlias = Any
MEBIBYTE = 2**20


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what goes wrong while a store is read into an InputError.

    Raises
    ------
    InputError
        It is not what its name says, is truncated, or does not hold an AnnData.
    """
    _check_signature(path)
    try:
        with warnings.catch_warnings():
            # Old encodings are read all the same, and names that occur twice are checked later.
            warnings.simplefilter("ignore")
            yield
    except CellganError:
        raise
    except Exception as error:  # what h5py, zarr and anndata raise on damaged files has no common ancestor
        first = str(error).split("\n", 1)[0]
        if "truncated" in str(error):
            msg = f"the file is truncated: copy or download it again ({first})"
        else:
            kind = path.suffix.lower()
            msg = f"this cannot be read as an {kind} file, it may be damaged: {type(error).__name__}: {first}"
        raise InputError(msg) from error


def _check_signature(path: Path) -> None:
    if not h5py.is_hdf5(path):
        with path.open("rb") as file:
            start = file.read(8)
        if start != b"\x89HDF\r\n\x1a\n":
            msg = f"this is not an .h5ad file: it begins with {start!r}, not with the signature of HDF5"
            raise InputError(msg)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a store for reading; what is in it is read when it is asked for."""
    with h5py.File(path) as file:
        yield file


@contextmanager
def changing(path: Path) -> Iterator[Any]:
    """Open a store that is there to write to it."""
    with h5py.File(path, "r+") as file:
        yield file


@contextmanager
def created(path: Path) -> Iterator[Any]:
    """Open a new store in place of whatever is at `path`."""
    # Room for some chunks of each array: those on a border between two pieces are compressed once.
    with h5py.File(path, "w", rdcc_nbytes=4 * MEBIBYTE) as file:
        yield file


def read_whole(path: Path) -> ad.AnnData:
    """Read all that a store holds.

    Parameters
    ----------
    path
        An ``.h5ad`` file.

    Returns
    -------
    AnnData
        As stored.

    Raises
    ------
    InputError
        The file is not what its name says, is truncated, or does not hold an AnnData.
    """
    with reading(path):
        return ad.read_h5ad(path)


def n_rows(path: Path) -> int:
    """Return how many cells a store holds; 0 if that cannot be told without reading all of it."""
    with reading(path), opened(path) as file:
        x = file.get("X", None)
        shape = x.shape if is_array(x) else x.attrs.get("shape") if x is not None else None
        return int(shape[0]) if shape is not None and len(shape) else 0


def is_array(element: Element) -> bool:
    """Tell an array from a group."""
    return hasattr(element, "shape")


def compressed(store: Element) -> dict[str, Any]:  # noqa: ARG001
    """Return how small tables of a store are to be compressed, for `anndata.io.write_elem`."""
    return {"compression": "gzip", "compression_opts": 1}


def new_array(
    parent: Element,
    name: str,
    shape: tuple[int, int],
    *,
    dtype: str = "f4",
    compression: str | None = "gzip",
) -> Element:
    """Make an array that is filled piece by piece: a mebibyte a chunk, whole cells.

    Parameters
    ----------
    parent
        A group of a store.
    name, shape, dtype
        Of the array.
    compression
        ``gzip``, ``lzf`` or None.
    """
    rows = max(1, min(shape[0], MEBIBYTE // (np.dtype(dtype).itemsize * shape[1])))
    array = parent.create_dataset(
        name,
        shape=shape,
        dtype=dtype,
        chunks=(rows, shape[1]),
        compression=compression,
        compression_opts=1 if compression == "gzip" else None,
    )
    array.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    return array


def new_texts(parent: Element, name: str, pieces: Iterator[NDArray[np.object_]], n: int) -> None:
    """Write so many texts piece by piece, as anndata writes them.

    Parameters
    ----------
    parent
        A group of a store.
    name
        Of the array.
    pieces
        Arrays of text, one at least.
    n
        Texts in all of them.
    """
    first = next(pieces)
    more: dict[str, Any] = {"maxshape": (None,), "chunks": (min(n, 2**15),), "compression": "gzip"}
    ad.io.write_elem(parent, name, first, dataset_kwargs=more)
    array, start = parent[name], len(first)
    array.resize((n,))
    for piece in pieces:
        array[start : start + len(piece)] = piece
        start += len(piece)


def texts(element: Element, rows: int) -> Iterator[NDArray[np.object_]]:
    """Read a column of text piece by piece, so many at a time.

    Parameters
    ----------
    element
        An array of text, or what else anndata keeps text in.
    rows
        At most so many at a time.
    """
    if not is_array(element) and element.attrs.get("encoding-type") == "nullable-string-array":
        element = element["values"]
    if not is_array(element) or element.dtype.kind not in "OT":  # categories, say, or numbers
        whole = np.array([str(one) for one in ad.io.read_elem(element)], dtype=object)
        yield from (whole[start : start + rows] for start in range(0, len(whole), rows))
        return
    read = element.asstr() if isinstance(element, h5py.Dataset) else element
    for start in range(0, element.shape[0], rows):
        yield np.asarray(read[start : start + rows], dtype=object)
