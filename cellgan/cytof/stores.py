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

from cellgan.atomic import atomic, atomic_folder
from cellgan.cytof import zarr_store
from cellgan.cytof.zarr_store import is_zarr
from cellgan.errors import CellganError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
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
    if is_zarr(path):
        zarr_store.check_store(path)
    else:
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
            kind = "a zarr store" if is_zarr(path) else "an .h5ad file"
            msg = f"this cannot be read as {kind}, it may be damaged: {type(error).__name__}: {first}"
        raise InputError(msg) from error


def _check_signature(path: Path) -> None:
    if not h5py.is_hdf5(path):
        with path.open("rb") as file:
            start = file.read(8)
        if start != b"\x89HDF\r\n\x1a\n":
            msg = f"this is not an .h5ad file: it begins with {start!r}, not with the signature of HDF5"
            raise InputError(msg)


@contextmanager
def opened(path: Path) -> Iterator[Element]:
    """Open a store for reading; what is in it is read when it is asked for."""
    if is_zarr(path):
        yield zarr_store.open_group(path)
        return
    with h5py.File(path) as file:
        yield file


def placed(path: Path) -> AbstractContextManager[Path]:
    """Yield where to write a store that appears at `path` whole or not at all; see `cellgan.atomic`."""
    return atomic_folder(path) if is_zarr(path) else atomic(path)


@contextmanager
def changing(path: Path) -> Iterator[Element]:
    """Open a store that is there to write to it."""
    if is_zarr(path):
        with zarr_store.changing(path) as group:
            yield group
        return
    with h5py.File(path, "r+") as file:
        yield file


@contextmanager
def created(path: Path) -> Iterator[Element]:
    """Open a new store in place of whatever is at `path`."""
    if is_zarr(path):
        zarr_store.make_group(path)
        with zarr_store.changing(path) as group:
            yield group
        return
    # Room for some chunks of each array: those on a border between two pieces are compressed once.
    with h5py.File(path, "w", rdcc_nbytes=4 * MEBIBYTE) as file:
        yield file


def read_whole(path: Path) -> ad.AnnData:
    """Read all that a store holds.

    Parameters
    ----------
    path
        An ``.h5ad`` file or a ``.zarr`` folder.

    Returns
    -------
    AnnData
        As stored.

    Raises
    ------
    InputError
        It is not what its name says, is truncated, or does not hold an AnnData.
    """
    with reading(path):
        return zarr_store.read_whole(path) if is_zarr(path) else ad.read_h5ad(path)


def write_whole(adata: ad.AnnData, path: Path) -> None:
    """Write cells to an ``.h5ad`` file or a ``.zarr`` folder, whole or not at all.

    Parameters
    ----------
    adata
        What to write.
    path
        Where; an older one is replaced once the new one is complete.

    Raises
    ------
    OutputError
        The folder is not writable or the disk is full; an older result stays as it was.
    """
    with placed(path) as part:
        if is_zarr(path):
            zarr_store.write_whole(adata, part)
        else:
            adata.write_h5ad(part, compression="gzip", compression_opts=1)


def n_rows(path: Path) -> int:
    """Return how many cells a store holds; 0 if that cannot be told without reading all of it."""
    with reading(path), opened(path) as file:
        x = file.get("X", None)
        shape = x.shape if is_array(x) else x.attrs.get("shape") if x is not None else None
        return int(shape[0]) if shape is not None and len(shape) else 0


def doubt_of(path: Path) -> str:
    """Say in words that values may be missing from a store; empty if they are not.

    Zarr leaves out chunks that hold nothing but zeros. A store that was not copied whole looks the same.
    """
    if not is_zarr(path):
        return ""
    with reading(path), opened(path) as group:
        x = group.get("X", None)
        missing = zarr_store.missing_chunks(x) if x is not None and is_array(x) else 0
    if not missing:
        return ""
    what = f"{missing:,} of its chunks are" if missing > 1 else "one of its chunks is"
    return f"{what} not there, and values of zero were read in their place: was the folder copied whole?"


def is_array(element: Element) -> bool:
    """Tell an array from a group."""
    return hasattr(element, "shape")


def compressed(store: Element) -> dict[str, Any]:
    """Return how small tables of a store are to be compressed, for `anndata.io.write_elem`."""
    return {"compression": "gzip", "compression_opts": 1} if isinstance(store, h5py.Group) else {}


def new_array(
    parent: Element,
    name: str,
    shape: tuple[int, ...],
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
        ``gzip``, ``lzf`` or None, in .h5ad files; zarr has its own.
    """
    row_bytes = np.dtype(dtype).itemsize * int(np.prod(shape[1:]))
    chunks = (max(1, min(shape[0], MEBIBYTE // max(1, row_bytes))), *shape[1:])
    if isinstance(parent, h5py.Group):
        array = parent.create_dataset(
            name,
            shape=shape,
            dtype=dtype,
            chunks=chunks,
            compression=compression,
            compression_opts=1 if compression == "gzip" else None,
        )
    else:
        array = zarr_store.new_array(parent, name, shape, dtype, chunks)
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
    more = {"maxshape": (None,), "chunks": (min(n, 2**15),), "compression": "gzip"}
    ad.io.write_elem(parent, name, first, dataset_kwargs=more if isinstance(parent, h5py.Group) else {})
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
