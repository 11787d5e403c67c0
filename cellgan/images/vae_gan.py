"""VAE-GAN: an autoencoder that is judged by what a discriminator sees, not by pixels (Larsen et al., 2016).

With q(z|x) from the encoder, z drawn from it, x̃ = Dec(z), x_p = Dec(z_p) from noise, and the discriminator's
features Dis_l (algorithm 1):

    L_prior = KL(q(z|x) ‖ N(0, 1))
    L_llike = ½ Σ (Dis_l(x̃) - Dis_l(x))²            equation 7: a normal distribution of the features
    L_GAN   = log Dis(x) + log(1 - Dis(x̃)) + log(1 - Dis(x_p))

    the encoder descends L_prior + L_llike, the decoder γ L_llike - L_GAN, the discriminator -L_GAN.

Departures from the paper
-------------------------
- The decoder descends -log Dis(x̃) - log Dis(x_p), which does not saturate, instead of -L_GAN.
- Adam instead of RMSProp.
- γ depends on the number of features and has no default in the paper; the default here is for some dozens.
- Each player moves in a turn of its own, on fresh noise.

References
----------
Larsen et al. (2016), Autoencoding beyond pixels using a learned similarity metric. ICML, arXiv:1512.09300.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cellgan.core.losses import NON_SATURATING, AdversarialLoss, Gaussian
from cellgan.core.player import ADAM, Batch, Game, OptimizerFactory, Player, Terms
from cellgan.core.weights import refuse_nothing


@dataclass(frozen=True)
class VaeGan(Game):
    """The game of encoder, decoder and discriminator; mini-batches hold ``x``, ``(n, ...)``.

    Parameters
    ----------
    encoder
        From data to ``(n, 2 * n_latent)``: means, then logarithms of variances.
    decoder
        From ``(n, n_latent)`` to data.
    features
        The discriminator's layers up to those by which images are compared: from data to ``(n, n_features)``.
    head
        The rest of it: from features to raw scores ``(n, 1)``.
    feature_weight
        γ, the weight of the reconstruction against the discriminator, for the decoder.
    prior_weight
        Weight of L_prior; 1 in the paper.
    adversary
        The family of adversarial losses.
    optimizer
        Of all players.
    """

    encoder: nn.Module
    decoder: nn.Module
    features: nn.Module
    head: nn.Module
    feature_weight: float = 1.0
    prior_weight: float = 1.0
    adversary: AdversarialLoss = NON_SATURATING
    optimizer: OptimizerFactory = ADAM

    def __post_init__(self) -> None:
        """Refuse weights that leave out the encoder."""
        refuse_nothing(self, "feature_weight", "prior_weight")

    def players(self) -> tuple[Player, Player, Player]:
        """Return encoder, decoder and discriminator, in the order of algorithm 1."""
        judge = {"features": self.features, "head": self.head}
        return (
            Player("encoder", {"encoder": self.encoder}, self.encode, self.optimizer),
            Player("decoder", {"decoder": self.decoder}, self.decode, self.optimizer),
            Player("discriminator", judge, self.discriminate, self.optimizer),
        )

    def decoded(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return x̃ and x_p."""
        z = Gaussian.of(self.encoder(x)).draw()
        return self.decoder(z), self.decoder(torch.randn_like(z))

    def unlike(self, reconstructed: Tensor, x: Tensor) -> Tensor:
        """Return L_llike, the mean over rows."""
        apart: Tensor = self.features(reconstructed) - self.features(x)
        return 0.5 * apart.square().flatten(1).sum(1).mean()

    def encode(self, batch: Batch) -> Terms:
        """Return what the encoder descends."""
        q = Gaussian.of(self.encoder(batch["x"]))
        prior = self.prior_weight * q.kl()
        return {"prior": prior, "features": self.unlike(self.decoder(q.draw()), batch["x"])}

    def decode(self, batch: Batch) -> Terms:
        """Return what the decoder descends."""
        reconstructed, drawn = self.decoded(batch["x"])
        fool = self.adversary.fool
        return {
            "features": self.feature_weight * self.unlike(reconstructed, batch["x"]),
            "fool": fool(self.score(reconstructed)) + fool(self.score(drawn)),
        }

    def discriminate(self, batch: Batch) -> Terms:
        """Return what the discriminator descends."""
        reconstructed, drawn = self.decoded(batch["x"])
        fake = self.adversary.fake
        return {
            "real": self.adversary.real(self.score(batch["x"])),
            "fake": fake(self.score(reconstructed)) + fake(self.score(drawn)),
        }

    def score(self, x: Tensor) -> Tensor:
        """Return the discriminator's raw scores."""
        scores: Tensor = self.head(self.features(x))
        return scores
