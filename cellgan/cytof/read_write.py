"""Batches of cells from .h5ad and .fcs files, or from memory, checked on the way in."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import anndata as ad
import numpy as np

from cellgan.atomic import atomic, check_output
from cellgan.cytof.cell_file import CellFile, open_for_map
from cellgan.cytof.cells import Cells, InMemory, OnDisk, own_copy
from cellgan.cytof.check_cells import check_names, dense_float32
from cellgan.cytof.fcs import fcs_to_adata, open_fcs
from cellgan.cytof.input_files import (
    Format,
    batch_names,
    check_files,
    check_name,
    file_format,
    file_sha256,
    naming,
)
from cellgan.cytof.stores import doubt_of, n_rows, read_whole, write_whole
from cellgan.cytof.streaming import stream_store
from cellgan.errors import ConfigError, InputError

__all__ = [
    "CellBatch",
    "CellFile",
    "InMemory",
    "atomic",
    "batches_from_adata",
    "check_output",
    "open_for_map",
    "read_batch",
    "read_batches",
    "stream_store",
    "write_whole",
]


HELD = 131_072  # cells: a file of so many is read at once and held in memory


@dataclass(frozen=True, kw_only=True, eq=False)
class CellBatch:
    """The cells of one batch, as read.

    Attributes
    ----------
    name
        Unique among the batches that were read together.
    cells
        Cells by columns.
    path
        The file, if it came from one.
    sha256
        Of the file.
    format
        What it was read from.
    keywords
        FCS keywords, in upper case; empty for other formats.
    notes
        What the user should know about the file, in words.
    renamed
        What the file calls columns that were renamed, by the names that they have here.
    """

    name: str
    cells: Cells
    path: Path | None = None
    sha256: str | None = None
    format: Format | Literal["memory"] = "memory"
    keywords: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def adata(self) -> ad.AnnData:
        """All cells, in memory."""
        return self.cells.adata

    @property
    def n_cells(self) -> int:
        """How many cells it has."""
        return self.cells.n_cells

    @property
    def markers(self) -> list[str]:
        """Names of its columns."""
        return list(map(str, self.cells.var.index))

    @property
    def channels(self) -> list[str]:
        """FCS ``$PnN`` of its columns, or ""."""
        return list(map(str, self.cells.var["channel"]))

    def spelling(self, column: int) -> str:
        """Return what the file calls a column."""
        name = self.markers[column]
        return self.renamed.get(name, name)


def read_batches(paths: Sequence[str | Path], *, batch_key: str | None = None) -> list[CellBatch]:
    """Read batches from files, one batch a file.

    Parameters
    ----------
    paths
        ``.h5ad`` and ``.fcs`` files and ``.zarr`` folders, in the order of the batches.
    batch_key
        Column of ``obs`` that tells the batches of one single file apart, ``.h5ad`` or ``.zarr``. A marker
        that is NaN in all cells of a batch then counts as not measured in it.

    Returns
    -------
    list[CellBatch]
        Named after the files, or after the values of `batch_key` in order of first appearance.

    Raises
    ------
    InputError
        A file is missing, given twice, or cannot be used as it is; the message names it.
    ConfigError
        `batch_key` was given together with more than one file, or with an FCS file.
    """
    files = [Path(path) for path in paths]
    check_files(files)
    if batch_key is None:
        return [read_batch(path, name) for path, name in zip(files, batch_names(files), strict=True)]
    if len(files) != 1 or file_format(files[0]) == "fcs":
        given = ", ".join(map(str, files))
        msg = (
            f"--batch-key {batch_key} tells the batches of one .h5ad file or .zarr store apart; these were "
            f"given: {given}"
        )
        raise ConfigError(msg)
    path, digest = files[0], file_sha256(files[0])
    with naming(path):
        parts = _split(read_whole(path), batch_key)
    own: dict[str, Any] = {"path": path, "sha256": digest, "format": file_format(path)}
    return [CellBatch(name=name, cells=InMemory(part), **own) for name, part in parts.items()]


def batches_from_adata(
    adata: ad.AnnData | Sequence[ad.AnnData] | Mapping[str, ad.AnnData], *, batch_key: str | None = None
) -> list[CellBatch]:
    """Take batches from memory; they are copied and never changed.

    Parameters
    ----------
    adata
        One object with `batch_key`, or one a batch; the keys of a mapping name the batches, which otherwise
        are called batch1, batch2 and so on.
    batch_key
        Column of ``obs`` that tells batches apart.

    Returns
    -------
    list[CellBatch]
        In the order given, or of first appearance in ``obs``.

    Raises
    ------
    InputError
        A batch cannot be used as it is, or the same object was given twice.
    ConfigError
        `batch_key` is missing, or was given together with several objects.
    """
    _check_types(adata)
    if isinstance(adata, ad.AnnData):
        if batch_key is None:
            msg = "one AnnData was given without batch_key: name the obs column that tells the batches apart"
            raise ConfigError(msg)
        return [CellBatch(name=name, cells=InMemory(part)) for name, part in _split(adata, batch_key).items()]
    if batch_key is not None:
        msg = f"batch_key={batch_key!r} tells the batches of one AnnData apart; several were given: drop it"
        raise ConfigError(msg)
    named = adata if isinstance(adata, Mapping) else {f"batch{i}": part for i, part in enumerate(adata, 1)}
    if len({id(part) for part in named.values()}) < len(named):
        msg = "the same AnnData was given twice; expected two that hold other cells"
        raise InputError(msg)
    for name in named:
        check_name(str(name), "the batch")
    return [
        CellBatch(name=str(name), cells=InMemory(own_copy(part, f"batch {name!r}")))
        for name, part in named.items()
    ]


def _check_types(adata: Any) -> None:  # noqa: ANN401 - that is what is checked
    """Refuse paths, frames and the like in place of AnnData, in words."""
    if isinstance(adata, ad.AnnData):
        return
    parts = adata.values() if isinstance(adata, Mapping) else adata
    several = isinstance(parts, Iterable) and not isinstance(parts, str)
    kinds = {type(part).__name__ for part in (parts if several else [adata])}
    if kinds - {"AnnData"}:
        msg = (
            f"expected AnnData objects, one a batch, but got {', '.join(sorted(kinds))}; read "
            "files with anndata.read_h5ad first, or give their paths to cellgan.cytof.align.align_files"
        )
        raise InputError(msg)


def read_batch(path: Path, name: str) -> CellBatch:
    """Read one file under the name of a batch.

    Parameters
    ----------
    path
        An ``.h5ad`` or ``.fcs`` file or a ``.zarr`` folder that `check_file` found to be one.
    name
        What to call the batch.

    Returns
    -------
    CellBatch
        Checked, its values too; those of more than `HELD` cells stay in the file.

    Raises
    ------
    InputError
        The file cannot be used as it is; the message names it.
    """
    kind = file_format(path)
    own: dict[str, Any] = {"name": name, "path": path, "sha256": file_sha256(path), "format": kind}
    with naming(path):
        fcs = open_fcs(path) if kind == "fcs" else None
        n_cells = fcs.n_cells if fcs else n_rows(path)
    if n_cells > HELD:
        file = open_for_map(path, n_least=2)
        return CellBatch(cells=OnDisk.of(file), keywords=file.keywords, notes=file.notes, **own)
    with naming(path):
        notes = fcs.notes if fcs else tuple(filter(None, [doubt_of(path)]))
        whole = fcs_to_adata(fcs) if fcs else read_whole(path)
    own |= {"keywords": fcs.keywords if fcs else {}, "notes": notes}
    return CellBatch(cells=InMemory(own_copy(whole, path)), **own)


def _split(adata: ad.AnnData, batch_key: str) -> dict[str, ad.AnnData]:
    """Return one checked copy a batch, without the columns that are NaN in all of its cells."""
    if batch_key not in adata.obs:
        there = ", ".join(map(str, adata.obs)) or "no column at all"
        msg = f"there is no obs column {batch_key!r} to tell batches apart; obs has {there}"
        raise InputError(msg)
    labels = adata.obs[batch_key]
    if missing := int(labels.isna().sum()):
        msg = f"obs column {batch_key!r} is empty for {missing:,} cells; every cell belongs to a batch"
        raise InputError(msg)
    cells = adata.obs_names.to_numpy(dtype=object)
    check_names(len(cells), lambda: [cells], adata.var_names)
    names = labels.astype(str).to_numpy()
    batches = list(dict.fromkeys(names))
    if len(batches) < 2:
        msg = f"obs column {batch_key!r} holds one batch only, {batches[0]!r}; give a column with two or more"
        raise InputError(msg)
    for batch in batches:
        check_name(batch, f"the batch in obs column {batch_key!r},")
    parts = {}
    for batch in batches:
        part = adata[names == batch]
        measured = ~np.isnan(dense_float32(part.X)).all(axis=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parts[batch] = own_copy(part[:, measured], f"batch {batch!r}")
    return parts
