"""Copies of files of cells with what mapping adds, written piece by piece."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import anndata as ad
import h5py
import numpy as np
import pandas as pd

from cellgan.atomic import atomic
from cellgan.cytof.batch_map import LAYERS, NOVEL
from cellgan.cytof.fcs import FcsFile, cell_names, fcs_var
from cellgan.cytof.h5ad import reading_h5ad
from cellgan.cytof.input_files import naming
from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from cellgan.cytof.batch_map import Mapped
    from cellgan.cytof.cell_file import CellFile


def stream_h5ad(
    source: CellFile,
    out_path: Path,
    pieces: Iterable[Mapped],
    *,
    uns: Mapping[str, Any] | None = None,
) -> None:
    """Write a copy of a file of cells with what mapping adds, piece by piece, whole or not at all.

    Parameters
    ----------
    source
        What to copy. All that an .h5ad file holds stays as it is, byte for byte.
    out_path
        The new file, .h5ad. It gets ``layers["aligned"]``, ``layers["aligned_sd"]`` and
        ``obs["cellgan_novel"]``.
    pieces
        Mapped cells in order, all columns.
    uns
        What to write to ``uns["cellgan"]``.

    Raises
    ------
    InputError
        The file has such layers or such a column already.
    OutputError
        The folder is not writable or the disk is full.
    """
    with naming(source.path):
        if source.format == "h5ad":
            _check_free(source)
    with atomic(out_path) as part:
        if source.fcs:
            _write_skeleton(source.fcs, part)
        else:
            shutil.copyfile(source.path, part)
        with h5py.File(part, "r+") as file:
            if source.fcs:
                _fill(_new_array(file, "X", source, compression=None), source)
            novel = _fill_layers(file, pieces, source)
            _add_to_obs(file["obs"], novel)
            if uns is not None:
                ad.io.write_elem(file.require_group("uns"), "cellgan", dict(uns))


def _check_free(source: CellFile) -> None:
    with reading_h5ad(source.path), h5py.File(source.path) as file:
        there = [f"a layer {name!r}" for name in LAYERS if name in file.get("layers", {})]
        there += [f"an obs column {NOVEL!r}"] if NOVEL in file["obs"] else []
    if there:
        msg = f"there is {there[0]} already; delete it, or give the file that was aligned"
        raise InputError(msg)


def _write_skeleton(fcs: FcsFile, path: Path) -> None:
    obs = pd.DataFrame(index=pd.Index(cell_names(fcs), dtype=str))
    ad.AnnData(obs=obs, var=fcs_var(fcs)).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        file.pop("X", None)


def _compression(file: h5py.File) -> str | None:
    x = file["X"]
    compression = (x if isinstance(x, h5py.Dataset) else x["data"]).compression
    return compression if compression in {"gzip", "lzf"} else None


def _new_array(parent: h5py.Group, name: str, source: CellFile, *, compression: str | None) -> h5py.Dataset:
    n_markers = len(source.names)
    rows = max(1, min(source.n_cells, 2**20 // (4 * n_markers)))  # a mebibyte a chunk, whole cells
    array = parent.create_dataset(
        name,
        shape=(source.n_cells, n_markers),
        dtype="f4",
        chunks=(rows, n_markers),
        compression=compression,
        compression_opts=1 if compression == "gzip" else None,
    )
    array.attrs["encoding-type"] = "array"
    array.attrs["encoding-version"] = "0.2.0"
    return array


def _fill(array: h5py.Dataset, source: CellFile) -> None:
    start = 0
    for chunk in source.chunks():
        array[start : start + len(chunk)] = chunk
        start += len(chunk)


def _fill_layers(file: h5py.File, pieces: Iterable[Mapped], source: CellFile) -> NDArray[np.bool_]:
    """Write the layers, and return which cells are novel."""
    layers = file.require_group("layers")
    layers.attrs.setdefault("encoding-type", "dict")
    layers.attrs.setdefault("encoding-version", "0.1.0")
    aligned, sd = (_new_array(layers, name, source, compression=_compression(file)) for name in LAYERS)
    novel, start = np.zeros(source.n_cells, dtype=bool), 0
    for piece in pieces:
        here = slice(start, start + len(piece.novel))
        aligned[here], sd[here], novel[here] = piece
        start = here.stop
    if start != source.n_cells:
        msg = f"{start:,} cells were given for a file of {source.n_cells:,}"
        raise ValueError(msg)
    return novel


def _add_to_obs(obs: h5py.Group, novel: NDArray[np.bool_]) -> None:
    """Add a column; the others stay as they are."""
    ad.io.write_elem(obs, NOVEL, novel)
    obs.attrs["column-order"] = [*obs.attrs["column-order"], NOVEL]
