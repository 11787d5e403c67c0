"""Progressive growing: a GAN that learns small images first, then larger ones (Karras et al., 2018).

Both networks start at 4 x 4 pixels. Each size is learned for a phase, then the next one fades in during a
phase of the same length, with weight α from 0 to 1 (section 2 and figure 2). Real images are shown at the
size that is worked on, and faded alike. The losses are those of WGAN-GP with one more term (appendix A.1):
the critic descends

    E f(G) - E f(x) + λ E (‖∇f(x̂)‖ - 1)² + ε E f(x)²,    λ = 10, ε = 0.001,

with one step a round, and the generator -E f(G).

Departures from the paper
-------------------------
- No equalised learning rate, no minibatch standard deviation, no running average of the generator: at these
  sizes the growing alone is what is to be seen. Pixel-wise normalisation is there.
- Phases are counted in rounds; the paper's are 800 thousand images each.

References
----------
Karras et al. (2018), Progressive growing of GANs for improved quality, stability, and variation. ICLR,
arXiv:1710.10196.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cellgan.core.losses import WASSERSTEIN, gradient_penalty
from cellgan.core.nets.resizing import double, halve
from cellgan.core.player import Adam, Batch, Game, OptimizerFactory, Player, Terms
from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from cellgan.core.nets.growing import GrowingCritic, GrowingGenerator

ADAM = Adam(lr=1e-3, betas=(0.0, 0.99))


@dataclass(frozen=True)
class ProgressiveGan(Game):
    """Generator and critic, who grow together; mini-batches hold ``x``, the largest images ``(n, c, s, s)``.

    Parameters
    ----------
    generator, critic
        Draws images, and scores them; of as many sizes.
    n_noise
        Length of the noise.
    phase
        Rounds for which a size is learned, and for which the next one fades in. All sizes take
        ``(2 * n_sizes - 1) * phase`` rounds; from then on the last one is learned.
    penalty_weight, drift_weight
        λ and ε.
    optimizer
        Of both players.
    """

    generator: GrowingGenerator
    critic: GrowingCritic
    n_noise: int
    phase: int
    penalty_weight: float = 10.0
    drift_weight: float = 1e-3
    optimizer: OptimizerFactory = ADAM

    def __post_init__(self) -> None:
        """Refuse networks that cannot grow together."""
        if self.phase < 1 or self.generator.last != self.critic.last:
            msg = (
                f"phase={self.phase}, {self.generator.last + 1} sizes to draw and {self.critic.last + 1} to "
                "score: expected a phase of at least 1 round, and as many sizes of both."
            )
            raise ConfigError(msg)

    def players(self) -> tuple[Player, Player]:
        """Return the critic, then the generator, after whose turn both grow."""
        drawing = {"generator": self.generator}
        return (
            Player("critic", {"critic": self.critic}, self.criticise, self.optimizer),
            Player("generator", drawing, self.generate, self.optimizer, after_update=self.grow),
        )

    def grow(self) -> None:
        """Count a round: how far both are grown follows from it, and is saved with them."""
        self.generator.rounds += 1
        phases = float(self.generator.rounds) / self.phase
        grown = sum(min(max(phases - (2 * k - 1), 0.0), 1.0) for k in range(1, self.generator.last + 1))
        for network in (self.generator, self.critic):
            network.grown.fill_(grown)

    def at_size(self, x: Tensor) -> Tensor:
        """Return real images at the size that is worked on, the last of it faded in."""
        level, alpha = self.generator.level()
        x = halve(x, times=self.generator.last - level)
        return torch.lerp(double(halve(x)), x, alpha) if level and alpha < 1 else x

    def draw(self, n: int) -> Tensor:
        """Return n generated images of the size that is worked on."""
        images: Tensor = self.generator(torch.randn(n, self.n_noise, device=self.generator.grown.device))
        return images

    def criticise(self, batch: Batch) -> Terms:
        """Return what the critic descends."""
        x = self.at_size(batch["x"])
        drawn = self.draw(len(x))
        score = self.critic(x)
        return {
            "real": WASSERSTEIN.real(score),
            "fake": WASSERSTEIN.fake(self.critic(drawn)),
            "penalty": self.penalty_weight * gradient_penalty(self.critic, x, drawn),
            "drift": self.drift_weight * score.square().mean(),
        }

    def generate(self, batch: Batch) -> Terms:
        """Return what the generator descends."""
        return {"fool": WASSERSTEIN.fool(self.critic(self.draw(len(batch["x"]))))}
