"""Batches with their own cells and columns, put into one table, in memory or in a file, piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import anndata as ad
import numpy as np
import pandas as pd

from cellgan.cytof.batch_map import LAYERS
from cellgan.cytof.joint_obs import JointObs
from cellgan.cytof.marker_names import column_kinds
from cellgan.cytof.stores import Element, created, new_array, placed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cellgan.cytof.batch_map import Mapped
    from cellgan.cytof.gaps import Gap
    from cellgan.cytof.impute import Imputed
    from cellgan.cytof.panel import Panel
    from cellgan.cytof.read_write import CellBatch

IMPUTED, SAMPLE = "imputed", "sample"


class Piece(NamedTuple):
    """Some cells of one batch, one after the other.

    Attributes
    ----------
    batch
        Name of the batch.
    start
        Place of the first of them within the batch.
    values
        All its columns as measured, ``(n_cells, n_columns)``.
    mapped
        The same as mapped.
    imputed
        Markers that the batch did not measure, by gap.
    """

    batch: str
    start: int
    values: NDArray[np.float32]
    mapped: Mapped
    imputed: tuple[tuple[Gap, Imputed], ...] = ()


@dataclass(frozen=True, eq=False)
class Table:
    """All cells of all batches in one table, before its values are known.

    There are ``X`` as measured, NaN where a batch did not measure a column, like ``layers["aligned"]`` and
    ``layers["aligned_sd"]`` unless it was imputed; ``obs["batch"]``, ``obs["cellgan_novel"]``,
    ``obs["original_name"]`` where names clashed; ``var["measured_in"]``, ``var["kind"]``, ``var["aligned"]``,
    ``var["channel"]``. With imputed markers come the layers ``imputed``, which says where, and ``sample``, a
    draw in place of the expected value (``sample_2`` and so on if there are more).

    Attributes
    ----------
    batches
        In the order in which their cells shall stand.
    panel
        Which of their columns correspond.
    draws
        How many values are drawn of each that is imputed; 0 if none is.
    """

    batches: Sequence[CellBatch]
    panel: Panel
    draws: int = 0

    @property
    def n_cells(self) -> int:
        """Cells of all batches."""
        return sum(batch.n_cells for batch in self.batches)

    @cached_property
    def names(self) -> Mapping[str, list[str]]:
        """By batch, names of its columns; proteins under the one name that they have in all batches."""
        return {batch.name: _column_names(batch, self.panel) for batch in self.batches}

    @cached_property
    def var_names(self) -> pd.Index[str]:
        """Names of all columns."""
        return pd.Index(list(dict.fromkeys(name for own in self.names.values() for name in own)), dtype=str)

    @property
    def layers(self) -> list[str]:
        """Names of the layers."""
        samples = [SAMPLE if n == 1 else f"{SAMPLE}_{n}" for n in range(1, self.draws + 1)]
        return [*LAYERS, *([IMPUTED, *samples] if samples else [])]

    def dtype(self, layer: str) -> str:
        """Return what the values of a layer are."""
        return "bool" if layer == IMPUTED else "f4"

    def wide(self, piece: Piece) -> dict[str, NDArray[Any]]:
        """Return values of some cells in all columns, ``(n_cells, n_columns)``: ``X`` and the layers."""
        own = self.var_names.get_indexer(pd.Index(self.names[piece.batch]))
        shape = len(piece.values), len(self.var_names)
        found: dict[str, NDArray[Any]] = {}
        for name, values in (("X", piece.values), *zip(LAYERS, piece.mapped[:2], strict=True)):
            found[name] = np.full(shape, np.nan, dtype=np.float32)
            found[name][:, own] = values
        if self.draws:
            found[IMPUTED] = np.zeros(shape, dtype=bool)
            samples = self.layers[3:]
            found |= {name: found["aligned"].copy() for name in samples}
            for gap, (expected, spread, draws) in piece.imputed:
                at = self.var_names.get_indexer(pd.Index(gap.markers))
                found["aligned"][:, at], found["aligned_sd"][:, at] = expected, spread
                found[IMPUTED][:, at] = True
                for name, draw in zip(samples, draws, strict=True):
                    found[name][:, at] = draw
        return found

    def fill(self, arrays: Mapping[str, Any], pieces: Iterable[Piece]) -> NDArray[np.bool_]:
        """Fill arrays of any kind, ``X`` and the layers; return which cells are novel.

        Raises
        ------
        ValueError
            There are more or fewer cells in the pieces.
        """
        ends = np.cumsum([batch.n_cells for batch in self.batches])
        first = {b.name: int(end) - b.n_cells for b, end in zip(self.batches, ends, strict=True)}
        novel, n_filled = np.zeros(self.n_cells, dtype=bool), 0
        for piece in pieces:
            start = first[piece.batch] + piece.start
            rows = slice(start, start + len(piece.values))
            for name, values in self.wide(piece).items():
                arrays[name][rows] = values
            novel[rows] = piece.mapped.novel
            n_filled += len(piece.values)
        if n_filled != self.n_cells:
            msg = f"{n_filled:,} cells were given for a table of {self.n_cells:,}"
            raise ValueError(msg)
        return novel

    def obs(self) -> JointObs:
        """Return the table of all cells."""
        return JointObs({batch.name: batch.cells for batch in self.batches})

    def var(self) -> pd.DataFrame:
        """Return the table of all columns."""
        channel: dict[str, str] = {}
        kind: dict[str, str] = {}
        for batch in reversed(self.batches):  # the first batch that measures a column has the last word
            channel |= dict(zip(self.names[batch.name], batch.channels, strict=True))
            kinds = column_kinds(batch.markers, batch.channels)
            kind |= dict(zip(self.names[batch.name], kinds, strict=True))
        measured = [
            ";".join(b.name for b in self.batches if name in self.names[b.name]) for name in self.var_names
        ]
        return pd.DataFrame(
            {
                "channel": [channel[name] for name in self.var_names],
                "kind": [kind[name] for name in self.var_names],
                "measured_in": measured,
                "aligned": [name in self.panel.shared for name in self.var_names],
            },
            index=self.var_names,
        )


def assemble(table: Table, pieces: Iterable[Piece], about: Callable[[], Mapping[str, Any]]) -> ad.AnnData:
    """Put all cells into one AnnData.

    Parameters
    ----------
    table
        What goes where.
    pieces
        All cells of all batches.
    about
        Gives what goes into ``uns["cellgan"]``, once all cells were seen.
    """
    shape = table.n_cells, len(table.var_names)
    arrays = {name: np.empty(shape, dtype=table.dtype(name)) for name in ("X", *table.layers)}
    novel = table.fill(arrays, pieces)
    x = arrays.pop("X")
    obs = table.obs().frame(novel)
    return ad.AnnData(x, obs=obs, var=table.var(), layers=arrays, uns={"cellgan": dict(about())})


def write_assembled(
    table: Table, path: Path, pieces: Iterable[Piece], about: Callable[[], Mapping[str, Any]]
) -> None:
    """Write the same into a file, whole or not at all; memory stays bounded.

    Parameters
    ----------
    table, pieces, about
        See `assemble`.
    path
        The new file, ``.h5ad``, or folder, ``.zarr``.

    Raises
    ------
    OutputError
        The folder is not writable or the disk is full.
    """
    with placed(path) as part, created(part) as root:
        write_frame(root, table.var())
        shape = table.n_cells, len(table.var_names)
        arrays = {"X": new_array(root, "X", shape)} | {
            name: new_array(root["layers"], name, shape, dtype=table.dtype(name)) for name in table.layers
        }
        novel = table.fill(arrays, pieces)
        table.obs().write(root, novel)
        ad.io.write_elem(root, "uns", {"cellgan": dict(about())})


def write_frame(root: Element, var: pd.DataFrame) -> None:
    """Make a new store one of AnnData, which lacks its values, the table of its cells, and ``uns``."""
    root.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
    for name in ("layers", "obsm", "varm", "obsp", "varp"):
        ad.io.write_elem(root, name, {})
    small = ad.AnnData(var=var)
    small.strings_to_categoricals()
    ad.io.write_elem(root, "var", small.var)


def _column_names(batch: CellBatch, panel: Panel) -> list[str]:
    names = batch.markers
    for marker, column in panel.proteins[batch.name].items():
        names[column] = marker
    return names
