"""How hard a loss pulls at a generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from cellgan.core.losses import AdversarialLoss
    from cellgan.images.gan import Gan


def pull(game: Gan, adversary: AdversarialLoss, like: Tensor) -> float:
    """Return the norm of the slope of a loss's `fool` in the generator's parameters.

    Parameters
    ----------
    game
        Generator and discriminator as they stand.
    adversary
        The family of losses, which need not be the game's own.
    like
        Data of as many rows as are to be generated.
    """
    with torch.enable_grad():
        loss = adversary.fool(game.discriminator(game.draw(like)))
        slopes = torch.autograd.grad(loss, list(game.generator.parameters()))
    return float(torch.cat([slope.flatten() for slope in slopes]).norm())
