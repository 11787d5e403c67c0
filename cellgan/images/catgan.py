"""The categorical GAN (Springenberg, 2016).

The discriminator is a classifier into K classes that nobody named. Equations 7 and 8: with H the entropy and
p(y) the mean of p(y|x) over a mini-batch,

    D ascends   H(p(y)) - E H(p(y|x)) + E H(p(y|G(z)))        + λ E log p(y = label|x) where labels are given
    G descends  -H(p_G(y)) + E H(p(y|G(z)))

D is sure of real data, uses all classes equally, and is unsure of what is generated: that holds its borders
in gaps between the data.

Departures from the paper
-------------------------
- Adam; the networks are whatever is given.
- Mini-batches of labelled data are drawn beside those without.

References
----------
Springenberg (2016), Unsupervised and semi-supervised learning with categorical generative adversarial
networks. ICLR, arXiv:1511.06390.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cellgan.core.player import ADAM, Batch, Game, OptimizerFactory, Player, Terms


@dataclass(frozen=True)
class CatGan(Game):
    """The game; mini-batches hold ``x``, ``(n, ...)``, and, with labels, ``known`` and ``label``.

    Parameters
    ----------
    generator
        From noise ``(n, n_noise)`` to data ``(n, ...)``.
    discriminator
        From data to raw scores of the classes ``(n, K)``.
    n_noise
        Length of the noise.
    label_weight
        λ. Above 0, mini-batches hold ``known``, data ``(m, ...)``, and ``label``, its classes ``(m,)``.
    optimizer
        Of both players.
    """

    generator: nn.Module
    discriminator: nn.Module
    n_noise: int
    label_weight: float = 0.0
    optimizer: OptimizerFactory = ADAM

    def players(self) -> tuple[Player, Player]:
        """Return the discriminator, then the generator."""
        return (
            Player("discriminator", {"discriminator": self.discriminator}, self.classify, self.optimizer),
            Player("generator", {"generator": self.generator}, self.generate, self.optimizer),
        )

    def draw(self, like: Tensor) -> Tensor:
        """Return as much generated data as there is of `like`, from fresh noise."""
        generated: Tensor = self.generator(torch.randn(len(like), self.n_noise, device=like.device))
        return generated

    def classify(self, batch: Batch) -> Terms:
        """Return what the discriminator descends."""
        p, fake = (self.discriminator(x).log_softmax(1) for x in (batch["x"], self.draw(batch["x"])))
        terms = {"balance": -marginal_entropy(p), "sure": entropy(p), "unsure": -entropy(fake)}
        if self.label_weight:
            known = self.discriminator(batch["known"])
            terms["labels"] = self.label_weight * cross_entropy(known, batch["label"])
        return terms

    def generate(self, batch: Batch) -> Terms:
        """Return what the generator descends."""
        fake = self.discriminator(self.draw(batch["x"])).log_softmax(1)
        return {"balance": -marginal_entropy(fake), "sure": entropy(fake)}


def entropy(log_p: Tensor) -> Tensor:
    """Return the mean entropy of the rows of log-probabilities ``(n, K)``, in nats."""
    return -(log_p.exp() * log_p).sum(1).mean()


def marginal_entropy(log_p: Tensor) -> Tensor:
    """Return the entropy of the mean of the rows, in nats."""
    p = log_p.exp().mean(0)
    return -torch.xlogy(p, p).sum()
