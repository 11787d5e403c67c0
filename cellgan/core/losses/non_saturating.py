"""The cross-entropy loss, with the generator's term that does not saturate.

With D = sigmoid(score):

    real = -E log D(x),    fake = -E log(1 - D(G)),    fool = -E log D(G)

The minimax generator would ascend E log(1 - D(G)) instead, whose gradient vanishes where the discriminator is
sure.

References
----------
Goodfellow et al. (2014), Generative adversarial nets, equation 1 and section 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn.functional import softplus

from cellgan.core.losses.adversarial import AdversarialLoss

if TYPE_CHECKING:
    from torch import Tensor


def real(score: Tensor) -> Tensor:
    """Return -E log sigmoid(score)."""
    return softplus(-score).mean()


def fake(score: Tensor) -> Tensor:
    """Return -E log(1 - sigmoid(score))."""
    return softplus(score).mean()


def fool(score: Tensor) -> Tensor:
    """Return -E log sigmoid(score)."""
    return softplus(-score).mean()


NON_SATURATING = AdversarialLoss(real, fake, fool)
