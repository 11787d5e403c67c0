"""The Wasserstein loss, and the two ways to keep its critic's slope within bounds.

    real = -E f(x),    fake = E f(G),    fool = -E f(G)

With f 1-Lipschitz, the maximum of E f(x) - E f(G) is the earth mover's distance of data and generated. Either
all weights are clipped to ±c, or the critic pays

    weight · E (‖∇f(x̂)‖ - 1)²,    x̂ = t x + (1 - t) G,    t uniform in (0, 1), one a row.

References
----------
Arjovsky et al. (2017), Wasserstein GAN, algorithm 1 (clipping at c = 0.01). Gulrajani et al. (2017), Improved
training of Wasserstein GANs, equation 3 (penalty of weight 10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cellgan.core.losses.adversarial import AdversarialLoss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor


def real(score: Tensor) -> Tensor:
    """Return the negative mean score."""
    return -score.mean()


def fake(score: Tensor) -> Tensor:
    """Return the mean score."""
    return score.mean()


def fool(score: Tensor) -> Tensor:
    """Return the negative mean score."""
    return -score.mean()


WASSERSTEIN = AdversarialLoss(real, fake, fool)


def gradient_penalty(critic: Callable[[Tensor], Tensor], x: Tensor, generated: Tensor) -> Tensor:
    """Return the mean squared distance from 1 of the critic's slope, on lines between real and generated.

    Parameters
    ----------
    critic
        From ``(n, ...)`` to scores ``(n, 1)``, each of its own row alone: it may hold no batch normalisation.
    x
        Real data, ``(n, ...)``.
    generated
        Generated data of the same shape.
    """
    t = torch.rand(len(x), *(1,) * (x.dim() - 1), device=x.device, dtype=x.dtype)
    between = torch.lerp(generated.detach(), x.detach(), t).requires_grad_()
    slope: Tensor
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slope.flatten(1).square().sum(1).sqrt() - 1).square().mean()


def clip_(parameters: Iterable[Tensor], bound: float) -> None:
    """Clip weights to ±bound in place; call it in `Player.after_update`."""
    for parameter in parameters:
        parameter.clamp_(-bound, bound)
