"""Two runs on the same cases, compared case by case.

The cases are drawn anew, with replacement, and the mean difference is taken each time; the interval holds the
middle 95 % of these means. What makes a case difficult is difficult for both runs, so the interval of paired
differences is much narrower than either run's own.

References
----------
Efron and Tibshirani (1993), An introduction to the bootstrap, chapter 13 (the percentile interval).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

N_DRAWS = 10_000


@dataclass(frozen=True)
class Difference:
    """How much one run scores above another.

    Attributes
    ----------
    mean
        Mean over the cases of the first run's score less the second's.
    low, high
        The interval of the mean.
    n
        How many cases.
    """

    mean: float
    low: float
    high: float
    n: int


def compare(
    first: Mapping[str, float], second: Mapping[str, float], *, seed: int, level: float = 0.95
) -> Difference:
    """Return the mean difference of two runs with its bootstrap interval.

    Parameters
    ----------
    first, second
        One score a case, by the case's name.
    seed
        Of the draws.
    level
        Share of the draws that the interval holds.

    Raises
    ------
    InputError
        The runs do not hold the same cases, or fewer than two.
    """
    if set(first) != set(second):
        odd = sorted(set(first) ^ set(second))
        msg = (
            f"{len(odd)} cases are in one run only, such as {odd[0]}; expected the same cases in both. "
            "Evaluate both runs on the same table"
        )
        raise InputError(msg)
    if len(first) < 2:
        msg = f"a comparison needs at least 2 cases; got {len(first)}"
        raise InputError(msg)
    apart = np.array([first[case] - second[case] for case in sorted(first)])
    low, high = interval(apart, seed=seed, level=level)
    return Difference(float(apart.mean()), low, high, len(apart))


def interval(values: NDArray[np.float64], *, seed: int, level: float = 0.95) -> tuple[float, float]:
    """Return the bootstrap interval of a mean.

    Parameters
    ----------
    values
        ``(n,)``, at least two.
    seed
        Of the draws.
    level
        Share of the draws that the interval holds.
    """
    rows = np.random.default_rng(seed).integers(0, len(values), (N_DRAWS, len(values)))
    low, high = np.quantile(values[rows].mean(1), ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)
