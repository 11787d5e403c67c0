"""LAPGAN: a chain of conditional GANs, each of which adds the detail of one size (Denton et al., 2015).

With d halving and u doubling the sides (`halve`, `double`), an image I_0 is halved again and again, I_k+1 =
d(I_k), and its details are h_k = I_k - u(I_k+1) (equation 3).

The last, smallest image is drawn by a plain GAN. Every other level k has a GAN of its own, conditional on the
coarse image l_k = u(I_k+1) (section 2.3):

    D_k ascends E log D_k(l_k, l_k + h_k) + E log(1 - D_k(l_k, l_k + G_k(z, l_k)))
    G_k ascends E log D_k(l_k, l_k + G_k(z, l_k))

To draw, start small and go up: Ĩ_k = u(Ĩ_k+1) + G_k(z_k, u(Ĩ_k+1)) (equation 4).

Departures from the paper
-------------------------
- d averages two by two and u repeats: h_k has mean 0 in every such block, and G_k's output is freed of its
  means in the same way, so that d(Ĩ_k) = Ĩ_k+1 exactly. The paper blurs and leaves that to be learned.
- Levels are pairs of players in one match, who never meet, not independent games; Adam, not momentum.

References
----------
Denton et al. (2015), Deep generative image models using a Laplacian pyramid of adversarial networks. NeurIPS,
arXiv:1506.05751.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cellgan.core.losses import NON_SATURATING, AdversarialLoss
from cellgan.core.nets.resizing import double, halve
from cellgan.core.player import ADAM, Batch, Game, OptimizerFactory, Player, Terms
from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class LapGan(Game):
    """One pair of players a size; mini-batches hold ``x``, images ``(n, c, h, w)``.

    Parameters
    ----------
    generators
        The smallest size's first: from noise ``(n, n_noise)`` to images. The others: from a coarse image and,
        as one more channel, noise, ``(n, c + 1, h, w)``, to its detail, ``(n, c, h, w)``.
    discriminators
        The smallest size's: from images to raw scores. Others: from coarse ones and them, ``(n, 2c, h, w)``.
    n_noise
        Length of the smallest size's noise.
    adversary
        The family of adversarial losses.
    optimizer
        Of all players.
    """

    generators: Sequence[nn.Module]
    discriminators: Sequence[nn.Module]
    n_noise: int
    adversary: AdversarialLoss = NON_SATURATING
    optimizer: OptimizerFactory = ADAM

    def __post_init__(self) -> None:
        """Refuse a pyramid with a storey missing."""
        n, m = len(self.generators), len(self.discriminators)
        if n != m or n < 2:
            msg = f"{n} generators and {m} discriminators: a pyramid has one of each a size, of two or more."
            raise ConfigError(msg)

    def players(self) -> tuple[Player, ...]:
        """Return a discriminator and a generator a size, the smallest first."""
        roles = (
            ("discriminator", self.discriminators, self.discriminate),
            ("generator", self.generators, self.generate),
        )
        return tuple(
            Player(f"{role}_{k}", {f"{role}_{k}": networks[k]}, partial(objective, k), self.optimizer)
            for k in range(len(self.generators))
            for role, networks, objective in roles
        )

    def add_detail(self, level: int, small: Tensor) -> Tensor:
        """Return drawn images of a level, of which `small` is the level below."""
        coarse = double(small)
        detail = self.generators[level](torch.cat([coarse, torch.randn_like(coarse[:, :1])], 1))
        drawn: Tensor = coarse + detail - double(halve(detail))
        return drawn

    def draw(self, n: int) -> list[Tensor]:
        """Return n drawn images in every size, the smallest first."""
        device = next(self.generators[0].parameters()).device
        images = [self.generators[0](torch.randn(n, self.n_noise, device=device))]
        for level in range(1, len(self.generators)):
            images.append(self.add_detail(level, images[-1]))
        return images

    def judged(self, level: int, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores of a level's real images, and of drawn ones."""
        discriminator, real = self.discriminators[level], halve(x, times=len(self.generators) - 1 - level)
        if not level:
            drawn = self.generators[0](torch.randn(len(x), self.n_noise, device=x.device))
            return discriminator(real), discriminator(drawn)
        small = halve(real)
        drawn, coarse = self.add_detail(level, small), double(small)
        return discriminator(torch.cat([coarse, real], 1)), discriminator(torch.cat([coarse, drawn], 1))

    def discriminate(self, level: int, batch: Batch) -> Terms:
        """Return what a level's discriminator descends."""
        real, fake = self.judged(level, batch["x"])
        return {"real": self.adversary.real(real), "fake": self.adversary.fake(fake)}

    def generate(self, level: int, batch: Batch) -> Terms:
        """Return what a level's generator descends."""
        return {"fool": self.adversary.fool(self.judged(level, batch["x"])[1])}
