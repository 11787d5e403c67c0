"""How near predicted values of one marker come to those that were measured, cell by cell and as a whole.

Definitions are those of the field's comparisons of imputation: expected values are judged by correlation and
error, draws by whether they look like measured cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating]

QUANTILES = np.linspace(0.005, 0.995, 199)
LEAST_CELLS = 50  # of a cluster, for a correlation within it
LEAST_SD = 1e-6  # less is a constant, which correlates with nothing


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known of the cells whose marker was hidden.

    Attributes
    ----------
    measured
        The hidden marker as it was measured, ``(n_cells,)``, arcsinh units of its own batch.
    framed
        The same as the alignment of all markers puts it in the reference's frame, ``(n_cells,)``.
    others
        The other shared markers as measured, ``(n_cells, n_others)``.
    clusters
        Each cell's cluster, ``(n_cells,)``, found without the hidden marker.
    """

    measured: Values
    framed: Values
    others: Values
    clusters: NDArray[np.intp]

    def score(self, predicted: Values) -> dict[str, float]:
        """Score predicted values, ``(n_cells,)``, arcsinh units of the reference.

        Returns
        -------
        dict[str, float]
            ``r``: Pearson's correlation with the values as measured. ``r_within``: the same within clusters,
            their median. ``nrmse``: root mean squared error, ``emd``: distance of the distributions
            (1-D Wasserstein), both in standard deviations of the truth in the reference's frame, 0 is best.
            ``sd_ratio``: standard deviation against the truth's, 1 is best. ``corr``: mean absolute error of
            the correlations with the other shared markers, 0 is best.
        """
        sd = float(self.framed.std()) + 1e-9
        gap = np.quantile(predicted, QUANTILES) - np.quantile(self.framed, QUANTILES)
        ours, truth = (_with_each(column, self.others) for column in (predicted, self.measured))
        return {
            "r": correlation(predicted, self.measured),
            "r_within": self._within(predicted),
            "nrmse": float(np.sqrt(((predicted - self.framed) ** 2).mean())) / sd,
            "emd": float(np.abs(gap).mean()) / sd,
            "sd_ratio": float(predicted.std()) / sd,
            "corr": float(np.abs(ours - truth).mean()),
        }

    def coverage(self, low: Values, high: Values) -> float:
        """Return the share of cells whose value lies from `low` to `high`, ``(n_cells,)`` each."""
        return float(((low <= self.framed) & (self.framed <= high)).mean())

    def _within(self, predicted: Values) -> float:
        """Return the median over clusters of 50 cells and more; NaN if none varies."""
        found = []
        for cluster in np.unique(self.clusters):
            own = self.clusters == cluster
            if own.sum() >= LEAST_CELLS and self.measured[own].std() > LEAST_SD:
                found.append(correlation(predicted[own], self.measured[own]))
        return float(np.median(found)) if found else float("nan")


def correlation(x: Values, y: Values) -> float:
    """Return Pearson's r of two columns; 0 if one of them is constant."""
    if min(x.std(dtype=np.float64), y.std(dtype=np.float64)) <= LEAST_SD:
        return 0.0
    return float(np.corrcoef(x.astype(np.float64), y.astype(np.float64))[0, 1])


def _with_each(column: Values, others: Values) -> NDArray[np.float64]:
    return np.array([correlation(column, other) for other in others.T])
