"""Cells to learn from, and cells that are held out to score on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.labels import Known

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_CELLS = 10_000  # of each batch, to learn the maps from that are used in the end
PROPOSAL_CELLS = 6_000  # of each batch, to learn proposals from
HELD_OUT = 0.2
MAX_HELD_OUT = 2_000


@dataclass(frozen=True, eq=False)
class Split:
    """Cells of both batches, standardised, ``(n_cells, n_markers)``.

    Attributes
    ----------
    reference, cells
        To learn from.
    unseen_reference, unseen_cells
        To score on.
    whole_reference, whole_cells
        Some of all, held-out ones among them: to learn from once more what is used in the end.
    known
        Labels of the cells to learn from.
    """

    reference: NDArray[np.float64]
    cells: NDArray[np.float64]
    unseen_reference: NDArray[np.float64]
    unseen_cells: NDArray[np.float64]
    whole_reference: NDArray[np.float64]
    whole_cells: NDArray[np.float64]
    known: Known | None

    @classmethod
    def of(
        cls,
        reference: NDArray[np.float64],
        cells: NDArray[np.float64],
        known: Known | None = None,
        *,
        seed: int,
    ) -> Split:
        """Hold out cells of both batches, at random."""
        rng = np.random.default_rng(seed)
        seen, unseen, whole = [], [], []
        for side in (reference, cells):
            everything = rng.permutation(len(side))
            whole.append(np.sort(everything[:MAX_CELLS]))
            order = everything[: PROPOSAL_CELLS + MAX_HELD_OUT]
            n = min(MAX_HELD_OUT, int(HELD_OUT * len(order)))
            unseen.append(order[:n])
            seen.append(np.sort(order[n:]))
        if known is not None:
            known = Known(known.reference[seen[0]], known.cells[seen[1]])
        return cls(
            reference[seen[0]],
            cells[seen[1]],
            reference[unseen[0]],
            cells[unseen[1]],
            reference[whole[0]],
            cells[whole[1]],
            known,
        )
