"""CycleGAN: unpaired translation, with identity term and a history of images (Zhu et al., 2017).

Two generators descend (equations 1-3 and section 5.2, least squares as in section 4)

    E (D_b(G_ab(a)) - 1)² + λ E |G_ba(G_ab(a)) - a| + ι λ E |G_ab(b) - b|        and the same from b to a

and two discriminators, on generated images half of which are older ones (section 4),

    E (D_b(b) - 1)² + E D_b(G_ab(a))²        and the same in a.

λ = 10. ι = 0.5 where the identity term is used; it tells the generators to leave alone what is in their
target already, and so settles what the cycle leaves open.

Departures from the paper
-------------------------
- Every least-squares term is halved, as in Mao et al. (2017), and so λ weighs twice as much.
- The histories are spectators of the game, so that they are saved and resumed with the match.
- Any networks can be given; both discriminators move in one turn, then both generators.

References
----------
Zhu et al. (2017), Unpaired image-to-image translation using cycle-consistent adversarial networks. ICCV,
arXiv:1703.10593.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch.nn.functional import l1_loss

from cellgan.core.losses import LEAST_SQUARES, AdversarialLoss, cycle, fool_both, tell_apart, there_and_back
from cellgan.core.player import ADAM, Batch, Game, OptimizerFactory, Player, Terms
from cellgan.core.weights import refuse_nothing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from cellgan.images.history import ImageHistory


@dataclass(frozen=True)
class CycleGan(Game):
    """The game between two generators and two discriminators; mini-batches hold ``a`` and ``b``.

    Parameters
    ----------
    generator_ab, generator_ba
        From a to b, and back.
    discriminator_a, discriminator_b
        From data of their domain to raw scores, one an image or one a patch.
    history_a, history_b
        Older generated images of their domain, or none.
    cycle_weight
        λ.
    identity_weight
        ι, as a share of λ; 0 leaves the term out, as in most of the paper's experiments.
    adversary
        The family of adversarial losses.
    optimizer
        Of both players.
    """

    generator_ab: nn.Module
    generator_ba: nn.Module
    discriminator_a: nn.Module
    discriminator_b: nn.Module
    history_a: ImageHistory | None = None
    history_b: ImageHistory | None = None
    cycle_weight: float = 10.0
    identity_weight: float = 0.5
    adversary: AdversarialLoss = LEAST_SQUARES
    optimizer: OptimizerFactory = ADAM

    def __post_init__(self) -> None:
        """Refuse a game without its cycle."""
        refuse_nothing(self, "cycle_weight")

    def players(self) -> tuple[Player, Player]:
        """Return the discriminators, then the generators."""
        judges = {"discriminator_a": self.discriminator_a, "discriminator_b": self.discriminator_b}
        movers = {"generator_ab": self.generator_ab, "generator_ba": self.generator_ba}
        return (
            Player("discriminators", judges, self.discriminate, self.optimizer),
            Player("generators", movers, self.generate, self.optimizer, forward=self.translate),
        )

    def spectators(self) -> Mapping[str, nn.Module]:
        """Return the histories, which are saved with the match and never moved."""
        held = {"history_a": self.history_a, "history_b": self.history_b}
        return {name: history for name, history in held.items() if history is not None}

    def translate(self, batch: Batch) -> Batch:
        """Map both ways and back again; both players need it."""
        return there_and_back(batch, self.generator_ab, self.generator_ba)

    def discriminate(self, batch: Batch) -> Terms:
        """Return what the discriminators descend."""
        ba = self.history_a(batch["ba"]) if self.history_a else batch["ba"]
        ab = self.history_b(batch["ab"]) if self.history_b else batch["ab"]
        shown = {**batch, "ab": ab, "ba": ba}
        return tell_apart(shown, self.discriminator_a, self.discriminator_b, self.adversary)

    def generate(self, batch: Batch) -> Terms:
        """Return what the generators descend."""
        terms = {
            "fool": fool_both(batch, self.discriminator_a, self.discriminator_b, self.adversary),
            "cycle": self.cycle_weight * cycle(batch),
        }
        if self.identity_weight:
            a, b = batch["a"], batch["b"]
            kept = l1_loss(self.generator_ba(a), a) + l1_loss(self.generator_ab(b), b)
            terms["identity"] = self.identity_weight * self.cycle_weight * kept
        return terms
