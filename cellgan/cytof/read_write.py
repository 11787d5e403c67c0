"""Batches of cells from .h5ad and .fcs files, or from memory, checked on the way in."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import anndata as ad
import numpy as np
import pandas as pd

from cellgan.atomic import atomic, check_output
from cellgan.cytof.cell_file import CellFile, open_for_map
from cellgan.cytof.check_cells import check_names, check_values, dense_float32
from cellgan.cytof.fcs import fcs_to_adata, open_fcs
from cellgan.cytof.h5ad import read_h5ad
from cellgan.cytof.input_files import batch_names, check_files, check_name, file_format, file_sha256, naming
from cellgan.cytof.streaming import stream_h5ad
from cellgan.errors import ConfigError, InputError

__all__ = [
    "CellBatch",
    "CellFile",
    "atomic",
    "batches_from_adata",
    "check_output",
    "open_for_map",
    "read_batch",
    "read_batches",
    "stream_h5ad",
    "write_h5ad",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class CellBatch:
    """The cells of one batch, as read.

    Attributes
    ----------
    name
        Unique among the batches that were read together.
    adata
        Cells by columns; ``X`` is dense float32, ``var["channel"]`` the FCS ``$PnN`` or "".
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
    adata: ad.AnnData
    path: Path | None = None
    sha256: str | None = None
    format: Literal["h5ad", "fcs", "memory"] = "memory"
    keywords: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)

    def spelling(self, column: int) -> str:
        """Return what the file calls a column."""
        name = str(self.adata.var_names[column])
        return self.renamed.get(name, name)


def read_batches(paths: Sequence[str | Path], *, batch_key: str | None = None) -> list[CellBatch]:
    """Read batches from files, one batch a file.

    Parameters
    ----------
    paths
        ``.h5ad`` and ``.fcs`` files, in the order of the batches.
    batch_key
        Column of ``obs`` that tells the batches of one single ``.h5ad`` file apart. A marker that is NaN in
        all cells of a batch then counts as not measured in it.

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
        msg = f"--batch-key {batch_key} tells the batches of one .h5ad file apart; these were given: {given}"
        raise ConfigError(msg)
    path, digest = files[0], file_sha256(files[0])
    with naming(path):
        parts = _split(read_h5ad(path), batch_key)
    return [
        CellBatch(name=n, adata=part, path=path, sha256=digest, format="h5ad") for n, part in parts.items()
    ]


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
        return [CellBatch(name=name, adata=part) for name, part in _split(adata, batch_key).items()]
    if batch_key is not None:
        msg = f"batch_key={batch_key!r} tells the batches of one AnnData apart; several were given: drop it"
        raise ConfigError(msg)
    named = adata if isinstance(adata, Mapping) else {f"batch{i}": part for i, part in enumerate(adata, 1)}
    if len({id(part) for part in named.values()}) < len(named):
        msg = "the same AnnData was given twice; a batch is aligned with another one, not with itself"
        raise InputError(msg)
    for name in named:
        check_name(str(name), "the batch")
    return [
        CellBatch(name=str(name), adata=own_copy(part, f"batch {name!r}")) for name, part in named.items()
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


def write_h5ad(adata: ad.AnnData, path: Path) -> None:
    """Write cells to an .h5ad file, whole or not at all.

    Parameters
    ----------
    adata
        What to write.
    path
        The file; an older one is replaced once the new one is complete.

    Raises
    ------
    OutputError
        The folder is not writable or the disk is full; an older file stays as it was.
    """
    with atomic(path) as part:
        adata.write_h5ad(part, compression="gzip", compression_opts=1)


def read_batch(path: Path, name: str) -> CellBatch:
    """Read one file under the name of a batch.

    Parameters
    ----------
    path
        An ``.h5ad`` or ``.fcs`` file that `check_file` found to be one.
    name
        What to call the batch.

    Returns
    -------
    CellBatch
        Checked, with its values in memory.

    Raises
    ------
    InputError
        The file cannot be used as it is; the message names it.
    """
    digest = file_sha256(path)
    if file_format(path) == "h5ad":
        with naming(path):
            adata = read_h5ad(path)
        return CellBatch(name=name, adata=own_copy(adata, path), path=path, sha256=digest, format="h5ad")
    with naming(path):
        file = open_fcs(path)
        adata = own_copy(fcs_to_adata(file), path)
    return CellBatch(
        name=name,
        adata=adata,
        path=path,
        sha256=digest,
        format="fcs",
        keywords=file.keywords,
        notes=file.notes,
    )


def own_copy(adata: ad.AnnData, source: Path | str, *, n_least: int = 2) -> ad.AnnData:
    """Return a checked copy of what a user gave, of `n_least` cells or more, with X dense and float32."""
    with naming(source):
        check_names(adata.obs_names, adata.var_names, n_least=n_least)
        values = dense_float32(adata.X)
        check_values(values, adata.var_names)
    copy = adata.to_memory() if adata.isbacked else adata.copy()
    copy.X = values
    channel = (
        copy.var["channel"].astype("object") if "channel" in copy.var else pd.Series("", index=copy.var_names)
    )
    copy.var["channel"] = [str(c) if isinstance(c, str) else "" for c in channel]
    return copy


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
    check_names(adata.obs_names, adata.var_names)
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
