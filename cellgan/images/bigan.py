"""BiGAN: a discriminator that sees data and code together (Donahue et al., 2017; Dumoulin et al., 2017, ALI).

Equation 2, with an encoder E beside the generator G:

    min_G,E max_D  E log D(x, E(x)) + E log(1 - D(G(z), z)),    z ~ N(0, 1)

At the optimum E is the inverse of G, although neither ever sees the other's output (theorem 2).

Departures from the paper
-------------------------
- G and E descend -log(1 - D(x, E(x))) - log D(G(z), z), the objective with the labels swapped, which the
  paper trains with as well: its gradients do not vanish while D is sure.
- Noise is normal instead of uniform; E has no noise of its own, as in BiGAN (ALI's has).
- Any networks can be given. The discriminator takes the flattened data beside the code.

References
----------
Donahue et al. (2017), Adversarial feature learning. ICLR, arXiv:1605.09782. Dumoulin et al. (2017),
Adversarially learned inference. ICLR, arXiv:1606.00704.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cellgan.core.losses import NON_SATURATING, AdversarialLoss
from cellgan.core.player import ADAM, Batch, Game, OptimizerFactory, Player, Terms


@dataclass(frozen=True)
class BiGan(Game):
    """The game of generator and encoder against one discriminator; mini-batches hold ``x``, ``(n, ...)``.

    Parameters
    ----------
    generator
        From codes ``(n, n_latent)`` to data ``(n, ...)``.
    encoder
        From data to codes.
    discriminator
        From ``(n, n_features + n_latent)``, the flattened data and its code, to raw scores ``(n, 1)``.
    n_latent
        Length of the code.
    adversary
        The family of adversarial losses.
    optimizer
        Of both players.
    """

    generator: nn.Module
    encoder: nn.Module
    discriminator: nn.Module
    n_latent: int
    adversary: AdversarialLoss = NON_SATURATING
    optimizer: OptimizerFactory = ADAM

    def players(self) -> tuple[Player, Player]:
        """Return the discriminator, then generator and encoder, who move together."""
        pair = {"generator": self.generator, "encoder": self.encoder}
        return (
            Player("discriminator", {"discriminator": self.discriminator}, self.discriminate, self.optimizer),
            Player("pair", pair, self.generate, self.optimizer, forward=self.show),
        )

    def show(self, batch: Batch) -> Batch:
        """Return both pairs: data with its code, and a code with its data."""
        x = batch["x"]
        z = torch.randn(len(x), self.n_latent, device=x.device)
        return {"encoded": self.beside(x, self.encoder(x)), "generated": self.beside(self.generator(z), z)}

    def beside(self, x: Tensor, z: Tensor) -> Tensor:
        """Return data and code in one row."""
        return torch.cat([x.flatten(1), z], 1)

    def discriminate(self, batch: Batch) -> Terms:
        """Return what the discriminator descends."""
        return {
            "real": self.adversary.real(self.discriminator(batch["encoded"])),
            "fake": self.adversary.fake(self.discriminator(batch["generated"])),
        }

    def generate(self, batch: Batch) -> Terms:
        """Return what generator and encoder descend: the same with the labels swapped."""
        return {
            "encode": self.adversary.fake(self.discriminator(batch["encoded"])),
            "fool": self.adversary.real(self.discriminator(batch["generated"])),
        }
