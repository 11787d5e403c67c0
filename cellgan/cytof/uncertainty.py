"""How far an aligned value may be from the truth: one standard deviation per cell and marker.

The truth is what the reference's instrument would have counted of the same cell. Four things stand between:

- *Counting*. Below a few ions a count is mostly chance. What chance does to the measured value is carried
  through the map, which stretches it where the batch's signal is faint.
- *The matches*. Maps in 20, 28, 40 and 56 clusters differ from each other where clusters decide.
- *What neither shows*. Both are calibrated on cells with a known answer: reference cells that were held out
  are sent into the batch's frame by maps fitted the other way round, and come back through the mover. They
  should arrive where they left. What the two ways have in common cannot show in such a round trip: on
  simulated batches, whose truth is known, errors are `UNSEEN` times as large.
- *Background*. Ions that only the batch's instrument adds put its faint cells into another order, which no
  map can undo, and no round trip shows. There are fewer cells without any ion then: if background adds b ions
  on average, and their number is Poisson's, exp(-b) times as many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.correspondence import START_TURNS, fit_mover
from cellgan.cytof.mover import Mover
from cellgan.cytof.ranks import dither

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellgan.cytof.marker_maps import MarkerMaps
    from cellgan.cytof.transform import Standardise

UNSEEN = 1.5
# Ions, that is fifths of the cofactor: the background of mass cytometers; what varies beyond varies with the
# cell.
FAINT = 3.0
BACKGROUND = 6.0  # ions at most that one instrument adds: of more, cells without any would not tell
SMEAR = 1 / 6  # variance of two counts that were smeared over the unit below
COFACTOR = 5.0
N_CELLS = 4_000  # of each batch, to fit the way back
WAY_BACK_CLUSTERS = 28  # one number of clusters will do
WAY_BACK_TURNS = 3
N_LEVELS = 12
BRIGHTEST = 12.0  # beyond the top of any instrument on the arcsinh scale
LEAST = 1e-3  # standard units: nothing is known better than that
LEVEL = 0.9  # of the intervals that are calibrated
NORMAL = 1.645  # their half width in standard deviations


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """One standard deviation of aligned values, by marker and level. Standard units of the reference.

    Attributes
    ----------
    level
        Aligned values, rising, ``(n_levels, n_markers)``.
    sd
        Uncertainty there, ``(n_levels, n_markers)``.
    """

    level: NDArray[np.float64]
    sd: NDArray[np.float64]

    def __call__(self, aligned: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the uncertainty of aligned values, both ``(n_cells, n_markers)``."""
        found = np.empty_like(aligned)
        for marker, (level, sd) in enumerate(zip(self.level.T, self.sd.T, strict=True)):
            found[:, marker] = np.interp(aligned[:, marker], level, sd)
        return found

    def scaled(self, factor: float | NDArray[np.float64]) -> Uncertainty:
        """Return so many times the uncertainty; one factor, or one for each marker."""
        return Uncertainty(self.level, factor * self.sd)


def undetected(n_markers: int, distance: float) -> Uncertainty:
    """Return the uncertainty of cells that were not moved: an effect so small would not have been noticed.

    Parameters
    ----------
    n_markers
        Of the cells.
    distance
        Between two halves of the reference, standard units.
    """
    return Uncertainty(np.zeros((1, n_markers)), np.full((1, n_markers), distance))


def fit_way_back(
    reference: NDArray[np.float64],
    cells: NDArray[np.float64],
    *,
    units: Standardise,
    seed: int,
    start: MarkerMaps | None = None,
) -> Mover:
    """Fit the way from the reference's frame into the batch's.

    Parameters
    ----------
    reference, cells
        Standardised, ``(n_cells, n_markers)``.
    units
        These units.
    seed
        Of the clusters.
    start
        From the batch to the reference, if known: turned round, it saves most of the way back's turns.
    """
    return fit_mover(
        cells[:N_CELLS],
        reference[:N_CELLS],
        units=units,
        seed=seed,
        cluster_counts=(WAY_BACK_CLUSTERS,),
        guess=None if start is None else start.inverse(),
        turns=START_TURNS if start is None else WAY_BACK_TURNS,
    )


