"""Cells from FCS files.

One small reader serves whole files and streaming. FlowIO, the usual one, needs ``$BEGINDATA``, which some
writers leave out, refuses offsets that are off by one byte, and holds all cells as one Python array.

Values are linear, as stored. Log-amplified integers (``$PnE``) are brought to the linear scale; gains
(``$PnG``) and compensation matrices are not applied, as in flowCore.

References
----------
Spidlen J et al. Data File Standard for Flow Cytometry, version FCS 3.1. Cytometry A 77, 97-100 (2010).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pandas as pd

from cellgan.cytof.fcs_layout import amplification, cell_record, find_cells, reading_notes
from cellgan.cytof.fcs_text import number, read_header, read_keywords
from cellgan.cytof.fcs_write import unique, write_fcs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from numpy.typing import NDArray

__all__ = ["FcsFile", "cell_names", "open_fcs", "read_fcs", "write_fcs"]


@dataclass(frozen=True, eq=False)
class FcsFile:
    """An FCS file whose cells can be read a few at a time.

    Attributes
    ----------
    path
        The file.
    keywords
        In upper case.
    channels
        ``$PnN``, as stored.
    markers
        ``$PnS``, or "" where there is none.
    n_cells
        Cells in the first data set.
    record
        How one cell is stored: one field a channel.
    offset
        Byte at which the cells begin.
    notes
        What the user should know, in words.
    """

    path: Path
    keywords: Mapping[str, str]
    channels: tuple[str, ...]
    markers: tuple[str, ...]
    n_cells: int
    record: np.dtype[np.void]
    offset: int
    notes: tuple[str, ...]

    def names(self) -> tuple[str, ...]:
        """Return a unique name for every column: marker, else channel; namesakes also get their channel."""
        names = [marker or channel for channel, marker in zip(self.channels, self.markers, strict=True)]
        count = Counter(names)
        return unique(
            f"{name} ({channel})" if count[name] > 1 and name != channel else name
            for name, channel in zip(names, self.channels, strict=True)
        )

    def rows(self, start: int, stop: int) -> NDArray[np.float32]:
        """Read some cells.

        Parameters
        ----------
        start, stop
            The first cell, and the one after the last.

        Returns
        -------
        ndarray
            (n_cells, n_channels), linear scale.
        """
        count = max(0, min(stop, self.n_cells) - start)
        with self.path.open("rb") as file:
            file.seek(self.offset + start * self.record.itemsize)
            raw = np.frombuffer(file.read(count * self.record.itemsize), dtype=self.record)
        values = np.empty((count, len(self.channels)), dtype=np.float32)
        with np.errstate(over="ignore"):  # a double beyond float32 becomes inf, which is refused by name
            for i in range(values.shape[1]):
                values[:, i] = self._linear(raw[f"p{i + 1}"], i + 1)
        return values

    def _linear(self, column: NDArray[Any], i: int) -> NDArray[Any]:
        if column.dtype.kind == "f":
            return column
        top = number(self.keywords, f"$P{i}R", default=0)
        bits = 8 * column.dtype.itemsize
        # $PnR says how many bits count; the others may hold anything.
        used = min(bits, (top - 1).bit_length()) if top > 1 else bits
        whole: NDArray[Any] = column & column.dtype.type((1 << used) - 1)
        decades, least = amplification(self.keywords, i)
        if not decades:
            return whole
        return np.asarray(least * 10.0 ** (decades * whole / (top or 1 << bits)))


def open_fcs(path: str | Path) -> FcsFile:
    """Open an FCS file without reading its cells.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    FcsFile
        With the first of its data sets.

    Raises
    ------
    InputError
        It is not an FCS file, is damaged, or stores its cells in a way that cannot be read.
    """
    path = Path(path)
    with path.open("rb") as file:
        header = read_header(file)
        keywords = read_keywords(file, header)
    record = cell_record(keywords)
    offset, n_cells, notes = find_cells(
        keywords, header, record_bytes=record.itemsize, file_bytes=path.stat().st_size
    )
    places = range(1, number(keywords, "$PAR") + 1)
    return FcsFile(
        path=path,
        keywords=keywords,
        channels=tuple(keywords[f"$P{i}N"] for i in places),
        markers=tuple(keywords.get(f"$P{i}S", "") for i in places),
        n_cells=n_cells,
        record=record,
        offset=offset,
        notes=(*notes, *reading_notes(keywords)),
    )


def read_fcs(path: str | Path) -> ad.AnnData:
    """Read all cells of an FCS file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    AnnData
        ``X`` is float32 on the linear scale, ``var["channel"]`` is ``$PnN``. Cells are called after the file
        and their place in it, from 1.

    Raises
    ------
    InputError
        It is not an FCS file, is damaged, or stores its cells in a way that cannot be read.
    """
    return fcs_to_adata(open_fcs(path))


def fcs_to_adata(file: FcsFile) -> ad.AnnData:
    """Read all cells of an FCS file that is open."""
    names = [name for piece in cell_names(file) for name in piece]
    obs = pd.DataFrame(index=pd.Index(names, dtype=str))
    return ad.AnnData(file.rows(0, file.n_cells), obs=obs, var=fcs_var(file))


def fcs_var(file: FcsFile) -> pd.DataFrame:
    """Return the table of channels of an FCS file that is open."""
    return pd.DataFrame({"channel": list(file.channels)}, index=pd.Index(file.names(), dtype=str))


def cell_names(file: FcsFile, rows: int | None = None) -> Iterator[NDArray[np.object_]]:
    """Yield the names that the cells of an FCS file get, which has none; so many at a time, or all."""
    for start in range(0, file.n_cells, rows or max(1, file.n_cells)):
        stop = min(start + (rows or file.n_cells), file.n_cells)
        yield np.array([f"{file.path.stem}-{i + 1}" for i in range(start, stop)], dtype=object)
