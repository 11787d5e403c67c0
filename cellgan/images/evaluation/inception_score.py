"""The Inception Score's formula, on the probabilities of whatever classifier is at hand.

    exp E_x KL(p(y|x) ‖ p(y))

It is 1 where all images look alike to the classifier, and the number of classes where each is sure and all
are equally frequent. It knows nothing of the real images, nor of variety within a class. Here the classifier
is a small one of our own: the figure is its *class score*, not comparable with published Inception Scores.

References
----------
Salimans et al. (2016), Improved techniques for training GANs, section 4. Barratt and Sharma (2018), A note on
the Inception Score.
"""

from __future__ import annotations

import torch
from torch import Tensor


def class_score(probabilities: Tensor) -> float:
    """Return the score of images from the probability of each class, ``(n, n_classes)``."""
    marginal = probabilities.mean(0, keepdim=True)
    divergence = torch.xlogy(probabilities, probabilities) - torch.xlogy(probabilities, marginal)
    return float(divergence.sum(1).mean().exp())
