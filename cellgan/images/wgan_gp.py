"""The Wasserstein GAN with gradient penalty (Gulrajani et al., 2017).

Algorithm 1: the critic f takes `n_critic` steps, each on fresh data and noise, down

    E f(G(z)) - E f(x) + λ E (‖∇f(x̂)‖ - 1)²,    x̂ on lines between x and G(z),

then the generator takes one down -E f(G(z)). While the critic is at its best, `gap` = E f(x) - E f(G(z)) is
the earth mover's distance between data and generated.

Departures from the paper
-------------------------
None in the game: λ = 10, five critic steps, Adam with learning rate 1e-4 and betas (0, 0.9).

References
----------
Gulrajani et al. (2017), Improved training of Wasserstein GANs. NeurIPS, arXiv:1704.00028.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cellgan.core.losses import WASSERSTEIN, gradient_penalty
from cellgan.core.player import Adam, Batch, Game, OptimizerFactory, Player, Terms
from cellgan.core.weights import refuse_nothing

ADAM = Adam(lr=1e-4, betas=(0.0, 0.9))


@dataclass(frozen=True)
class WganGp(Game):
    """The game between one generator and one critic; mini-batches hold ``x``, ``(n, ...)``.

    Parameters
    ----------
    generator
        From noise ``(n, n_noise)`` to data ``(n, ...)``.
    critic
        From data to unbounded scores ``(n, 1)``, each of its own row alone: it may hold no batch
        normalisation.
    n_noise
        Length of the noise.
    n_critic
        The critic's steps a round.
    penalty_weight
        λ.
    optimizer
        Of both players.
    """

    generator: nn.Module
    critic: nn.Module
    n_noise: int
    n_critic: int = 5
    penalty_weight: float = 10.0
    optimizer: OptimizerFactory = ADAM

    def __post_init__(self) -> None:
        """Refuse a critic whose slope has no bound."""
        refuse_nothing(self, "penalty_weight")

    def players(self) -> tuple[Player, Player]:
        """Return the critic, then the generator."""
        return (
            Player("critic", {"critic": self.critic}, self.criticise, self.optimizer, updates=self.n_critic),
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
        generated = self.draw(x)
        return {
            "real": WASSERSTEIN.real(self.critic(x)),
            "fake": WASSERSTEIN.fake(self.critic(generated)),
            "penalty": self.penalty_weight * gradient_penalty(self.critic, x, generated),
        }

    def generate(self, batch: Batch) -> Terms:
        """Return what the generator descends."""
        return {"fool": WASSERSTEIN.fool(self.critic(self.draw(batch["x"])))}
