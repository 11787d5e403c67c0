"""What an instrument can do to a marker, and the map of that kind that lies nearest to a quantile map.

Two cytometers, two stains or two days differ by a gain, by a background that is added to every cell, and by a
mild curvature; a population does not differ from another one that way. So a batch's map is looked for among

    signal -> sign(signal) * 10 * (|signal| / 10) ** power * gain - background

on the linear scale, in units of the cofactor: ``signal = sinh(value)``. Quantile maps of real replicates, of
centres and of control samples on several plates are of this kind to within a few hundredths of a standard
deviation (docs/how_it_works.md). The quantile map that turns one population into another is not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIVOT = 10.0  # cofactors: where a power changes nothing
LOWEST, HIGHEST = -9.0, 13.0  # arcsinh units: beyond the range of any instrument
MOST_GAIN = 3.4  # logarithm: thirtyfold
MOST_POWER = 0.29  # logarithm: from three quarters to four thirds
# Usual are: gains within a factor of two of each other and of 2.7, and a background of a cofactor fifth.
USUAL_GAIN, MOST_USUAL_GAIN, USUAL_BACKGROUND = 0.7, 1.0, 0.2
CAP = 1.5  # standard deviations: a quantile that misses by more counts no more
LEAST_SD = 0.3  # arcsinh units, in which misses are counted
# What a map costs beside its misses: of two that explain the quantiles alike, the nearer to the identity.
GAIN_COST, POWER_COST, BACKGROUND_COST = 0.02, 0.3, 0.01
_GAINS = np.linspace(-3.2, 3.2, 33)
_POWERS = np.log([0.8, 1.0, 1.25])
_BACKGROUNDS = np.array([-12, -5, -2, -1, -0.4, -0.15, 0, 0.15, 0.4, 1, 2, 5, 12])
_STEPS = (0.2, 0.08, 0.3)
_HALVINGS = 4


@dataclass(frozen=True, eq=False)
class Response:
    """One gain, power and background a marker.

    Attributes
    ----------
    log_gain, log_power
        Natural logarithms, ``(n_markers,)``.
    background
        What is subtracted after the gain; negative where it is added. Cofactors, ``(n_markers,)``.
    """

    log_gain: NDArray[np.float64]
    log_power: NDArray[np.float64]
    background: NDArray[np.float64]

    @classmethod
    def identity(cls, n_markers: int) -> Response:
        """Return the response that changes nothing."""
        return cls(*np.zeros((3, n_markers)))

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map values, arcsinh units, ``(n, n_markers)``."""
        signal = np.sinh(np.clip(values, LOWEST, HIGHEST))
        bent = PIVOT * np.exp(np.exp(self.log_power) * np.log(np.maximum(np.abs(signal), 1e-12) / PIVOT))
        # Below zero lies noise of the counting: it is scaled, and not bent.
        gained = np.where(signal > 0, bent, signal) * np.exp(self.log_gain)
        mapped: NDArray[np.float64] = np.arcsinh(gained - self.background)
        return mapped

    def usual(self) -> Response:
        """Return the same with gains and backgrounds held to what is usual, for where little is known."""
        middle = float(np.median(self.log_gain))
        gain = np.clip(self.log_gain, middle - USUAL_GAIN, middle + USUAL_GAIN)
        return Response(
            np.clip(gain, -MOST_USUAL_GAIN, MOST_USUAL_GAIN),
            self.log_power,
            np.clip(self.background, -USUAL_BACKGROUND, USUAL_BACKGROUND),
        )

    def without(self, markers: tuple[int, ...]) -> Response:
        """Return the same with nothing done to some markers."""
        kept = np.isin(np.arange(len(self.log_gain)), markers)
        return Response(
            *(np.where(kept, 0.0, each) for each in (self.log_gain, self.log_power, self.background))
        )

    @property
    def strength(self) -> float:
        """Standard deviation of the logarithms of the gains; what markers have in common does not count."""
        return float(np.sqrt(((self.log_gain - np.median(self.log_gain)) ** 2).mean()))


