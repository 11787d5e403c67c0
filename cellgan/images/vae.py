"""The variational autoencoder (Kingma and Welling, 2014).

No opponent: encoder and decoder ascend the evidence lower bound of the data (equation 3),

    E over q of log p(x|z) - KL(q(z|x) ‖ N(0, 1)) ≤ log p(x),    z = m(x) + s(x) ε,    ε ~ N(0, 1)

where encoder and decoder give Gaussians. Drawing z through m and s (the reparameterisation) gives the
encoder a slope.

Departures from the paper
-------------------------
- p(x|z) has one learned variance a pixel, the same for all z, instead of one that the decoder gives.
- Adam instead of Adagrad. KL has a weight, 1 in the paper; others are the β of Higgins et al. (2017).

References
----------
Kingma and Welling (2014), Auto-encoding variational Bayes. ICLR, arXiv:1312.6114.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cellgan.core.losses import Gaussian
from cellgan.core.player import Adam, Batch, Game, OptimizerFactory, Player, Terms

if TYPE_CHECKING:
    from cellgan.core.nets import PixelNoise

KINGMA = Adam(lr=1e-3, betas=(0.9, 0.999))


@dataclass(frozen=True)
class Vae(Game):
    """Encoder and decoder, who play together; mini-batches hold ``x``, ``(n, ...)``.

    Parameters
    ----------
    encoder
        From data ``(n, ...)`` to means and log-variances of codes ``(n, 2 * n_latent)``.
    decoder
        From codes to the mean of the data.
    noise
        The spread around that mean.
    n_latent
        Length of a code.
    kl_weight
        Weight of the divergence.
    optimizer
        Of all.
    """

    encoder: nn.Module
    decoder: nn.Module
    noise: PixelNoise
    n_latent: int
    kl_weight: float = 1.0
    optimizer: OptimizerFactory = KINGMA

    def players(self) -> tuple[Player]:
        """Return encoder and decoder as one player."""
        own = {"encoder": self.encoder, "decoder": self.decoder, "noise": self.noise}
        return (Player("autoencoder", own, self.explain, self.optimizer),)

    def explain(self, batch: Batch) -> Terms:
        """Return what both descend: the bound, in nats, turned round."""
        x = batch["x"]
        q = Gaussian.of(self.encoder(x))
        p = self.noise(self.decoder(q.draw()))
        return {"likelihood": -p.log_likelihood(x).mean(), "kl": self.kl_weight * q.kl()}

    def bound(self, x: Tensor, *, draws: int = 20) -> float:
        """Return the evidence lower bound, in nats an image, without slopes."""
        with torch.no_grad():
            q = Gaussian.of(self.encoder(x))
            inside = [self.noise(self.decoder(q.draw())).log_likelihood(x).mean() for _ in range(draws)]
            return float(torch.stack(inside).mean() - q.kl())

    def draw(self, n: int) -> Tensor:
        """Return the means of n new images, decoded from draws of the prior."""
        generated: Tensor = self.decoder(torch.randn(n, self.n_latent))
        return generated
