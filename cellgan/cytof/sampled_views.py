"""The sample of cells that the report draws, taken from all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellgan.cytof.learn import some_rows
from cellgan.cytof.views import ImputedView, Views

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellgan.cytof.batch_map import Mapped
    from cellgan.cytof.fill import Filled
    from cellgan.cytof.prepare import Prepared

N_VIEWED = 4000  # cells of a batch that are kept for plots


def sample_views(
    prepared: Prepared,
    mapped: Mapping[str, Mapped],
    filled: Sequence[Filled],
    *,
    reference: str,
    seed: int,
) -> Views:
    """Keep a sample of all cells for plots.

    Parameters
    ----------
    prepared
        All batches.
    mapped
        By name of batch, its cells as mapped, all columns.
    filled
        Markers that were imputed.
    reference
        Name of the reference batch, whose cells are where they were measured.
    seed
        Of the choice of cells.
    """
    found, novel = {}, {}
    for batch in prepared.batches:
        rows = some_rows(batch.adata.n_obs, N_VIEWED, seed)
        before = prepared.values(batch, rows)
        moved = batch.name != reference
        at = prepared.columns(batch).aligned
        found[batch.name] = (before, mapped[batch.name].aligned[rows][:, at] if moved else before)
        if moved:
            novel[batch.name] = mapped[batch.name].novel[rows]
    _, own = found.pop(reference)
    shared = {batch.name: prepared.shared_by(batch) for batch in prepared.batches}
    imputed = tuple(_imputed(prepared, each, seed) for each in filled)
    return Views(prepared.panel.shared, own, found, novel, shared, imputed)


def _imputed(prepared: Prepared, filled: Filled, seed: int) -> ImputedView:
    gap, (expected, _, draws), *_ = filled
    source = prepared.batch(gap.source)
    measured = prepared.proteins(source, gap.markers, some_rows(source.adata.n_obs, N_VIEWED, seed))
    rows = some_rows(len(expected), N_VIEWED, seed)
    return ImputedView(measured, expected[rows], draws[0][rows])