class Fitted(NamedTuple):
    """The response nearest to a quantile map.

    Attributes
    ----------
    response
        That.
    missed
        Mean distance of its quantiles from the wanted ones, in standard deviations, ``(n_markers,)``.
    """

    response: Response
    missed: NDArray[np.float64]


def fit_response(
    source: NDArray[np.float64],
    target: NDArray[np.float64],
    *,
    sd: NDArray[np.float64],
    lowest: NDArray[np.float64],
    guess: Response | None = None,
) -> Fitted:
    """Find the response that leads quantiles nearest to those wanted.

    Parameters
    ----------
    source, target
        Quantiles of the batch and of the reference, arcsinh units, ``(n_quantiles, n_markers)``.
    sd
        Standard deviations of the markers, arcsinh units, ``(n_markers,)``.
    lowest
        No value of the reference lies below, ``(n_markers,)``.
    guess
        Where to look; everywhere if not given.
    """
    unit = np.maximum(sd, LEAST_SD)

    def missed(response: Response) -> NDArray[np.float64]:
        miss = np.abs(np.maximum(response(source), lowest) - target) / unit
        found: NDArray[np.float64] = np.minimum(miss, CAP).mean(axis=0)
        return found

    def cost(response: Response) -> NDArray[np.float64]:
        price = GAIN_COST * np.abs(response.log_gain) + POWER_COST * np.abs(response.log_power)
        return missed(response) + price + BACKGROUND_COST * np.abs(np.arcsinh(response.background))

    best = guess or Response.identity(source.shape[1])
    least = cost(best)
    if guess is None:
        for gain, power, background in np.array(np.meshgrid(_GAINS, _POWERS, _BACKGROUNDS)).reshape(3, -1).T:
            tried = [np.full(len(least), value) for value in (gain, power, background)]
            candidate = Response(*tried)
            best, least = _better(best, least, candidate, cost(candidate))
    for halving in range(_HALVINGS):
        for _ in range(2):
            for field, step in zip(("log_gain", "log_power", "background"), _STEPS, strict=True):
                for size in (-1.0, -0.5, 0.5, 1.0):
                    moved = _stepped(best, field, size * step / 2**halving)
                    best, least = _better(best, least, moved, cost(moved))
    return Fitted(best, missed(best))


def reach(
    values: NDArray[np.float64], *, gain: float | NDArray[np.float64], background: float | NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how low and how high a further gain and background could bring values.

    Parameters
    ----------
    values
        Arcsinh units, ``(n, n_markers)``.
    gain
        Its logarithm at most, either way; one for all markers or ``(n_markers,)``.
    background
        Cofactors at most, added or taken away, likewise.
    """
    signal = np.sinh(np.clip(values, LOWEST, HIGHEST))
    low, high = (np.where(signal > 0, signal * np.exp(by), signal) for by in (-gain, gain))
    return np.arcsinh(low - background), np.arcsinh(high + background)


def _stepped(response: Response, field: str, step: float) -> Response:
    value = getattr(response, field)
    if field == "background":  # by what matters there: the same step is large at 0 and small at 100
        return replace(response, background=value + step * (1 + np.abs(value)))
    most = MOST_GAIN if field == "log_gain" else MOST_POWER
    return replace(response, **{field: np.clip(value + step, -most, most)})


def _better(
    best: Response, least: NDArray[np.float64], tried: Response, cost: NDArray[np.float64]
) -> tuple[Response, NDArray[np.float64]]:
    """Take what was tried for the markers where it costs less."""
    wins = cost < least
    taken = (
        np.where(wins, new, old)
        for new, old in (
            (tried.log_gain, best.log_gain),
            (tried.log_power, best.log_power),
            (tried.background, best.background),
        )
    )
    return Response(*taken), np.where(wins, cost, least)
