"""R1: a discriminator's slope at the data, which makes the game converge near its equilibrium.

    R1 = E ‖∇D(x)‖² / 2,    to be weighted by γ (10 in the paper).

References
----------
Mescheder et al. (2018), Which training methods for GANs do actually converge?, equation 9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


def r1(discriminator: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return half the mean squared norm of the slope at the data.

    Parameters
    ----------
    discriminator
        From ``(n, ...)`` to raw scores ``(n, 1)``, each of its own row alone.
    x
        Real data, ``(n, ...)``.
    """
    at = x.detach().requires_grad_()
    slope: Tensor
    (slope,) = torch.autograd.grad(discriminator(at).sum(), at, create_graph=True)
    return 0.5 * slope.flatten(1).square().sum(1).mean()