def fit_uncertainty(
    mover: Mover,
    back: Mover,
    cells: NDArray[np.float64],
    held_out: NDArray[np.float64],
    *,
    units: Standardise,
) -> Uncertainty:
    """Learn how far a mover's results may be from the truth.

    Parameters
    ----------
    mover
        From the batch into the reference's frame.
    back
        From there into the batch's, see `fit_way_back`.
    cells
        Of the batch, standardised, ``(n_cells, n_markers)``.
    held_out
        Cells of the reference that neither was fitted to.
    units
        Standard units of the reference.
    """
    cells = cells[:N_CELLS]
    counting = counting_noise(cells * units.sd + units.mean) / units.sd
    noises = counting, background_noise(cells, held_out, units)
    # One call maps all, so that all threads have something to do.
    moved = mover(np.concatenate([cells, *(cells + sign * noise for noise in noises for sign in (1, -1))]))
    aligned, *ends = np.split(moved, 5)
    counting, background = ((ends[k] - ends[k + 1]) / 2 for k in (0, 2))
    level, doubt = _by_level(aligned, np.maximum(np.hypot(counting, _disagreement(mover, cells)), LEAST))
    expected = Uncertainty(level, doubt)
    arrived = mover(back(held_out))
    error = np.abs(arrived - held_out) / expected(arrived)
    # A marker that comes back better than the others may do so by chance; one that comes back worse does not.
    factor = np.maximum(np.quantile(error, LEVEL), np.quantile(error, LEVEL, axis=0)) / NORMAL
    found = expected.scaled(UNSEEN * factor)
    _, added = _by_level(aligned, background)
    return Uncertainty(level, np.maximum(np.hypot(found.sd, added), LEAST))


def background_noise(
    cells: NDArray[np.float64], reference: NDArray[np.float64], units: Standardise
) -> NDArray[np.float64]:
    """Return one standard deviation of what background that the reference lacks does to a batch's values.

    Parameters
    ----------
    cells, reference
        Of the two batches, standardised, ``(n_cells, n_markers)``.
    units
        Standard units of the reference. Values below 0, without them, are cells without an ion.
    """
    ours, theirs = ((side * units.sd + units.mean <= 0).mean(axis=0) for side in (cells, reference))
    ions = np.log((theirs + 1 / len(reference)) / (ours + 1 / len(cells))).clip(0, BACKGROUND)
    return _noise(ions, _counts(cells * units.sd + units.mean)) / units.sd


def counting_noise(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return one standard deviation of faint values that is chance, on the arcsinh scale.

    Ions arrive independently of each other, so a count's variance is its mean (Poisson).
    """
    counts = _counts(values)
    return _noise(np.minimum(counts, FAINT) + SMEAR, counts)


def _counts(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ions that values on the arcsinh scale stand for."""
    found: NDArray[np.float64] = COFACTOR * np.sinh(np.clip(values, 0, BRIGHTEST))
    return found


def _noise(variance: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a variance of counts is on the arcsinh scale, one standard deviation."""
    found: NDArray[np.float64] = np.sqrt(variance / (counts**2 + COFACTOR**2))
    return found


def _disagreement(mover: Mover, cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far the maps for several numbers of clusters lie apart, one standard deviation."""
    if not mover.passes or len(mover.passes[-1]) < 2:
        return np.zeros(cells.shape)
    *early, last = mover.passes
    positions = Mover(mover.start, mover.generator, tuple(early))(cells)
    cells = dither(cells)
    found: NDArray[np.float64] = np.std([each(cells, positions) for each in last], axis=0, ddof=1)
    found[:, mover.still] = 0
    return found


def _by_level(
    aligned: NDArray[np.float64], doubt: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return levels of each marker and the root mean square of the doubt there."""
    order = np.argsort(aligned, axis=0)
    parts = [
        (np.take_along_axis(aligned, rows, axis=0), np.take_along_axis(doubt, rows, axis=0))
        for rows in np.array_split(order, min(N_LEVELS, len(order)))
    ]
    level = np.array([values.mean(axis=0) for values, _ in parts])
    return level, np.array([np.sqrt((own**2).mean(axis=0)) for _, own in parts])
