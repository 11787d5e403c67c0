"""One marker held out: hidden in a batch that measured it, predicted as if it had not, and compared.

The run without the marker is an alignment's own: the batch's map is learned on the markers that are left, and
what predicts the marker from the reference's cells, together with whatever else the reference alone measured.

Two things are compared with. Correlations ask for nothing but the order and spacing of cells, so there the
marker as measured is the truth. Errors, distances, spreads and intervals need the reference's units: there
the truth is the marker as the alignment with all markers puts it in the reference's frame. That alignment has
seen the marker; the prediction has not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cellgan.cytof.baselines import predict_simply
from cellgan.cytof.batch_map import make_maps
from cellgan.cytof.clusters import nearest, reference_clusters
from cellgan.cytof.learn import learn_all, learned_rows, plan_lessons, some_rows
from cellgan.cytof.predict_hidden import predict_hidden
from cellgan.cytof.prediction_scores import Truth
from cellgan.cytof.threads import limited_threads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cellgan.cytof.batch_map import BatchMap
    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.predict_hidden import Hidden
    from cellgan.cytof.prepare import Prepared

OWN = "cellgan"  # what our method goes by beside the simple ones
N_CLUSTERS = 10
N_VIEWED = 1200  # cells that are kept for plots
FROM_DRAWS = ("emd", "sd_ratio", "corr")  # scores that ask what cells look like, not what one cell shows


@dataclass(frozen=True, eq=False)
class Trial:
    """What is the same for all markers that are held out.

    Attributes
    ----------
    prepared
        Both batches, the reference first.
    config
        Settings of the alignment.
    framed
        Shared markers of the cells that are scored, in the reference's frame by the alignment with all
        markers, ``(n_cells, n_markers)``.
    """

    prepared: Prepared
    config: AlignConfig
    framed: NDArray[np.float32]

    @classmethod
    def of(cls, prepared: Prepared, config: AlignConfig) -> Trial:
        """Align with all markers, once, with a single thread."""
        _, batch = prepared.batches
        with limited_threads(1):
            own = learn_map(prepared, config)
            return cls(
                prepared, config, own(prepared.values(batch, learned_rows(batch, config.seed))).aligned
            )


def learn_map(prepared: Prepared, config: AlignConfig) -> BatchMap:
    """Learn the second batch's way to the first one, as an alignment does."""
    reference, batch = prepared.batches
    learning = config.for_learning()
    units = prepared.units(reference, learning.seed)
    lessons = plan_lessons(reference, [batch], learning)
    learned = learn_all(lessons, prepared, units=units, config=learning, progress=lambda *_: None)
    return make_maps(prepared, learned, reference=reference.name, units=units)[batch.name]


def hold_out(trial: Trial, marker: str) -> dict[str, Any]:
    """Hold out one shared marker, with a single thread.

    Parameters
    ----------
    trial
        The batches and settings.
    marker
        Its name in the reference.

    Returns
    -------
    dict
        As JSON can hold it: ``marker``; ``r_source``, how well it is predicted in held-out cells of the
        reference; ``methods``, scores by method, ours first; ``n_learned``, ``n_scored``; ``view``, some
        cells for plots.
    """
    with limited_threads(1):
        return _hold_out(trial, marker)


def _hold_out(trial: Trial, marker: str) -> dict[str, Any]:
    prepared, config = trial.prepared, trial.config
    reference, batch = prepared.batches
    left = prepared.only([other for other in prepared.panel.shared if other != marker])
    own = learn_map(left, config)
    rows, learned = (learned_rows(each, config.seed) for each in (batch, reference))
    hidden = predict_hidden(left, marker, own, rows, config)
    shared, cells = left.values(reference, learned), left.values(batch, rows)
    truth = Truth(
        measured=prepared.proteins(batch, [marker], rows)[:, 0],
        framed=trial.framed[:, prepared.panel.shared.index(marker)],
        others=cells,
        clusters=_clusters(own, shared, cells, config.seed),
    )
    simple = predict_simply(
        shared, prepared.proteins(reference, [marker], learned)[:, 0], cells, seed=config.seed
    )
    return {
        "marker": marker,
        "r_source": hidden.r_source,
        "methods": {OWN: _own_scores(truth, hidden)}
        | {name: truth.score(predicted) for name, predicted in simple.items()},
        "n_learned": len(learned),
        "n_scored": len(rows),
        "view": _view(truth, hidden, config.seed),
    }


def _own_scores(truth: Truth, hidden: Hidden) -> dict[str, float]:
    """Score expected values by their errors and draws by what they look like; the other way round as well."""
    scores, drawn = truth.score(hidden.expected), truth.score(hidden.drawn)
    scores |= {f"{name}_expected": scores[name] for name in FROM_DRAWS}
    scores |= {name: drawn[name] for name in FROM_DRAWS} | {"r_draw": drawn["r"]}
    known = bool(np.isfinite(hidden.low).all())
    return scores | {"coverage": truth.coverage(hidden.low, hidden.high) if known else float("nan")}


def _view(truth: Truth, hidden: Hidden, seed: int) -> Mapping[str, list[float]]:
    some = some_rows(len(truth.framed), N_VIEWED, seed)
    columns = {"measured": truth.framed, "expected": hidden.expected, "drawn": hidden.drawn}
    return {name: [round(float(value), 3) for value in own[some]] for name, own in columns.items()}


def _clusters(
    own: BatchMap, shared: NDArray[np.float32], cells: NDArray[np.float32], seed: int
) -> NDArray[np.intp]:
    """Return the reference's cluster that each cell of the batch lies in once it is aligned."""
    standard = own.units.apply(shared).astype(np.float64)
    centres = reference_clusters(standard, N_CLUSTERS, seed=seed)
    return nearest(own.units.apply(own(cells).aligned).astype(np.float64), centres)
