"""The hinge loss: scores beyond the margin are good enough.

    real = E max(0, 1 - s(x)),    fake = E max(0, 1 + s(G)),    fool = -E s(G)

References
----------
Lim and Ye (2017), Geometric GAN, equations 16-17. Miyato et al. (2018), Spectral normalization for generative
adversarial networks, equations 16-17.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn.functional import relu

from cellgan.core.losses.adversarial import AdversarialLoss

if TYPE_CHECKING:
    from torch import Tensor


def real(score: Tensor) -> Tensor:
    """Return the mean shortfall of the scores below 1."""
    return relu(1 - score).mean()


def fake(score: Tensor) -> Tensor:
    """Return the mean excess of the scores above -1."""
    return relu(1 + score).mean()


def fool(score: Tensor) -> Tensor:
    """Return the negative mean score."""
    return -score.mean()


HINGE = AdversarialLoss(real, fake, fool)
