"""The conditional variational autoencoder (Sohn et al., 2015).

What is to be completed, y, has many answers to one question x: a latent z says which. Equation 4:

    E over q(z|x, y) of log p(y|x, z) - KL(q(z|x, y) ‖ p(z|x)) ≤ log p(y|x)

is ascended by the recogniser q, which has seen the answer, the prior p(z|x), which has not, and the decoder.

Departures from the paper
-------------------------
- The decoder does not start from a baseline's first guess, and there is no hybrid term.
- p(y|x, z) is Gaussian, with one learned variance a pixel. Networks are whatever is given.

References
----------
Sohn, Lee and Yan (2015), Learning structured output representation using deep conditional generative models.
NeurIPS.
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
class ConditionalVae(Game):
    """Recogniser, prior and decoder, who play together.

    Mini-batches hold the question ``x``, ``(n, n_x)``, and the answer ``y``, ``(n, n_y)``.

    Parameters
    ----------
    recogniser
        From question and answer ``(n, n_x + n_y)`` to means and log-variances ``(n, 2 * n_latent)``.
    prior
        The same from the question alone.
    decoder
        From question and code ``(n, n_x + n_latent)`` to the answer's mean ``(n, n_y)``.
    noise
        The spread around that mean.
    kl_weight
        Weight of the divergence, 1 in the paper.
    optimizer
        Of all.
    """

    recogniser: nn.Module
    prior: nn.Module
    decoder: nn.Module
    noise: PixelNoise
    kl_weight: float = 1.0
    optimizer: OptimizerFactory = KINGMA

    def players(self) -> tuple[Player]:
        """Return the three as one player."""
        own = {
            "recogniser": self.recogniser,
            "prior": self.prior,
            "decoder": self.decoder,
            "noise": self.noise,
        }
        return (Player("completer", own, self.explain, self.optimizer),)

    def explain(self, batch: Batch) -> Terms:
        """Return what the three descend: the bound, in nats, turned round."""
        x, y = batch["x"], batch["y"]
        q = Gaussian.of(self.recogniser(torch.cat([x, y], 1)))
        p = self.noise(self.decoder(torch.cat([x, q.draw()], 1)))
        return {
            "likelihood": -p.log_likelihood(y).mean(),
            "kl": self.kl_weight * q.kl(Gaussian.of(self.prior(x))),
        }

    def draw(self, x: Tensor) -> Tensor:
        """Return one answer to each question, ``(n, n_y)``, with a code drawn from the prior."""
        answer: Tensor = self.decoder(torch.cat([x, Gaussian.of(self.prior(x)).draw()], 1))
        return answer
