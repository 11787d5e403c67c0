"""How values are spread around their expected value: the conditional distribution of imputed markers.

It is learned from cells whose values are known and were not used to learn expected values from. Along each
marker, in order of their expected values, windows of neighbours show how measured values are spread there: as
they were measured, so zeros stay zeros and two humps stay two. A measured value's rank in its window says how
far up its distribution the cell lies. A draw takes the ranks of all markers from one and the same cell that
was expected to look alike, and looks them up in the windows of the cell to be imputed: so each marker has its
own distribution, and markers vary together as they do in cells (a copula; the idea of donors is that of
predictive mean matching).

References
----------
Little (1988), Missing-data adjustments in large surveys. Journal of Business & Economic Statistics 6(3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Known cells that show how values are spread around one expected value: this share of them, within limits.
WINDOW, WINDOW_LEAST, WINDOW_MOST = 1 / 13, 30, 150
LEVELS = 64  # expected values at which there is a window
DONORS, DONORS_LEAST, DONORS_MOST = 1 / 40, 5, 50  # known cells that look alike, of which one lends its ranks
LEAST_SPREAD = (
    0.05  # standard units: a marker that is predicted better than that must not decide who is alike
)
ROWS = 16_384  # cells at a time


@dataclass(frozen=True, eq=False)
class Conditional:
    """The distribution of several markers around their expected values; any units.

    Attributes
    ----------
    expected, measured
        Of the known cells, ``(n_known, n_markers)``.
    """

    expected: NDArray[np.float32]
    measured: NDArray[np.float32]

    @cached_property
    def _windows(self) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Levels, ``(n_levels, n_markers)``, and sorted values around each, a window on the second axis."""
        n_known = len(self.expected)
        size = _some(n_known, WINDOW, WINDOW_LEAST, WINDOW_MOST)
        first = np.unique(np.linspace(0, n_known - size, LEVELS).astype(np.intp))
        rows = first[:, None] + np.arange(size)
        order = np.argsort(self.expected, axis=0, kind="stable")
        levels = np.take_along_axis(self.expected, order, axis=0)[rows].mean(axis=1, dtype=np.float64)
        values = np.sort(np.take_along_axis(self.measured, order, axis=0)[rows], axis=1)
        return levels, values

    @cached_property
    def _ranks(self) -> NDArray[np.float64]:
        """How far up its distribution each measured value lies, 0 to 1, ``(n_known, n_markers)``."""
        _, windows = self._windows
        at = self._level_of(self.expected)
        size = windows.shape[1]
        # Among equal values, as among zeros, any rank is as good as another.
        chance = np.random.default_rng(0).random(self.measured.shape)
        ranks = np.empty(self.measured.shape)
        for marker, own in enumerate(self.measured.T):
            around = windows[at[:, marker], :, marker]
            below = (around < own[:, None]).sum(axis=1)
            equal = (around == own[:, None]).sum(axis=1)
            ranks[:, marker] = (below + chance[:, marker] * equal) / size
        return np.minimum(ranks, 1 - 1e-9)

    def _level_of(self, expected: NDArray[np.floating]) -> NDArray[np.intp]:
        """Return the nearest level of each expected value, both ``(n_cells, n_markers)``."""
        levels, _ = self._windows
        between = (levels[1:] + levels[:-1]) / 2
        columns = zip(between.T, expected.T, strict=True)
        return np.stack([np.searchsorted(own, values) for own, values in columns], axis=1)

    def quantile(self, expected: NDArray[np.floating], share: float) -> NDArray[np.float32]:
        """Return what so large a share of cells lies below, ``(n_cells, n_markers)``.

        Parameters
        ----------
        expected
            Expected values, ``(n_cells, n_markers)``.
        share
            From 0 to 1.
        """
        return self._look_up(self._quantiles(share), expected)

    def _quantiles(self, share: float) -> NDArray[np.float32]:
        """Return the quantile of each window, ``(n_levels, n_markers)``."""
        found: NDArray[np.float32] = np.quantile(self._windows[1], share, axis=1, method="weibull")
        return found.astype(np.float32)

    def interval(
        self, expected: NDArray[np.floating], share: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return where so large a share of cells lies, both bounds ``(n_cells, n_markers)``.

        As much is left out above as below. Only where values pile up at the lowest, as zeros do, nothing can
        be left out below, so all of it is left out above.

        Parameters
        ----------
        expected
            Expected values, ``(n_cells, n_markers)``.
        share
            From 0 to 1.
        """
        low, high, lowest, all_above = map(self._quantiles, ((1 - share) / 2, (1 + share) / 2, 0.0, share))
        bounds = low, np.where(low <= lowest, all_above, high)
        at = self._level_of(expected)
        below, above = (np.take_along_axis(bound, at, axis=0) for bound in bounds)
        return below, above

    def sd(self, expected: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return one standard deviation of values around their expected ones, ``(n_cells, n_markers)``."""
        return self._look_up(self._windows[1].std(axis=1, dtype=np.float64), expected)

    def _look_up(self, table: NDArray[np.floating], expected: NDArray[np.floating]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = np.take_along_axis(table, self._level_of(expected), axis=0)
        return found.astype(np.float32)

    def draw(
        self, expected: NDArray[np.floating], *, draws: int, seed: int | np.random.Generator
    ) -> NDArray[np.float32]:
        """Draw values of cells, ``(n_draws, n_cells, n_markers)``; every value was measured in some cell.

        Parameters
        ----------
        expected
            Expected values, ``(n_cells, n_markers)``.
        draws
            How many of each cell.
        seed
            Of the donors; or where they come from, if these are not the first cells.
        """
        from sklearn.neighbors import NearestNeighbors

        rng = np.random.default_rng(seed)
        _, windows = self._windows
        spread = (self.measured - self.expected).std(axis=0)
        units = np.maximum(spread, LEAST_SPREAD * self.measured.std(axis=0)) + 1e-12
        # A marker with a single value has no units: far from zero it would drown all others.
        middle = self.expected.mean(axis=0, dtype=np.float64)
        n_donors = _some(len(self.expected), DONORS, DONORS_LEAST, DONORS_MOST)
        donors = NearestNeighbors(n_neighbors=n_donors).fit((self.expected - middle) / units)
        found = np.empty((draws, *expected.shape), dtype=np.float32)
        markers = np.arange(expected.shape[1])
        for first in range(0, len(expected), ROWS):
            here = expected[first : first + ROWS]
            near = donors.kneighbors((here - middle) / units, return_distance=False)
            at = self._level_of(here)
            for draw in found:
                donor = near[np.arange(len(here)), rng.integers(0, n_donors, len(here))]
                place = (self._ranks[donor] * windows.shape[1]).astype(np.intp)
                draw[first : first + ROWS] = windows[at, place, markers]
        return found

    def tensors(self) -> Mapping[str, NDArray[np.float32]]:
        """Return all numbers that it consists of, by name."""
        return {"expected": self.expected, "measured": self.measured}


def _some(n_known: int, share: float, least: int, most: int) -> int:
    return min(n_known, max(least, min(most, round(share * n_known))))
