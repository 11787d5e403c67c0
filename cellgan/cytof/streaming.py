"""Copies of files of cells with what mapping adds, written piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np

from cellgan.cytof.assemble import write_frame
from cellgan.cytof.batch_map import LAYERS, NOVEL
from cellgan.cytof.fcs import FcsFile, fcs_var
from cellgan.cytof.input_files import naming
from cellgan.cytof.store_copy import copy_store
from cellgan.cytof.stores import (
    Element,
    changing,
    created,
    is_array,
    new_array,
    new_texts,
    opened,
    placed,
    reading,
)
from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from cellgan.cytof.batch_map import Mapped
    from cellgan.cytof.cell_file import CellFile


def stream_store(
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
        What to copy. All that it holds stays as it is.
    out_path
        The new file, .h5ad, or folder, .zarr. It gets ``layers["aligned"]``, ``layers["aligned_sd"]`` and
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
        if source.fcs is None:
            _check_free(source)
    with placed(out_path) as part:
        if source.fcs:
            _write_table(source, source.fcs, part)
        else:
            copy_store(source.path, part)
        with changing(part) as file:
            novel = _fill_layers(file, pieces, source)
            _add_to_obs(file["obs"], novel)
            if uns is not None:
                ad.io.write_elem(file.require_group("uns"), "cellgan", dict(uns))


def _check_free(source: CellFile) -> None:
    with reading(source.path), opened(source.path) as file:
        there = [f"a layer {name!r}" for name in LAYERS if name in file.get("layers", {})]
        there += [f"an obs column {NOVEL!r}"] if NOVEL in file["obs"] else []
    if there:
        msg = f"there is {there[0]} already; delete it, or give the file that was aligned"
        raise InputError(msg)


def _write_table(source: CellFile, fcs: FcsFile, path: Path) -> None:
    """Write what an FCS file holds as AnnData."""
    with created(path) as root:
        write_frame(root, fcs_var(fcs))
        obs = root.create_group("obs")
        obs.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "column-order": []})
        obs.attrs["_index"] = "_index"
        new_texts(obs, "_index", source.cell_names(), source.n_cells)
        ad.io.write_elem(root, "uns", {})
        array, start = new_array(root, "X", _shape(source), compression=None), 0
        for chunk in source.chunks():
            array[start : start + len(chunk)] = chunk
            start += len(chunk)


def _shape(source: CellFile) -> tuple[int, int]:
    return source.n_cells, len(source.names)


def _compression(file: Element) -> str | None:
    x = file["X"]
    compression = getattr(x if is_array(x) else x["data"], "compression", None)  # zarr has its own
    return compression if compression in {"gzip", "lzf"} else None


def _fill_layers(file: Element, pieces: Iterable[Mapped], source: CellFile) -> NDArray[np.bool_]:
    """Write the layers, and return which cells are novel."""
    layers = file.require_group("layers")
    if "encoding-type" not in layers.attrs:
        layers.attrs.update({"encoding-type": "dict", "encoding-version": "0.1.0"})
    how = _compression(file)
    aligned, sd = (new_array(layers, name, _shape(source), compression=how) for name in LAYERS)
    novel, start = np.zeros(source.n_cells, dtype=bool), 0
    for piece in pieces:
        here = slice(start, start + len(piece.novel))
        aligned[here], sd[here], novel[here] = piece
        start = here.stop
    if start != source.n_cells:
        msg = f"{start:,} cells were given for a file of {source.n_cells:,}"
        raise ValueError(msg)
    return novel


def _add_to_obs(obs: Element, novel: NDArray[np.bool_]) -> None:
    """Add a column; the others stay as they are."""
    ad.io.write_elem(obs, NOVEL, novel)
    obs.attrs["column-order"] = [*map(str, obs.attrs["column-order"]), NOVEL]
