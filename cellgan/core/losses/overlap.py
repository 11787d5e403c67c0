"""Soft Dice: the overlap of probabilities and labels, as something to descend.

With probabilities p and one-hot labels t, summed over all pixels i of the mini-batch, for each label but the
background

    L = 1 - mean over labels of (2 Σ p_i t_i + ε) / (Σ p_i + Σ t_i + ε).

References
----------
Drozdzal et al. (2016), The importance of skip connections in biomedical image segmentation, equation 3: sums
without squares; Milletari et al. (2016), V-Net, have squares below. Isensee et al. (2021), nnU-Net, add it to
the cross-entropy, and can sum over the mini-batch, so that slices without the label do no harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

_EPS = 1.0  # pixels


def soft_dice(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Return 1 less the mean overlap, a scalar from 0 to 1.

    Parameters
    ----------
    probabilities
        ``(n, n_labels, h, w)``, adding up to 1 over the labels; the first is the background.
    labels
        One-hot, of the same shape.
    """
    p, t = probabilities[:, 1:], labels[:, 1:]
    both = (p * t).sum((0, 2, 3))
    each = p.sum((0, 2, 3)) + t.sum((0, 2, 3))
    return 1 - ((2 * both + _EPS) / (each + _EPS)).mean()
