"""What simple methods predict of a hidden marker: the field's usual ways, each in a few lines.

All of them learn from the shared markers of one batch, standardised within each batch, as is usual where no
alignment is at hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Values = NDArray[np.floating]

BASELINES = {
    "mean": "the mean of the marker, for every cell",
    "ridge": "ridge regression",
    "neighbours": "the mean of the 50 nearest cells",
    "trees": "boosted trees",
}
PENALTIES = np.logspace(-3, 3, 7)
N_NEIGHBOURS = 50
N_TREES = 150


def predict_simply(
    shared: Values, marker: Values, cells: Values, *, seed: int
) -> dict[str, NDArray[np.float64]]:
    """Predict a marker by every simple method.

    Parameters
    ----------
    shared, marker
        Cells to learn from: shared markers, ``(n_cells, n_markers)``, and the marker, ``(n_cells,)``.
    cells
        Shared markers of those to predict, ``(n_others, n_markers)``.
    seed
        Of boosted trees.

    Returns
    -------
    dict[str, NDArray]
        By method, ``(n_others,)`` each, in the units of `marker`.
    """
    x, y, new = _standard(shared), marker.astype(np.float64), _standard(cells)
    with one_thread(learner=True):
        return {name: predict(x, y, new, seed) for name, predict in _PREDICT.items()}


def _standard(values: Values) -> NDArray[np.float64]:
    units = values.astype(np.float64)
    standard: NDArray[np.float64] = (units - units.mean(axis=0)) / (units.std(axis=0) + 1e-9)
    return standard


def _mean(_x: Values, y: Values, new: Values, _seed: int) -> NDArray[np.float64]:
    return np.full(len(new), y.mean())


def _ridge(x: Values, y: Values, new: Values, _seed: int) -> NDArray[np.float64]:
    from sklearn.linear_model import RidgeCV

    found: NDArray[np.float64] = RidgeCV(PENALTIES).fit(x, y).predict(new)
    return found


def _neighbours(x: Values, y: Values, new: Values, _seed: int) -> NDArray[np.float64]:
    from sklearn.neighbors import KNeighborsRegressor

    found: NDArray[np.float64] = KNeighborsRegressor(min(N_NEIGHBOURS, len(x))).fit(x, y).predict(new)
    return found


def _trees(x: Values, y: Values, new: Values, seed: int) -> NDArray[np.float64]:
    from sklearn.ensemble import HistGradientBoostingRegressor

    found: NDArray[np.float64] = (
        HistGradientBoostingRegressor(max_iter=N_TREES, random_state=seed).fit(x, y).predict(new)
    )
    return found


_PREDICT: dict[str, Callable[[Values, Values, Values, int], NDArray[np.float64]]] = {
    "mean": _mean,
    "ridge": _ridge,
    "neighbours": _neighbours,
    "trees": _trees,
}
