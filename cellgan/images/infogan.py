"""InfoGAN (Chen et al., 2016).

Part of the noise is a code c: a category, and numbers from -1 to 1. A head Q on the discriminator's body
reads the code back. Equation 6: beside the game of the GAN,

    L_I = E log Q(c|G(z, c)) + H(c) ≤ I(c; G(z, c))

is ascended by all, λ times: generator, Q and body. So the code comes to stand for what varies in the data.

Departures from the paper
-------------------------
- Q's spread for the numbers is fixed at 1, as in the paper's code: L_I is a bound up to a constant, and
  reported for the category alone. H(c), which no network can change, is not descended.
- One λ for the category and one for the numbers; Adam at one learning rate for all.

References
----------
Chen et al. (2016), InfoGAN: interpretable representation learning by information maximizing generative
adversarial nets. NeurIPS, arXiv:1606.03657.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss, one_hot

from cellgan.core.losses import NON_SATURATING, AdversarialLoss
from cellgan.core.player import ADAM, Batch, Game, OptimizerFactory, Player, Terms


@dataclass(frozen=True)
class InfoGan(Game):
    """The game; mini-batches hold ``x``, ``(n, ...)``.

    Parameters
    ----------
    generator
        From noise, category and numbers ``(n, n_noise + n_categories + n_numbers)`` to data ``(n, ...)``.
    body
        From data to features, shared by the two heads.
    head
        From features to raw scores ``(n, 1)``.
    recogniser
        Q, from features to scores of the categories, then the numbers ``(n, n_categories + n_numbers)``.
    n_noise, n_categories, n_numbers
        Lengths of the three parts of the generator's input.
    information_weight, number_weight
        λ for the category, and for the numbers.
    adversary
        The family of losses.
    optimizer
        Of both players.
    """

    generator: nn.Module
    body: nn.Module
    head: nn.Module
    recogniser: nn.Module
    n_noise: int
    n_categories: int
    n_numbers: int = 0
    information_weight: float = 1.0
    number_weight: float = 0.1
    adversary: AdversarialLoss = NON_SATURATING
    optimizer: OptimizerFactory = ADAM

    def players(self) -> tuple[Player, Player]:
        """Return the discriminator with Q, then the generator."""
        readers = {"body": self.body, "head": self.head, "recogniser": self.recogniser}
        return (
            Player("discriminator", readers, self.discriminate, self.optimizer),
            Player("generator", {"generator": self.generator}, self.generate, self.optimizer),
        )

    def codes(self, n: int) -> tuple[Tensor, Tensor]:
        """Return random categories ``(n,)`` and numbers ``(n, n_numbers)``."""
        return torch.randint(self.n_categories, (n,)), 2 * torch.rand(n, self.n_numbers) - 1

    def draw(self, category: Tensor, numbers: Tensor) -> Tensor:
        """Return generated data with these codes, from fresh noise."""
        noise = torch.randn(len(category), self.n_noise, device=category.device)
        told = one_hot(category, self.n_categories).float()
        generated: Tensor = self.generator(torch.cat([noise, told, numbers], 1))
        return generated

    def discriminate(self, batch: Batch) -> Terms:
        """Return what discriminator and Q descend."""
        category, numbers = self.codes(len(batch["x"]))
        features = self.body(self.draw(category, numbers))
        return {
            "real": self.adversary.real(self.head(self.body(batch["x"]))),
            "fake": self.adversary.fake(self.head(features)),
            **self.information(features, category, numbers),
        }

    def generate(self, batch: Batch) -> Terms:
        """Return what the generator descends."""
        category, numbers = self.codes(len(batch["x"]))
        features = self.body(self.draw(category, numbers))
        fool = self.adversary.fool(self.head(features))
        return {"fool": fool, **self.information(features, category, numbers)}

    def information(self, features: Tensor, category: Tensor, numbers: Tensor) -> Terms:
        """Return -λ E log Q of the codes, but for constants."""
        read = self.recogniser(features)
        terms = {"category": self.information_weight * cross_entropy(read[:, : self.n_categories], category)}
        if self.n_numbers:
            terms["numbers"] = self.number_weight * mse_loss(read[:, self.n_categories :], numbers) / 2
        return terms

    def bound(self, n: int) -> float:
        """Return the bound L_I of the category's mutual information with n generated images, in nats."""
        category, numbers = self.codes(n)
        read = self.recogniser(self.body(self.draw(category, numbers)))[:, : self.n_categories]
        return math.log(self.n_categories) - float(cross_entropy(read, category))
