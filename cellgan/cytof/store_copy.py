"""Copies of stores of cells, in the same form or from .h5ad to .zarr and back, a piece at a time."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np

from cellgan.cytof.stores import Element, created, is_array, new_array, opened
from cellgan.cytof.zarr_store import is_zarr

if TYPE_CHECKING:
    from pathlib import Path

PIECE = 2**23  # bytes at a time
GROUPS = {"anndata", "raw", "dict", "dataframe", "csr_matrix", "csc_matrix", ""}


def copy_store(source: Path, target: Path) -> None:
    """Copy all that a store holds.

    Parameters
    ----------
    source
        An ``.h5ad`` file or a ``.zarr`` folder.
    target
        Where to; what is there is replaced. In the same form, the copy has the same bytes.
    """
    if is_zarr(source) and is_zarr(target):
        with opened(source):  # which asks whether its codecs are harmless
            shutil.copytree(source, target, dirs_exist_ok=True)
    elif is_zarr(source) == is_zarr(target):
        shutil.copyfile(source, target)
    else:
        with opened(source) as old, created(target) as new:
            _copy_group(old, new)


def _copy_group(old: Element, new: Element) -> None:
    new.attrs.update({key: _plain(value) for key, value in old.attrs.items()})
    for name in list(old):
        element = old[name]
        if is_array(element) and element.dtype.kind in "fiub" and element.ndim and element.shape[0]:
            _copy_array(element, new, name)
        elif not is_array(element) and element.attrs.get("encoding-type", "") in GROUPS:
            _copy_group(element, new.create_group(name))
        else:  # text, categories and what is small; as anndata writes it
            ad.io.write_elem(new, name, ad.io.read_elem(element))


def _copy_array(old: Element, parent: Element, name: str) -> None:
    new = new_array(parent, name, old.shape, dtype=old.dtype.str)
    new.attrs.update({key: _plain(value) for key, value in old.attrs.items()})
    rows = max(1, PIECE // max(1, old.dtype.itemsize * int(np.prod(old.shape[1:]))))
    for start in range(0, old.shape[0], rows):
        new[start : start + rows] = old[start : start + rows]


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever HDF5 and JSON hold
    """Return an attribute as both kinds of store can hold it."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    return value.decode() if isinstance(value, bytes) else value
