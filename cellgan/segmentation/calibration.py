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

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_BINS = 10
IN_QUESTION = 0.01


def calibration_error(probability: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    """Return the expected calibration error, from 0 to 1; 0 where no voxel is in question.

    Parameters
    ----------
    probability
        Of any label but the background, of any shape.
    truth
        Whether there is one, of the same shape.
    """
    asked = (probability >= IN_QUESTION) | truth
    p, t = probability[asked].astype(np.float64), truth[asked].astype(np.float64)
    if not p.size:
        return 0.0
    number = np.minimum((p * N_BINS).astype(int), N_BINS - 1)
    # n_b / n |p_b - t_b| is the sum of p - t in the bin, over n.
    return float(np.abs(np.bincount(number, p - t, minlength=N_BINS)).sum() / p.size)
