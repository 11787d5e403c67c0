"""A sample of cells before and after an alignment: what the report draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class View(NamedTuple):
    """One batch beside the reference; arcsinh units.

    Attributes
    ----------
    markers
        Names of the columns.
    reference
        ``(n_cells, n_markers)``.
    before, after
        The batch, ``(n_own_cells, n_markers)`` each.
    novel
        Which of its cells have no counterpart, ``(n_own_cells,)``.
    """

    markers: tuple[str, ...]
    reference: NDArray[np.floating]
    before: NDArray[np.floating]
    after: NDArray[np.floating]
    novel: NDArray[np.bool_]


class ImputedView(NamedTuple):
    """Markers that a batch did not measure; arcsinh units.

    Attributes
    ----------
    measured
        In the batch they were learned from, ``(n_cells, n_markers)``.
    expected, drawn
        In the batch that lacks them, ``(n_own_cells, n_markers)`` each.
    """

    measured: NDArray[np.floating]
    expected: NDArray[np.floating]
    drawn: NDArray[np.floating]


@dataclass(frozen=True)
class Views:
    """Cells on the arcsinh scale, aligned markers only; see `of` for one batch beside the reference.

    Attributes
    ----------
    markers
        Names of the columns.
    reference
        Cells of the reference batch, shape ``(n_cells, n_markers)``, arcsinh units; some thousands do.
    batches
        By name of batch: its cells before and after, two arrays of the same shape, row by row the same cells.
    shared
        By name of batch, the markers that it shares with the reference; what is not listed shares all.
    imputed
        Markers that were imputed, in the order of the report's ``imputed``.
    novel
        By name of batch, which of these cells have no counterpart in the reference, ``(n_cells,)``; what is
        not listed has none.
    """

    markers: tuple[str, ...]
    reference: NDArray[np.floating]
    batches: Mapping[str, tuple[NDArray[np.floating], NDArray[np.floating]]]
    novel: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    shared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    imputed: tuple[ImputedView, ...] = ()

    def of(self, batch: str) -> View:
        """Return one batch beside the reference, on the markers that they share."""
        markers = self.shared.get(batch, self.markers)
        before, after = self.batches[batch]
        reference = self.reference[:, [self.markers.index(marker) for marker in markers]]
        novel = self.novel.get(batch, np.zeros(len(before), dtype=bool))
        return View(markers, reference, before, after, novel)
