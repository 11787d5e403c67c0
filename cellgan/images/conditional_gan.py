"""The conditional GAN (Mirza and Osindero, 2014).

Equation 2: both players are told the class y,

    min_G max_D  E log D(x|y) + E log(1 - D(G(z|y)|y)).

A generated image that is good, but of another class than was asked for, is found out: that is what ties the
image to the label.

Departures from the paper
-------------------------
- The class stands one-hot beside the noise and beside the image, before the first layer; the paper maps
  noise, image and class to hidden layers of their own first.
- The generator ascends E log D(G(z|y)|y), Adam, leaky ReLU instead of maxout and dropout.

References
----------
Mirza and Osindero (2014), Conditional generative adversarial nets. arXiv:1411.1784.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from cellgan.core.losses import NON_SATURATING, AdversarialLoss
from cellgan.core.player import ADAM, Batch, Game, OptimizerFactory, Player, Terms


@dataclass(frozen=True)
class ConditionalGan(Game):
    """The game; mini-batches hold ``x``, ``(n, ...)``, and its classes ``y``, ``(n,)``.

    Parameters
    ----------
    generator
        From noise and class ``(n, n_noise + n_classes)`` to data ``(n, ...)``.
    discriminator
        From flattened data and class ``(n, n_features + n_classes)`` to raw scores ``(n, 1)``.
    n_noise
        Length of the noise.
    n_classes
        How many classes there are.
    adversary
        The family of losses.
    optimizer
        Of both players.
    """

    generator: nn.Module
    discriminator: nn.Module
    n_noise: int
    n_classes: int
    adversary: AdversarialLoss = NON_SATURATING
    optimizer: OptimizerFactory = ADAM

    def players(self) -> tuple[Player, Player]:
        """Return the discriminator, then the generator."""
        return (
            Player("discriminator", {"discriminator": self.discriminator}, self.discriminate, self.optimizer),
            Player("generator", {"generator": self.generator}, self.generate, self.optimizer),
        )

    def draw(self, y: Tensor) -> Tensor:
        """Return generated data of these classes, from fresh noise."""
        noise = torch.randn(len(y), self.n_noise, device=y.device)
        generated: Tensor = self.generator(torch.cat([noise, self.told(y)], 1))
        return generated

    def told(self, y: Tensor) -> Tensor:
        """Return classes as the players are told them, ``(n, n_classes)``."""
        return one_hot(y, self.n_classes).float()

    def judge(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the raw scores of data as members of these classes."""
        scores: Tensor = self.discriminator(torch.cat([x.flatten(1), self.told(y)], 1))
        return scores

    def discriminate(self, batch: Batch) -> Terms:
        """Return what the discriminator descends."""
        x, y = batch["x"], batch["y"]
        return {
            "real": self.adversary.real(self.judge(x, y)),
            "fake": self.adversary.fake(self.judge(self.draw(y), y)),
        }

    def generate(self, batch: Batch) -> Terms:
        """Return what the generator descends."""
        y = batch["y"]
        return {"fool": self.adversary.fool(self.judge(self.draw(y), y))}
