"""The generative adversarial network (Goodfellow et al., 2014).

Algorithm 1: the discriminator ascends

    E log D(x) + E log(1 - D(G(z))),    z ~ N(0, 1),

and then the generator, on fresh noise, ascends E log D(G(z)): the non-saturating form that section 3
proposes, since log(1 - D(G(z))) has no slope while the discriminator is sure.

Departures from the paper
-------------------------
- Adam instead of gradient ascent with momentum.
- k, the discriminator's steps a round, is 1, as in the paper's experiments; noise is normal instead of
  uniform.

References
----------
Goodfellow et al. (2014), Generative adversarial nets. NeurIPS, arXiv:1406.2661.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cellgan.core.losses import NON_SATURATING, AdversarialLoss
from cellgan.core.player import ADAM, Batch, Game, OptimizerFactory, Player, Terms


@dataclass(frozen=True)
class Gan(Game):
    """The game between one generator and one discriminator; mini-batches hold ``x``, ``(n, ...)``.

    Parameters
    ----------
    generator
        From noise ``(n, n_noise)`` to data ``(n, ...)``.
    discriminator
        From data to raw scores ``(n, 1)``.
    n_noise
        Length of the noise.
    adversary
        The family of losses.
    optimizer
        Of both players.
    discriminator_optimizer
        Of the discriminator, where it is to move at another rate.
    """

    generator: nn.Module
    discriminator: nn.Module
    n_noise: int
    adversary: AdversarialLoss = NON_SATURATING
    optimizer: OptimizerFactory = ADAM
    discriminator_optimizer: OptimizerFactory | None = None

    def players(self) -> tuple[Player, Player]:
        """Return the discriminator, then the generator."""
        judge = {"discriminator": self.discriminator}
        return (
            Player("discriminator", judge, self.discriminate, self.discriminator_optimizer or self.optimizer),
            Player("generator", {"generator": self.generator}, self.generate, self.optimizer),
        )

    def draw(self, like: Tensor) -> Tensor:
        """Return as much generated data as there is of `like`, from fresh noise."""
        generated: Tensor = self.generator(torch.randn(len(like), self.n_noise, device=like.device))
        return generated

    def discriminate(self, batch: Batch) -> Terms:
        """Return what the discriminator descends."""
        x = batch["x"]
        return {
            "real": self.adversary.real(self.discriminator(x)),
            "fake": self.adversary.fake(self.discriminator(self.draw(x))),
        }

    def generate(self, batch: Batch) -> Terms:
        """Return what the generator descends."""
        return {"fool": self.adversary.fool(self.discriminator(self.draw(batch["x"])))}
