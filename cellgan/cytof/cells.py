"""The cells of one batch, wherever they are: in memory, or in a file that is read piece by piece."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from cellgan.cytof.cell_file import ROWS
from cellgan.cytof.check_cells import check_names, check_values, dense_float32
from cellgan.cytof.draws import cell_hashes, hashed_columns
from cellgan.cytof.input_files import naming

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import anndata as ad
    from numpy.typing import NDArray

    from cellgan.cytof.cell_file import CellFile


class Obs(Protocol):
    """The table of one batch's cells."""

    @property
    def n_cells(self) -> int:
        """How many."""

    @property
    def obs_columns(self) -> tuple[str, ...]:
        """Names of the columns of ``obs``."""

    @property
    def index_name(self) -> str | None:
        """What the cells' names are called."""

    def column(self, key: str) -> pd.Series[Any]:
        """Return a column of ``obs``, in the order of the cells."""

    def names(self) -> Iterator[NDArray[np.object_]]:
        """Yield the cells' names in order, piece by piece."""


class Cells(Obs, Protocol):
    """Cells by columns. Values are dense, float32 and finite; names of cells and of columns are unique."""

    @property
    def var(self) -> pd.DataFrame:
        """The columns: their names, and in ``channel`` the FCS ``$PnN`` or ""."""

    @property
    def adata(self) -> ad.AnnData:
        """All of it, in memory."""

    def values(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return some columns of some cells, by their places."""

    def pieces(self) -> Iterator[NDArray[np.float32]]:
        """Yield all columns of all cells in order, `ROWS` cells at a time."""

    def extremes(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the lowest and the highest value of each column."""

    def hashes(self, seed: int) -> NDArray[np.uint64]:
        """Return a number for each cell that depends on its values and the seed alone, ``(n_cells,)``."""

    def renamed(self, names: Sequence[str]) -> Cells:
        """Return the same with other names of the columns."""


@dataclass(frozen=True, eq=False)
class InMemory:
    """Cells that are held in memory.

    Attributes
    ----------
    adata
        ``X`` is dense float32.
    """

    adata: ad.AnnData
    _hashes: dict[int, NDArray[np.uint64]] = field(default_factory=dict, repr=False)

    @property
    def n_cells(self) -> int:
        """How many."""
        return int(self.adata.n_obs)

    @property
    def var(self) -> pd.DataFrame:
        """The columns."""
        var: pd.DataFrame = self.adata.var
        return var

    @property
    def obs_columns(self) -> tuple[str, ...]:
        """Names of the columns of ``obs``."""
        return tuple(self.adata.obs.columns)

    @property
    def index_name(self) -> str | None:
        """What the cells' names are called."""
        name = self.adata.obs.index.name
        return None if name is None else str(name)

    def column(self, key: str) -> pd.Series[Any]:
        """Return a column of ``obs``."""
        column: pd.Series[Any] = self.adata.obs[key].reset_index(drop=True)
        return column

    def names(self) -> Iterator[NDArray[np.object_]]:
        """Yield the cells' names."""
        yield self.adata.obs_names.to_numpy(dtype=object)

    def values(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return some columns of some cells."""
        found: NDArray[np.float32] = self.adata.X[np.ix_(rows, columns)]
        return found

    def pieces(self) -> Iterator[NDArray[np.float32]]:
        """Yield all columns of all cells."""
        for start in range(0, self.n_cells, ROWS):
            yield self.adata.X[start : start + ROWS]

    def extremes(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the lowest and the highest value of each column."""
        return self.adata.X.min(axis=0), self.adata.X.max(axis=0)

    def hashes(self, seed: int) -> NDArray[np.uint64]:
        """Return a number for each cell."""
        if seed not in self._hashes:
            at = hashed_columns(self.var)
            self._hashes[seed] = np.concatenate([cell_hashes(piece[:, at], seed) for piece in self.pieces()])
        return self._hashes[seed]

    def renamed(self, names: Sequence[str]) -> InMemory:
        """Return the same with other names of the columns; only these take memory of their own."""
        import anndata as ad

        old = self.adata
        var = old.var.set_axis(list(names), axis=0)
        parts: dict[str, Any] = {"obs": old.obs, "uns": old.uns, "obsm": dict(old.obsm)}
        return InMemory(ad.AnnData(old.X, var=var, layers=dict(old.layers), **parts), self._hashes)


@dataclass(frozen=True, eq=False)
class OnDisk:
    """Cells that are read when they are needed; those that were asked for by their places are kept.

    Attributes
    ----------
    file
        Where they are.
    var
        The columns.
    """

    file: CellFile
    var: pd.DataFrame
    _kept: dict[str, NDArray[Any]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, file: CellFile) -> OnDisk:
        """Read all values once, to see that they can be used."""
        var = pd.DataFrame({"channel": list(file.channels)}, index=pd.Index(file.names, dtype=str))
        found = cls(file, var)
        found.extremes()
        return found

    @property
    def n_cells(self) -> int:
        """How many."""
        return self.file.n_cells

    @property
    def obs_columns(self) -> tuple[str, ...]:
        """Names of the columns of ``obs``."""
        return self.file.columns

    @property
    def index_name(self) -> str | None:
        """What the cells' names are called."""
        return self.file.index_name

    @cached_property
    def adata(self) -> ad.AnnData:
        """All of it, in memory."""
        whole = own_copy(self.file.whole(), self.file.path)
        whole.var = whole.var.set_axis(list(self.var.index), axis=0)
        return whole

    def column(self, key: str) -> pd.Series[Any]:
        """Read a column of ``obs``."""
        return self.file.column(key)

    def names(self) -> Iterator[NDArray[np.object_]]:
        """Read the cells' names."""
        return self.file.cell_names()

    def values(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return some columns of some cells; all cells are read on the way, if some of these are new."""
        known = self._kept.get("rows", np.empty(0, dtype=np.intp))
        if not np.isin(rows, known).all():
            known = np.union1d(known, rows)
            found, start = [], 0
            for piece in self.pieces():
                first, last = np.searchsorted(known, (start, start + len(piece)))
                found.append(piece[known[first:last] - start])
                start += len(piece)
            self._kept.update(rows=known, values=np.concatenate(found))
        return self._kept["values"][np.ix_(np.searchsorted(known, rows), columns)]

    def pieces(self) -> Iterator[NDArray[np.float32]]:
        """Read all columns of all cells."""
        return self.file.chunks(ROWS)

    def extremes(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the lowest and the highest value of each column."""
        if "lowest" not in self._kept:
            ends = [(piece.min(axis=0), piece.max(axis=0)) for piece in self.pieces()]
            lowest, highest = (np.stack(end) for end in zip(*ends, strict=True))
            self._kept.update(lowest=lowest.min(axis=0), highest=highest.max(axis=0))
        return self._kept["lowest"], self._kept["highest"]

    def hashes(self, seed: int) -> NDArray[np.uint64]:
        """Return a number for each cell; all cells are read on the way, once."""
        key = f"hashes {seed}"
        if key not in self._kept:
            at = hashed_columns(self.var)
            self._kept[key] = np.concatenate([cell_hashes(piece[:, at], seed) for piece in self.pieces()])
        return self._kept[key]

    def renamed(self, names: Sequence[str]) -> OnDisk:
        """Return the same with other names of the columns."""
        return replace(self, var=self.var.set_axis(list(names), axis=0))


def same_values(one: Cells, other: Cells) -> bool:
    """Tell whether two batches hold the very same cells, in the same order."""
    if one.n_cells != other.n_cells or len(one.var) != len(other.var):
        return False
    # One cell tells most apart; batches that were thinned to one size are many.
    return all(np.array_equal(a, b) for a, b in zip(one.pieces(), other.pieces(), strict=True))


def own_copy(adata: ad.AnnData, source: Path | str, *, n_least: int = 2) -> ad.AnnData:
    """Return a checked copy of what a user gave, of `n_least` cells or more, with X dense and float32."""
    with naming(source):
        names = adata.obs_names.to_numpy(dtype=object)
        check_names(len(names), lambda: [names], adata.var_names, n_least=n_least)
        values = dense_float32(adata.X)
        check_values(values, adata.var_names)
    copy = adata.to_memory() if adata.isbacked else adata.copy()
    copy.X = values
    channel = (
        copy.var["channel"].astype("object") if "channel" in copy.var else pd.Series("", index=copy.var_names)
    )
    copy.var["channel"] = [str(c) if isinstance(c, str) else "" for c in channel]
    return copy
