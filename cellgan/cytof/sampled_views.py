"""The cells that the report draws, taken from the samples that were kept of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.learn import some_rows
from cellgan.cytof.views import ImputedView, Views

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellgan.cytof.prepare import Prepared
    from cellgan.cytof.summary import Filled
    from cellgan.cytof.whole_run import Sample

N_VIEWED = 4000  # cells of a batch that are kept for plots


def sample_views(
    prepared: Prepared,
    samples: Mapping[str, Sample],
    filled: Sequence[Filled],
    *,
    reference: str,
    seed: int,
) -> Views:
    """Keep some cells for plots.

    Parameters
    ----------
    prepared
        All batches.
    samples
        By name of batch, some of its cells as mapped. The consensus, which is no batch, has none.
    filled
        Markers that were imputed.
    reference
        Name of the reference batch, whose cells are where they were measured.
    seed
        Of the choice of cells.
    """
    found, novel = {}, {}
    for batch in prepared.batches:
        if batch.name not in samples:
            before = prepared.values(batch, some_rows(batch.n_cells, N_VIEWED, seed))
            found[batch.name] = before, before
            continue
        sample = samples[batch.name]
        rows = some_rows(len(sample.values), N_VIEWED, seed)
        before = prepared.values_of(batch, sample.values[rows])
        at = prepared.columns(batch).aligned
        moved = batch.name != reference
        found[batch.name] = (before, sample.mapped.aligned[np.ix_(rows, at)] if moved else before)
        if moved:
            novel[batch.name] = sample.mapped.novel[rows]
    _, own = found.pop(reference)
    shared = {batch.name: prepared.shared_by(batch) for batch in prepared.batches}
    imputed = tuple(_imputed(prepared, samples, each, seed) for each in filled)
    return Views(prepared.panel.shared, own, found, novel, shared, imputed)


def _imputed(prepared: Prepared, samples: Mapping[str, Sample], filled: Filled, seed: int) -> ImputedView:
    gap, (expected, _, draws), *_ = filled
    known = samples[gap.source].values
    known = known[some_rows(len(known), N_VIEWED, seed)]
    measured = prepared.proteins_of(prepared.batch(gap.source), gap.markers, known)
    rows = some_rows(len(expected), N_VIEWED, seed)
    return ImputedView(measured, expected[rows], draws[0][rows])
