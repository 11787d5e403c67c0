"""Monotone maps, one a marker: the quantiles of one batch are sent to those of another.

Ranks stay in order, and beyond the outermost knots values keep their distance to them. Values that many cells
share, zeros above all, have no rank of their own: `ranks.dither` gives them one, so that they can be spread
where the reference has fewer of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellgan.cytof.ranks import Ranked

RISE = 1e-9  # least step between knots, in standard units: keeps maps defined where values are tied
# A quantile needs some cells on either side of it: knots for groups of up to so many cells, then for larger
# ones.
_KNOTS = (
    (200, np.linspace(0.024, 0.976, 21)),
    (1000, np.linspace(0.01, 0.99, 41)),
    (np.inf, np.linspace(0.002, 0.998, 101)),
)


@dataclass(frozen=True, eq=False)
class MarkerMaps:
    """A piecewise-linear, non-decreasing map for each marker.

    Attributes
    ----------
    source
        Knots where they are, ``(n_knots, n_markers)``, rising.
    target
        Where they go, ``(n_knots, n_markers)``, not falling.
    """

    source: NDArray[np.float64]
    target: NDArray[np.float64]

    @classmethod
    def of(cls, source: NDArray[np.float64], target: NDArray[np.float64]) -> MarkerMaps:
        """Make maps of knots that may be tied, or fall by rounding errors."""
        rising = np.maximum.accumulate(source, axis=0) + RISE * np.arange(len(source))[:, None]
        return cls(rising, np.maximum.accumulate(target, axis=0))

    def __call__(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map cells, ``(n_cells, n_markers)``."""
        moved = np.empty_like(cells)
        for marker, (x, y) in enumerate(zip(self.source.T, self.target.T, strict=True)):
            values = cells[:, marker]
            beyond = np.minimum(values - x[0], 0) + np.maximum(values - x[-1], 0)
            moved[:, marker] = np.interp(values, x, y) + beyond
        return moved

    def inverse(self) -> MarkerMaps:
        """Return the maps that lead back."""
        return MarkerMaps.of(self.target, self.source)


def fit_marker_maps(
    reference: Ranked,
    cells: Ranked,
    reference_weights: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> MarkerMaps:
    """Map the quantiles of `cells` to those of `reference`, each marker for itself.

    Parameters
    ----------
    reference, cells
        Both batches.
    reference_weights, weights
        How much each cell counts, ``(n_cells,)``.
    """
    levels = {0: quantile_levels(reference_weights, weights)}
    sides = ((reference, reference_weights), (cells, weights))
    target, source = (
        side.quantiles(np.zeros((len(count), 1), dtype=np.intp), count[:, None], levels)[0]
        for side, count in sides
    )
    return MarkerMaps.of(source, target)


def quantile_levels(*weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the levels of quantiles that groups of weighted cells can carry."""
    fewest = min(effective_number(each) for each in weights)
    return next(levels for limit, levels in _KNOTS if fewest < limit)


def effective_number(weights: NDArray[np.float64]) -> float:
    """Return Kish's effective sample size of weighted cells."""
    return float(weights.sum() ** 2 / max((weights**2).sum(), 1e-12))
