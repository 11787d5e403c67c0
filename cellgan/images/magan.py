"""MAGAN on images: which image belongs to whom, from one labelled pair (Amodio and Krishnaswamy, 2018).

The game is :class:`cellgan.core.magan.Magan`, whose file has the paper's losses

    L_G = MSE(x1, x121) - E log D2(x12) + L_c,    L_c = MSE(G12(x1i), x2j) over labelled pairs (i, j)

and all departures from it. This file has the networks for the paper's second task with a known answer:
digits, and the same digits turned by 120 degrees (figure 4c-d).

Departures from the paper
-------------------------
- Images are reduced to principal components of both domains together, in one unit; the paper's networks are
  convolutional.
- Generators are one linear layer each, a rotation at first: turning an image is linear in its pixels.
- Discriminators pay for their slope at real digits (R1) instead of dropping nine tenths of their units.

References
----------
Amodio and Krishnaswamy (2018), MAGAN: aligning biological manifolds. ICML, arXiv:1803.00385.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cellgan.core.magan import LabelledPairs, Magan
from cellgan.core.nets import mlp
from cellgan.core.player import Adam, OptimizerFactory

if TYPE_CHECKING:
    from cellgan.core.magan import Correspondence

__all__ = ["Components", "LabelledPairs", "Magan", "magan_for_images"]

ADAM = Adam(lr=5e-3, betas=(0.5, 0.99))


@dataclass(frozen=True)
class Components:
    """Principal components of some images.

    Parameters
    ----------
    mean
        ``(c, h, w)``.
    directions
        ``(n_pixels, n_components)``, of length 1, the strongest first.
    unit
        Root mean square of the components.
    """

    mean: Tensor
    directions: Tensor
    unit: Tensor

    @classmethod
    def of(cls, x: Tensor, n_components: int) -> Components:
        """Find them in images ``(n, c, h, w)``."""
        centred = (x - x.mean(0)).flatten(1)
        directions = torch.linalg.eigh(centred.T @ centred)[1][:, -n_components:].flip(1)
        return cls(x.mean(0), directions, (centred @ directions).square().mean().sqrt())

    def encode(self, x: Tensor) -> Tensor:
        """Return images as ``(n, n_components)``."""
        return (x - self.mean).flatten(1) @ self.directions / self.unit

    def decode(self, z: Tensor) -> Tensor:
        """Return components as images."""
        return (z * self.unit @ self.directions.T).view(-1, *self.mean.shape) + self.mean


def magan_for_images(
    n_components: int,
    *,
    correspondence: Correspondence | None,
    slope_weight: float = 0.3,
    optimizer: OptimizerFactory = ADAM,
) -> Magan:
    """Return the game on components of images; its first weights are drawn from torch's stream.

    Parameters
    ----------
    n_components
        Of both domains.
    correspondence
        What is known about who belongs to whom; nothing leaves it to chance.
    slope_weight
        Weight of R1.
    optimizer
        Of both players.
    """
    ab, ba = nn.Linear(n_components, n_components), nn.Linear(n_components, n_components)
    for layer in (ab, ba):
        nn.init.orthogonal_(layer.weight)
        nn.init.zeros_(layer.bias)
    return Magan(
        generator_ab=ab,
        generator_ba=ba,
        discriminator_a=mlp(n_components, 1, hidden=(64, 64)),
        discriminator_b=mlp(n_components, 1, hidden=(64, 64)),
        correspondence=correspondence,
        slope_weight=slope_weight,
        optimizer=optimizer,
    )
