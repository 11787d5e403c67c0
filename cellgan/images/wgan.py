"""The Wasserstein GAN with clipped weights (Arjovsky et al., 2017).

Algorithm 1: the critic f takes `n_critic` steps, each on fresh data and noise, up

    E f(x) - E f(G(z)),    then w ← clip(w, -c, c),

and then the generator takes one up E f(G(z)). Clipping keeps f's slope below some K, and f's gap, at its
best, is K times the earth mover's distance: it has a slope where data and generated do not overlap, but no
unit.

Departures from the paper
-------------------------
- Adam without momentum (β₁ = 0), which is RMSProp but for its first steps.
- c and the learning rate are settings; in the paper c = 0.01 and the rate is 5e-5.

References
----------
Arjovsky, Chintala and Bottou (2017), Wasserstein generative adversarial networks. ICML, arXiv:1701.07875.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cellgan.core.losses import WASSERSTEIN, clip_
from cellgan.core.player import Adam, Batch, Game, OptimizerFactory, Player, Terms
from cellgan.core.weights import refuse_nothing

ADAM = Adam(lr=5e-5, betas=(0.0, 0.99))


@dataclass(frozen=True)
class Wgan(Game):
    """The game between one generator and one critic; mini-batches hold ``x``, ``(n, ...)``.

    Parameters
    ----------
    generator
        From noise ``(n, n_noise)`` to data ``(n, ...)``.
    critic
        From data to unbounded scores ``(n, 1)``.
    n_noise
        Length of the noise.
    n_critic
        The critic's steps a round.
    clip
        c, the bound of its weights.
    optimizer
        Of both players.
    """

    generator: nn.Module
    critic: nn.Module
    n_noise: int
    n_critic: int = 5
    clip: float = 0.01
    optimizer: OptimizerFactory = ADAM

    def __post_init__(self) -> None:
        """Refuse a critic whose weights can only be nothing."""
        refuse_nothing(self, "clip")

    def players(self) -> tuple[Player, Player]:
        """Return the critic, then the generator."""
        return (
            Player(
                "critic",
                {"critic": self.critic},
                self.criticise,
                self.optimizer,
                updates=self.n_critic,
                after_update=self.clip_critic,
            ),
            Player("generator", {"generator": self.generator}, self.generate, self.optimizer),
        )

    def draw(self, like: Tensor) -> Tensor:
        """Return as much generated data as there is of `like`, from fresh noise."""
        generated: Tensor = self.generator(torch.randn(len(like), self.n_noise, device=like.device))
        return generated

    def gap(self, x: Tensor, generated: Tensor) -> Tensor:
        """Return E f(x) - E f(generated)."""
        return -WASSERSTEIN.real(self.critic(x)) - WASSERSTEIN.fake(self.critic(generated))

    def criticise(self, batch: Batch) -> Terms:
        """Return what the critic descends."""
        x = batch["x"]
        return {
            "real": WASSERSTEIN.real(self.critic(x)),
            "fake": WASSERSTEIN.fake(self.critic(self.draw(x))),
        }

    def clip_critic(self) -> None:
        """Keep the critic's weights within bounds."""
        clip_(self.critic.parameters(), self.clip)

    def generate(self, batch: Batch) -> Terms:
        """Return what the generator descends."""
        return {"fool": WASSERSTEIN.fool(self.critic(self.draw(batch["x"])))}
