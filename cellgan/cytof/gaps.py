"""Which markers a batch did not measure, and from which other batch they can be learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cellgan.cytof.impute import LEAST_CELLS
from cellgan.report.numbers import listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellgan.cytof.panel import Panel
    from cellgan.cytof.read_write import CellBatch


@dataclass(frozen=True)
class Gap:
    """Markers that one batch lacks and another has.

    Attributes
    ----------
    target
        Name of the batch that lacks them.
    source
        Name of the batch they are learned from.
    predictors
        Markers that both share with the reference, in the panel's order.
    markers
        Those that are lacking.
    """

    target: str
    source: str
    predictors: tuple[str, ...]
    markers: tuple[str, ...]


def find_gaps(
    batches: Sequence[CellBatch], panel: Panel, *, reference: str
) -> tuple[tuple[Gap, ...], tuple[str, ...]]:
    """Find what every batch lacks.

    Of several batches that measured a marker the reference is taken, since its units are everybody's; else
    the one that shares most markers with the batch that lacks it, and the first among equals.

    Parameters
    ----------
    batches
        All that were given.
    panel
        How their columns correspond.
    reference
        Name of the reference batch.

    Returns
    -------
    gaps, notes
        What can be learned; and, in words, what cannot.
    """
    gaps, notes = [], []
    able = {batch.name for batch in batches if batch.n_cells >= LEAST_CELLS}
    union = dict.fromkeys(marker for batch in batches for marker in panel.proteins[batch.name])
    for batch in batches:
        own = panel.proteins[batch.name]
        found: dict[str, list[str]] = {}
        lost = []
        for marker in union:
            if marker in own:
                continue
            owners = [other.name for other in batches if marker in panel.proteins[other.name]]
            sources = [name for name in owners if name in able and len(_common(panel, batch.name, name)) > 1]
            if not sources:
                lost.append(marker)
                continue
            best = max(sources, key=lambda name: (name == reference, len(_common(panel, batch.name, name))))
            found.setdefault(best, []).append(marker)
        gaps += [
            Gap(batch.name, source, _common(panel, batch.name, source), tuple(markers))
            for source, markers in found.items()
        ]
        if lost:
            notes.append(
                f"{batch.name}: not imputed, for no batch of {LEAST_CELLS} cells or more that measured them "
                f"shares two markers with it that are aligned: {listing(lost)}"
            )
    return tuple(gaps), tuple(notes)


def _common(panel: Panel, target: str, source: str) -> tuple[str, ...]:
    return tuple(m for m in panel.shared if m in panel.columns[target] and m in panel.columns[source])
