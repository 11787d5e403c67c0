"""The cross-entropy loss in its minimax form, whose generator stands still where it is seen through.

With D = sigmoid(score):

    real = -E log D(x),    fake = -E log(1 - D(G)),    fool = E log(1 - D(G))

The slope of the last is D(G) itself: nothing, while the discriminator is sure.

References
----------
Goodfellow et al. (2014), Generative adversarial nets, equation 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn.functional import softplus

from cellgan.core.losses.adversarial import AdversarialLoss
from cellgan.core.losses.non_saturating import fake, real

if TYPE_CHECKING:
    from torch import Tensor


def fool(score: Tensor) -> Tensor:
    """Return E log(1 - sigmoid(score))."""
    return -softplus(score).mean()


SATURATING = AdversarialLoss(real, fake, fool)
