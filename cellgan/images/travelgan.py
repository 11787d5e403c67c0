"""TraVeLGAN: translation that keeps how images differ, without any way back (Amodio and Krishnaswamy, 2019).

A siamese network S gives each image a vector. Between two images i, j of the source, and between what G makes
of them, lie the transformation vectors

    ν_ij = S(x_i) - S(x_j),    ν'_ij = S(G(x_i)) - S(G(x_j)).

G and S together descend, over all pairs i ≠ j,

    L_adv + λ (L_margin + L_travel)
    L_adv    = -E log D(G(x))
    L_margin = E max(0, δ - ‖ν_ij‖)                      vectors may not vanish
    L_travel = E ‖ν_ij - ν'_ij‖² - E cos(ν_ij, ν'_ij)    and are kept, in length and in direction

with λ = 10 and δ = 10. No generator leads back, so that the map need not be invertible.

Departures from the paper
-------------------------
- One direction, as the paper is written; the released code has both, each with a generator of its own.
- The squared distance is the mean over S's outputs, as in the released code. δ is compared with the length of
  ν (the released code compares its square).
- What is far from its margin depends on the data's unit, so λ and δ can be given.

References
----------
Amodio and Krishnaswamy (2019), TraVeLGAN: image-to-image translation by transformation vector learning. CVPR,
arXiv:1902.09631.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, mse_loss, relu

from cellgan.core.losses import NON_SATURATING, AdversarialLoss
from cellgan.core.player import ADAM, Batch, Game, OptimizerFactory, Player, Terms
from cellgan.core.weights import refuse_nothing


def differences(codes: Tensor) -> Tensor:
    """Return the transformation vectors of all pairs of rows, ``(n * (n - 1) / 2, n_features)``."""
    i, j = torch.triu_indices(len(codes), len(codes), offset=1, device=codes.device)
    return codes[i] - codes[j]


@dataclass(frozen=True)
class TravelGan(Game):
    """The game of generator and siamese network against one discriminator.

    Mini-batches hold ``a`` and ``b``, ``(n, ...)``.

    Parameters
    ----------
    generator
        From a to b.
    siamese
        S, from data of either domain to ``(n, n_features)``.
    discriminator
        From b to raw scores ``(n, 1)``.
    travel_weight
        λ.
    margin
        δ.
    adversary
        The family of adversarial losses.
    optimizer
        Of both players.
    """

    generator: nn.Module
    siamese: nn.Module
    discriminator: nn.Module
    travel_weight: float = 10.0
    margin: float = 10.0
    adversary: AdversarialLoss = NON_SATURATING
    optimizer: OptimizerFactory = ADAM

    def __post_init__(self) -> None:
        """Refuse a game that keeps nothing."""
        refuse_nothing(self, "travel_weight", "margin")

    def players(self) -> tuple[Player, Player]:
        """Return the discriminator, then generator and siamese network, who cooperate."""
        pair = {"generator": self.generator, "siamese": self.siamese}
        return (
            Player("discriminator", {"discriminator": self.discriminator}, self.discriminate, self.optimizer),
            Player("generator", pair, self.generate, self.optimizer, forward=self.translate),
        )

    def translate(self, batch: Batch) -> Batch:
        """Map a to b; both players need it."""
        return {"ab": self.generator(batch["a"])}

    def discriminate(self, batch: Batch) -> Terms:
        """Return what the discriminator descends."""
        return {
            "real": self.adversary.real(self.discriminator(batch["b"])),
            "fake": self.adversary.fake(self.discriminator(batch["ab"])),
        }

    def generate(self, batch: Batch) -> Terms:
        """Return what generator and siamese network descend."""
        before, after = differences(self.siamese(batch["a"])), differences(self.siamese(batch["ab"]))
        travel = mse_loss(after, before) - cosine_similarity(after, before).mean()
        return {
            "fool": self.adversary.fool(self.discriminator(batch["ab"])),
            "margin": self.travel_weight * relu(self.margin - before.norm(dim=1)).mean(),
            "travel": self.travel_weight * travel,
        }
