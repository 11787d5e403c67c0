"""StarGAN: one generator for all directions between several domains (Choi et al., 2018).

The generator is told the domain to go to, c; the discriminator also says which domain an image is of. With
c' the image's own domain and c one drawn at random, the discriminator descends (equations 5, 2, 8)

    E D(G(x, c)) - E D(x) + λ_gp E (‖∇D(x̂)‖ - 1)² + λ_cls E -log D_cls(c' | x)

and, once every `n_critic` of its steps, the generator (equations 6, 3, 4)

    -E D(G(x, c)) + λ_cls E -log D_cls(c | G(x, c)) + λ_rec E |G(G(x, c), c') - x|.

Departures from the paper
-------------------------
- Any networks; a mini-batch's labels say each image's domain; one data set, so no mask vector (section 3.2).

References
----------
Choi et al. (2018), StarGAN: unified generative adversarial networks for multi-domain image-to-image
translation. CVPR, arXiv:1711.09020.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, l1_loss, one_hot

from cellgan.core.losses import WASSERSTEIN, gradient_penalty
from cellgan.core.player import Adam, Batch, Game, OptimizerFactory, Player, Terms
from cellgan.core.weights import refuse_nothing

ADAM = Adam(lr=1e-4, betas=(0.5, 0.999))


@dataclass(frozen=True)
class StarGan(Game):
    """The game between one generator and one discriminator of all domains.

    Mini-batches hold ``x``, images ``(n, c, h, w)``, and ``domain``, integers ``(n,)``, drawn together.

    Parameters
    ----------
    generator
        From images with one more channel a domain, ones for the domain to go to and zeros for the others,
        ``(n, c + n_domains, h, w)``, to images.
    discriminator
        From images to ``(n, 1 + n_domains)``: an unbounded score, then one logit a domain. It may hold no
        batch normalisation.
    n_domains
        How many there are.
    n_critic
        The discriminator's steps a round; the paper's 5 by default.
    class_weight, reconstruction_weight, penalty_weight
        λ_cls, λ_rec and λ_gp; the paper's by default.
    optimizer
        Of both players.
    """

    generator: nn.Module
    discriminator: nn.Module
    n_domains: int
    n_critic: int = 5
    class_weight: float = 1.0
    reconstruction_weight: float = 10.0
    penalty_weight: float = 10.0
    optimizer: OptimizerFactory = ADAM

    def __post_init__(self) -> None:
        """Refuse weights that leave out what the game is about."""
        refuse_nothing(self, "class_weight", "reconstruction_weight", "penalty_weight")

    def players(self) -> tuple[Player, Player]:
        """Return the discriminator, then the generator."""
        judge = {"discriminator": self.discriminator}
        return (
            Player("discriminator", judge, self.discriminate, self.optimizer, updates=self.n_critic),
            Player("generator", {"generator": self.generator}, self.generate, self.optimizer),
        )

    def translate(self, x: Tensor, domain: Tensor) -> Tensor:
        """Return images in another domain each, ``(n,)``."""
        planes = one_hot(domain, self.n_domains).to(x.dtype)[:, :, None, None].expand(-1, -1, *x.shape[2:])
        translated: Tensor = self.generator(torch.cat([x, planes], 1))
        return translated

    def somewhere(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return images in domains drawn at random, and these domains."""
        domain = torch.randint(self.n_domains, (len(x),), device=x.device)
        return self.translate(x, domain), domain

    def judge(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the discriminator's scores ``(n, 1)``, and its logits of the domains."""
        raw = self.discriminator(x)
        return raw[:, :1], raw[:, 1:]

    def discriminate(self, batch: Batch) -> Terms:
        """Return what the discriminator descends."""
        x = batch["x"]
        translated, _ = self.somewhere(x)
        score, logits = self.judge(x)
        return {
            "real": WASSERSTEIN.real(score),
            "fake": WASSERSTEIN.fake(self.judge(translated)[0]),
            "penalty": self.penalty_weight * gradient_penalty(lambda y: self.judge(y)[0], x, translated),
            "class": self.class_weight * cross_entropy(logits, batch["domain"]),
        }

    def generate(self, batch: Batch) -> Terms:
        """Return what the generator descends."""
        x = batch["x"]
        translated, domain = self.somewhere(x)
        score, logits = self.judge(translated)
        back = self.translate(translated, batch["domain"])
        return {
            "fool": WASSERSTEIN.fool(score),
            "class": self.class_weight * cross_entropy(logits, domain),
            "reconstruction": self.reconstruction_weight * l1_loss(back, x),
        }
