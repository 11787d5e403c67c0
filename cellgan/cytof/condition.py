"""Conditions: treatments or groups of cells that shall not be mistaken for a batch effect.

Where one batch holds more treated cells than the other, what the treatment did looks like a batch effect. So
an alignment is learned from cells that are drawn to hold the same shares of every condition on both sides;
all cells are mapped. Where condition and batch coincide, nothing can tell the two apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.draws import draw
from cellgan.cytof.obs_column import text_of
from cellgan.errors import ConfigError, InputError
from cellgan.report.numbers import listing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellgan.cytof.read_write import CellBatch

NOT_GIVEN = "not given"
WHAT = "the condition of each cell"


def condition_rows(
    reference: CellBatch, batch: CellBatch, key: str, *, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw cells of two batches such that both sides hold the same shares of every condition.

    Cells without a condition, or with one that the other side lacks, are left out. Of the rest, let r_k and
    b_k be the shares of condition k. Each side gives cells in shares q_k that are proportional to
    min(r_k, b_k), as many as that allows: the fraction sum_k min(r_k, b_k) of these cells, which is most of
    them where the batches are composed alike. Shares are the same up to a cell a condition.

    Parameters
    ----------
    reference, batch
        The two sides.
    key
        Column of ``obs`` with the condition.
    seed
        Of the draw.

    Returns
    -------
    tuple[ndarray, ndarray]
        Rows of the reference and of the batch, ascending.

    Raises
    ------
    ConfigError
        No condition is in both batches.
    InputError
        There is no such column, or it is empty in a batch.
    """
    texts = [text_of(side, key, what=WHAT) for side in (reference, batch)]
    for side, own in zip((reference, batch), texts, strict=True):
        if not (own != "").any():
            msg = f"obs column {key!r} of batch {side.name!r} is empty: no cell has a condition; fill it in"
            raise InputError(msg)
    present = [set(own.tolist()) - {""} for own in texts]
    shared = sorted(present[0] & present[1])
    if not shared:
        msg = (
            f"condition {key!r} coincides with the batches: {reference.name!r} holds "
            f"{listing(sorted(present[0]))}, {batch.name!r} holds {listing(sorted(present[1]))}, and no "
            "condition is in both. Nobody can tell a batch effect from what the condition did then. Align on "
            "a control sample that was measured in both (--anchors); or say which cells correspond "
            "(--correspondence labels:KEY); or leave --condition out, knowing that what the condition did is "
            "removed together with the batch effect"
        )
        raise ConfigError(msg)
    counts = np.array([[np.sum(own == name) for name in shared] for own in texts])
    shares = counts / counts.sum(axis=1, keepdims=True)
    wanted = shares.min(axis=0) / shares.min(axis=0).sum()
    ours, theirs = (
        _draw(side, own, dict(zip(shared, _allowed(n, wanted), strict=True)), seed)
        for side, own, n in zip((reference, batch), texts, counts, strict=True)
    )
    return ours, theirs


def composition(batch: CellBatch, key: str) -> dict[str, int]:
    """Count a batch's cells by condition.

    Parameters
    ----------
    batch
        The cells.
    key
        Column of ``obs`` with the condition.

    Returns
    -------
    dict[str, int]
        Cells by condition, sorted by its name; last those without one, as ``not given``, if there are any.

    Raises
    ------
    InputError
        There is no such column.
    """
    names, counts = np.unique(text_of(batch, key, what=WHAT), return_counts=True)
    found = {str(name): int(n) for name, n in zip(names, counts, strict=True)}
    missing = found.pop("", 0)
    return found | ({NOT_GIVEN: missing} if missing else {})


def _allowed(counts: NDArray[np.intp], shares: NDArray[np.float64]) -> list[int]:
    """Return how many cells of each condition to take: in the given shares, as many as there are."""
    total = (counts / shares).min()
    # A tiny part of a cell makes up for 2.9999999, which is 3.
    return [int(n) for n in np.floor(shares * total + 1e-6)]


def _draw(batch: CellBatch, texts: NDArray[np.str_], wanted: dict[str, int], seed: int) -> NDArray[np.intp]:
    rows = [draw(batch.cells, n, seed, np.flatnonzero(texts == name)) for name, n in wanted.items()]
    return np.sort(np.concatenate(rows))
