"""The least-squares loss, with targets 1 for real and 0 for fake.

    real = E (s(x) - 1)² / 2,    fake = E s(G)² / 2,    fool = E (s(G) - 1)² / 2

References
----------
Mao et al. (2017), Least squares generative adversarial networks, equation 9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellgan.core.losses.adversarial import AdversarialLoss

if TYPE_CHECKING:
    from torch import Tensor


def real(score: Tensor) -> Tensor:
    """Return half the mean squared distance of the scores from 1."""
    return 0.5 * (score - 1).square().mean()


def fake(score: Tensor) -> Tensor:
    """Return half the mean squared score."""
    return 0.5 * score.square().mean()


def fool(score: Tensor) -> Tensor:
    """Return half the mean squared distance of the scores from 1."""
    return 0.5 * (score - 1).square().mean()


LEAST_SQUARES = AdversarialLoss(real, fake, fool)
