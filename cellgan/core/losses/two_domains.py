"""The adversarial terms of translation both ways, with a discriminator in each domain.

With a and b from the domains, ab and ba mapped to the other one, and a family of losses,

    real = real(D_a(a)) + real(D_b(b)),    fake = fake(D_a(ba)) + fake(D_b(ab))
    fool = fool(D_a(ba)) + fool(D_b(ab))

References
----------
Zhu et al. (2017), Unpaired image-to-image translation using cycle-consistent adversarial networks, equation
1. Kim et al. (2017), Learning to discover cross-domain relations with generative adversarial networks,
equations 4 and 7-9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from cellgan.core.losses.adversarial import AdversarialLoss
    from cellgan.core.player import Batch, Terms

    Discriminator = Callable[[Tensor], Tensor]


def tell_apart(batch: Batch, d_a: Discriminator, d_b: Discriminator, loss: AdversarialLoss) -> Terms:
    """Return what both discriminators descend, of the batch's ``a``, ``b``, ``ab`` and ``ba``."""
    return {
        "real": loss.real(d_a(batch["a"])) + loss.real(d_b(batch["b"])),
        "fake": loss.fake(d_a(batch["ba"])) + loss.fake(d_b(batch["ab"])),
    }


def fool_both(batch: Batch, d_a: Discriminator, d_b: Discriminator, loss: AdversarialLoss) -> Tensor:
    """Return what those who made the batch's ``ab`` and ``ba`` descend, a scalar."""
    return loss.fool(d_a(batch["ba"])) + loss.fool(d_b(batch["ab"]))
