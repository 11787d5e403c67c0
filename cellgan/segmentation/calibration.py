"""Whether a probability means what it says: of the voxels given .7, seven in ten should hold a label.

Voxels are put into ten bins of equal width by their probability p of holding any label. With n_b voxels in
bin b, their mean probability p_b and the share t_b that do hold one, the expected calibration error is

    ECE = sum over b of n_b / n  |p_b - t_b|.

Only voxels in question count: those with p of at least .01, and those that hold a label. Far from the organ
thousands of voxels are rightly called background, which would hide every error elsewhere.

References
----------
Guo et al. (2017), On calibration of modern neural networks, equation 3, with the probability of a label in
place of the confidence of the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

N_BINS = 10
IN_QUESTION = 0.01


@dataclass(frozen=True)
class Calibration:
    """Sums over the voxels in question, by bin of their probability.

    Attributes
    ----------
    voxels
        How many.
    probability
        Of their probabilities.
    truth
        How many hold a label.
    """

    voxels: tuple[int, ...]
    probability: tuple[float, ...]
    truth: tuple[int, ...]

    @property
    def error(self) -> float:
        """The expected calibration error, from 0 to 1; 0 where no voxel is in question."""
        apart = sum(abs(p - t) for p, t in zip(self.probability, self.truth, strict=True))
        return apart / (sum(self.voxels) or 1)

    def curve(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the mean probability of each bin that holds a voxel, and the share of labels in it."""
        filled = [row for row in zip(self.voxels, self.probability, self.truth, strict=True) if row[0]]
        return tuple(p / n for n, p, _ in filled), tuple(t / n for n, _, t in filled)


def calibrate(probability: NDArray[np.float32], truth: NDArray[np.bool_]) -> Calibration:
    """Hold probabilities beside the truth.

    Parameters
    ----------
    probability
        Of any label but the background, of any shape.
    truth
        Whether there is one, of the same shape.
    """
    asked = (probability >= IN_QUESTION) | truth
    p, t = probability[asked].astype(np.float64), truth[asked]
    number = np.minimum((p * N_BINS).astype(int), N_BINS - 1)
    return Calibration(
        tuple(np.bincount(number, minlength=N_BINS).tolist()),
        tuple(np.bincount(number, p, minlength=N_BINS).tolist()),
        tuple(np.bincount(number[t], minlength=N_BINS).tolist()),
    )


def pooled(parts: Iterable[Calibration]) -> Calibration:
    """Add the voxels of several cases up."""
    rows = [(part.voxels, part.probability, part.truth) for part in parts]
    voxels, probability, truth = (np.sum(column, axis=0).tolist() for column in zip(*rows, strict=True))
    return Calibration(tuple(voxels), tuple(probability), tuple(truth))
