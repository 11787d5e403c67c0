"""DiscoGAN, which discovers relations between two domains without any pairs (Kim et al., 2017).

Two generators descend (equations 3-6, with mapped x_ab = G_ab(x_a) and cycled x_aba = G_ba(x_ab))

    L_G = d(x_aba, x_a) + d(x_bab, x_b) - E log D_b(x_ab) - E log D_a(x_ba)

and two discriminators (equations 7-9)

    L_D = -E log D_b(x_b) - E log(1 - D_b(x_ab)) - E log D_a(x_a) - E log(1 - D_a(x_ba)).

The reconstruction in both directions makes the map one-to-one. Which of several one-to-one maps is found, it
does not say: that is for the start to decide.

Departures from the paper
-------------------------
- Any networks can be given; the paper's are convolutional, and perceptrons for its toy.
- d is the mean squared distance, one of those that the paper allows; it has a weight, 1 in the paper.
- Both discriminators move in one turn, then both generators on the same mini-batch.
- Adam's betas (0.5, 0.999) and rate 2e-4 are the paper's; there is no weight decay (1e-4 there).

References
----------
Kim et al. (2017), Learning to discover cross-domain relations with generative adversarial networks. ICML,
arXiv:1703.05192.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch.nn.functional import mse_loss

from cellgan.core.losses import NON_SATURATING, AdversarialLoss, cycle, fool_both, tell_apart, there_and_back
from cellgan.core.player import ADAM, Batch, Game, OptimizerFactory, Player, Terms
from cellgan.core.weights import refuse_nothing

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class DiscoGan(Game):
    """The game between two generators and two discriminators; mini-batches hold ``a`` and ``b``.

    Parameters
    ----------
    generator_ab
        From a to b.
    generator_ba
        And back.
    discriminator_a
        From a to raw scores ``(n, 1)``.
    discriminator_b
        The same in b.
    reconstruction_weight
        Weight of the reconstructions.
    adversary
        The family of adversarial losses.
    optimizer
        Of both players.
    """

    generator_ab: nn.Module
    generator_ba: nn.Module
    discriminator_a: nn.Module
    discriminator_b: nn.Module
    reconstruction_weight: float = 1.0
    adversary: AdversarialLoss = NON_SATURATING
    optimizer: OptimizerFactory = ADAM

    def __post_init__(self) -> None:
        """Refuse a game without its reconstruction."""
        refuse_nothing(self, "reconstruction_weight")

    def players(self) -> tuple[Player, Player]:
        """Return the discriminators, then the generators."""
        judges = {"discriminator_a": self.discriminator_a, "discriminator_b": self.discriminator_b}
        movers = {"generator_ab": self.generator_ab, "generator_ba": self.generator_ba}
        return (
            Player("discriminators", judges, self.discriminate, self.optimizer),
            Player("generators", movers, self.generate, self.optimizer, forward=self.translate),
        )

    def translate(self, batch: Batch) -> Batch:
        """Map both ways and back again; both players need it."""
        return there_and_back(batch, self.generator_ab, self.generator_ba)

    def discriminate(self, batch: Batch) -> Terms:
        """Return what the discriminators descend, L_D."""
        return tell_apart(batch, self.discriminator_a, self.discriminator_b, self.adversary)

    def generate(self, batch: Batch) -> Terms:
        """Return what the generators descend, L_G."""
        return {
            "fool": fool_both(batch, self.discriminator_a, self.discriminator_b, self.adversary),
            "reconstruction": self.reconstruction_weight * cycle(batch, mse_loss),
        }
