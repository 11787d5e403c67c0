"""Aligned cells of one batch on the linear scale, in an FCS file, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.fcs_write import stream_fcs
from cellgan.cytof.transform import to_linear

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from cellgan.cytof.assemble import Piece
    from cellgan.cytof.read_write import CellBatch
    from cellgan.cytof.whole_run import WholeRun


def write_linear(path: Path, batch: CellBatch, pieces: Iterable[Piece], run: WholeRun) -> None:
    """Write a batch to an FCS file, whole or not at all.

    Markers that were imputed become channels of their own, called ``CD5 imputed`` (expected values) and
    ``CD5 drawn``.

    Parameters
    ----------
    path
        The file.
    batch
        Whose cells.
    pieces
        All of them, mapped.
    run
        What mapped them.

    Raises
    ------
    InputError
        A value is NaN or infinite.
    OutputError
        The folder is not writable or the disk is full.
    """
    lacking = {marker for one in run.fillings if one.gap.target == batch.name for marker in one.gap.markers}
    # In the order of the columns of the table of all batches.
    markers = [name for name in run.table.var_names if name in lacking]

    def linear() -> Iterator[NDArray[np.float32]]:
        for piece in pieces:
            parts = [run.model.linear(piece.values, piece.mapped, run.columns[batch.name], batch.name)]
            if markers:
                at = np.argsort([markers.index(marker) for gap, _ in piece.imputed for marker in gap.markers])
                expected = np.hstack([imputed.expected for _, imputed in piece.imputed])
                drawn = np.hstack([imputed.draws[0] for _, imputed in piece.imputed])
                by = run.model.cofactors.each(markers)
                parts += [to_linear(values[:, at], by) for values in (expected, drawn)]
            yield np.hstack(parts)

    names = [f"{marker} {word}" for word in ("imputed", "drawn") for marker in markers]
    channels = [*batch.channels, *names]
    stream_fcs(path, linear(), channels=channels, markers=[*batch.markers, *names], keywords=batch.keywords)
