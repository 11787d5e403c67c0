"""One marker of a batch, hidden and predicted as an alignment would fill it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cellgan.core import pick
from cellgan.cytof.impute import fit_imputer
from cellgan.cytof.learn import learned_rows
from cellgan.cytof.magan_panels import fit_panel_generator
from cellgan.cytof.prediction_scores import correlation
from cellgan.cytof.straight import lines_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cellgan.cytof.batch_map import BatchMap
    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.impute import Imputer
    from cellgan.cytof.prepare import Prepared
    from cellgan.cytof.read_write import CellBatch

INTERVAL = 0.9


class Hidden(NamedTuple):
    """What is predicted of the hidden marker, ``(n_cells,)`` each, arcsinh units of the reference.

    Attributes
    ----------
    expected, drawn
        Expected values, and one draw.
    low, high
        The 90 % interval; NaN where the method knows none.
    r_source
        Correlation in held-out cells of the reference; NaN where the method holds out none.
    """

    expected: NDArray[np.float32]
    drawn: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    r_source: float


def predict_hidden(
    prepared: Prepared, marker: str, own: BatchMap, rows: NDArray[np.intp], config: AlignConfig
) -> Hidden:
    """Predict a marker of the second batch.

    Parameters
    ----------
    prepared
        Both batches, the reference first, without the marker among those that are shared.
    marker
        Its name in the reference.
    own
        The second batch's map, learned without the marker.
    rows
        Cells of the second batch to predict.
    config
        Method, rounds, seed, device.
    """
    predict = _by_magan if config.method == "magan" else _by_regression
    return predict(prepared, marker, own, rows, config)


def r_in_source(imputer: Imputer) -> list[float]:
    """Return how well each marker is predicted in cells that were held out where it was learned."""
    known = imputer.conditional
    return [correlation(x, y) for x, y in zip(known.expected.T, known.measured.T, strict=True)]


def r_of_private(prepared: Prepared, batch: CellBatch, config: AlignConfig) -> dict[str, float]:
    """Return how well each marker that only this batch measured is predicted in its own held-out cells.

    NaN for MAGAN, which holds out no cells.
    """
    (other,) = (each for each in prepared.batches if each.name != batch.name)
    markers = only_in(prepared, batch, other)
    if not markers or config.method == "magan":
        return dict.fromkeys(markers, float("nan"))
    rows = learned_rows(batch, config.seed)
    imputer = fit_imputer(
        prepared.values(batch, rows),
        prepared.proteins(batch, markers, rows),
        seed=config.seed,
        device=pick(config.device),
    )
    return dict(zip(markers, r_in_source(imputer), strict=True))


def only_in(prepared: Prepared, batch: CellBatch, other: CellBatch, *, hidden: str = "") -> list[str]:
    """Return the markers of a batch that the other one did not measure, or that are hidden there."""
    own, theirs = (prepared.panel.proteins[each.name] for each in (batch, other))
    return [marker for marker in own if marker == hidden or marker not in theirs]


def _by_regression(
    prepared: Prepared, marker: str, own: BatchMap, rows: NDArray[np.intp], config: AlignConfig
) -> Hidden:
    reference, batch = prepared.batches
    markers = only_in(prepared, reference, batch, hidden=marker)
    at, learned = markers.index(marker), learned_rows(reference, config.seed)
    imputer = fit_imputer(
        prepared.values(reference, learned),
        prepared.proteins(reference, markers, learned),
        seed=config.seed,
        device=pick(config.device),
    )
    lines = lines_of(prepared.values(batch, learned_rows(batch, config.seed)), own)
    expected, _, (drawn,) = imputer(lines(prepared.values(batch, rows)), draws=1, seed=config.seed)
    low, high = (bound[:, at] for bound in imputer.conditional.interval(expected, INTERVAL))
    return Hidden(expected[:, at], drawn[:, at], low, high, r_in_source(imputer)[at])


def _by_magan(
    prepared: Prepared,
    marker: str,
    own: BatchMap,  # noqa: ARG001 - the generator is all that moves cells
    rows: NDArray[np.intp],
    config: AlignConfig,
) -> Hidden:
    reference, batch = prepared.batches
    ours = [name for name in prepared.panel.proteins[batch.name] if name != marker]
    theirs = list(prepared.panel.proteins[reference.name])
    generator = fit_panel_generator(
        prepared.proteins(batch, ours, learned_rows(batch, config.seed)),
        prepared.proteins(reference, theirs, learned_rows(reference, config.seed)),
        [(ours.index(name), theirs.index(name)) for name in prepared.panel.shared],
        rounds=config.rounds,
        seed=config.seed,
        device=pick(config.device),
    )
    cells = prepared.proteins(batch, ours, rows)
    expected, unknown, (drawn,) = generator(cells, [theirs.index(marker)], draws=1)
    return Hidden(expected[:, 0], drawn[:, 0], unknown[:, 0], unknown[:, 0], float("nan"))
