"""The generative moment matching network (Li et al., 2015).

There is no opponent: the generator descends the kernel discrepancy of what it draws and the data (equation
3),

    MMD² = E k(x, x') + E k(G(z), G(z')) - 2 E k(x, G(z)),    k = Σ over σ of exp(-‖a - b‖² / 2σ²)

Departures from the paper
-------------------------
- The unbiased estimate, whose slope is the biased one's but for a factor n / (n - 1); its square root is not
  taken, since it may be negative.
- Adam, normal noise; the variant in the codes of an autoencoder is not here.

References
----------
Li, Swersky and Zemel (2015), Generative moment matching networks. ICML, arXiv:1502.02761.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cellgan.core.losses import squared_mmd
from cellgan.core.player import ADAM, Batch, Game, OptimizerFactory, Player, Terms


@dataclass(frozen=True)
class Gmmn(Game):
    """A generator that plays alone; mini-batches hold ``x``, ``(n, ...)``: hundreds, for pairs to tell.

    Parameters
    ----------
    generator
        From noise ``(n, n_noise)`` to data ``(n, ...)``.
    n_noise
        Length of the noise.
    bandwidths
        σ of the kernels, in the units of the data: from its finest structure to its whole width.
    optimizer
        Of the generator.
    """

    generator: nn.Module
    n_noise: int
    bandwidths: tuple[float, ...]
    optimizer: OptimizerFactory = ADAM

    def players(self) -> tuple[Player]:
        """Return the generator."""
        return (Player("generator", {"generator": self.generator}, self.generate, self.optimizer),)

    def draw(self, like: Tensor) -> Tensor:
        """Return as much generated data as there is of `like`, from fresh noise."""
        generated: Tensor = self.generator(torch.randn(len(like), self.n_noise, device=like.device))
        return generated

    def generate(self, batch: Batch) -> Terms:
        """Return what the generator descends."""
        x = batch["x"]
        return {"mmd": squared_mmd(self.draw(x), x, bandwidths=self.bandwidths)}
