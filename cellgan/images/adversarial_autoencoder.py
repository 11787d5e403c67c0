"""The adversarial autoencoder (Makhzani et al., 2016).

An autoencoder whose codes a discriminator tells from draws of a prior, here N(0, 1). Section 2, on each
mini-batch:

    reconstruction    encoder and decoder descend     ‖x - decode(encode(x))‖²
    regularisation    the discriminator ascends       E log D(z) + E log(1 - D(encode(x))),    z ~ N(0, 1)
                      the encoder ascends             E log D(encode(x))

Afterwards a draw of the prior, decoded, is a new image. It takes the place of the VAE's KL.

Departures from the paper
-------------------------
- The encoder is deterministic, one of the three that the paper names. Adam instead of gradient descent with
  momentum.

References
----------
Makhzani et al. (2016), Adversarial autoencoders. ICLR workshop, arXiv:1511.05644.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from cellgan.core.losses import NON_SATURATING, AdversarialLoss
from cellgan.core.player import ADAM, Adam, Batch, Game, OptimizerFactory, Player, Terms

KINGMA = Adam(lr=1e-3, betas=(0.9, 0.999))


@dataclass(frozen=True)
class AdversarialAutoencoder(Game):
    """The game; mini-batches hold ``x``, ``(n, ...)``.

    Parameters
    ----------
    encoder
        From data ``(n, ...)`` to codes ``(n, n_latent)``.
    decoder
        From codes to data.
    discriminator
        From codes to raw scores ``(n, 1)``.
    n_latent
        Length of a code.
    adversary
        The family of losses.
    optimizer
        Of the autoencoder.
    adversarial_optimizer
        Of the discriminator, and of the encoder against it.
    """

    encoder: nn.Module
    decoder: nn.Module
    discriminator: nn.Module
    n_latent: int
    adversary: AdversarialLoss = NON_SATURATING
    optimizer: OptimizerFactory = KINGMA
    adversarial_optimizer: OptimizerFactory = ADAM

    def players(self) -> tuple[Player, Player, Player]:
        """Return the autoencoder, the discriminator, and the encoder as its opponent."""
        both = {"encoder": self.encoder, "decoder": self.decoder}
        opponent = {"discriminator": self.discriminator}
        return (
            Player("autoencoder", both, self.reconstruct, self.optimizer),
            Player("discriminator", opponent, self.discriminate, self.adversarial_optimizer),
            Player("encoder", {"encoder": self.encoder}, self.encode, self.adversarial_optimizer),
        )

    def reconstruct(self, batch: Batch) -> Terms:
        """Return what encoder and decoder descend."""
        return {"reconstruction": mse_loss(self.decoder(self.encoder(batch["x"])), batch["x"])}

    def discriminate(self, batch: Batch) -> Terms:
        """Return what the discriminator descends."""
        codes = self.encoder(batch["x"])
        return {
            "prior": self.adversary.real(self.discriminator(torch.randn_like(codes))),
            "codes": self.adversary.fake(self.discriminator(codes)),
        }

    def encode(self, batch: Batch) -> Terms:
        """Return what the encoder descends against the discriminator."""
        return {"fool": self.adversary.fool(self.discriminator(self.encoder(batch["x"])))}

    def draw(self, n: int) -> Tensor:
        """Return n new images, decoded from draws of the prior."""
        generated: Tensor = self.decoder(torch.randn(n, self.n_latent))
        return generated
