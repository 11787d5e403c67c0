"""UNIT: two domains, one latent space, where a code stands for one thing in both (Liu et al., 2017).

Encoders end, and generators begin, in layers that both domains share. With z_x from q(z|x) = N(E(x), 1), aa =
G_a(z_a), ab = G_b(z_a) and aba = G_a(z_ab), both descend (equations 3-6), for a and alike for b, the sum of

    L_VAE = λ1 KL(q(z|a) ‖ N(0, 1)) + λ2 E |aa - a|,    L_GAN = -λ0 E log D_b(ab)
    L_CC = λ3 KL(q(z|a) ‖ N(0, 1)) + λ3 KL(q(z|ab) ‖ N(0, 1)) + λ4 E |aba - a|

and the discriminators -E log D_b(b) - E log(1 - D_b(ab)). Only translated images are judged, as in the paper.

Departures from the paper
-------------------------
- The absolute distance (a Laplacian likelihood) is the mean over pixels, the KL the sum over the code.
- Any networks can be given, what is shared as two of them; layers of each domain's own are not tied.

References
----------
Liu et al. (2017), Unsupervised image-to-image translation networks. NeurIPS, arXiv:1703.00848.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from cellgan.core.losses import NON_SATURATING, AdversarialLoss, Gaussian, cycle, fool_both, tell_apart
from cellgan.core.player import ADAM, Batch, Game, OptimizerFactory, Player, Terms
from cellgan.core.weights import refuse_nothing

if TYPE_CHECKING:
    from collections.abc import Mapping

Domain = Literal["a", "b"]
_CODES = (("code_a", 2.0), ("code_b", 2.0), ("code_ab", 1.0), ("code_ba", 1.0))  # the first are in L_VAE too


@dataclass(frozen=True)
class Unit(Game):
    """The game of both autoencoders against both discriminators; mini-batches hold ``a`` and ``b``.

    Parameters
    ----------
    encoders, generators
        Each domain's own layers, ``{"a": ..., "b": ...}``: from data to ``(n, n_hidden)``, and back.
    to_code, from_code
        The layers of both: from ``(n, n_hidden)`` to the code's mean ``(n, n_latent)``, and back.
    discriminators
        Each domain's own: from data to raw scores ``(n, 1)``.
    adversary_weight, kl_weight, likelihood_weight
        λ0; λ1 = λ3; λ2 = λ4. The defaults are the paper's.
    adversary
        The family of adversarial losses.
    optimizer
        Of both players.
    """

    encoders: Mapping[Domain, nn.Module]
    to_code: nn.Module
    from_code: nn.Module
    generators: Mapping[Domain, nn.Module]
    discriminators: Mapping[Domain, nn.Module]
    adversary_weight: float = 10.0
    kl_weight: float = 0.1
    likelihood_weight: float = 100.0
    adversary: AdversarialLoss = NON_SATURATING
    optimizer: OptimizerFactory = ADAM

    def __post_init__(self) -> None:
        """Refuse a term that does nothing."""
        refuse_nothing(self, "adversary_weight", "kl_weight", "likelihood_weight")

    def players(self) -> tuple[Player, Player]:
        """Return the discriminators, then both autoencoders."""
        judges = {f"discriminator_{name}": network for name, network in self.discriminators.items()}
        movers = {"to_code": self.to_code, "from_code": self.from_code}
        movers |= {f"encoder_{name}": network for name, network in self.encoders.items()}
        movers |= {f"generator_{name}": network for name, network in self.generators.items()}
        return (
            Player("discriminators", judges, self.discriminate, self.optimizer),
            Player("autoencoders", movers, self.translate, self.optimizer, forward=self.show),
        )

    def encode(self, domain: Domain, x: Tensor) -> Gaussian:
        """Return q(z|x), of variance 1."""
        return Gaussian.around(self.to_code(self.encoders[domain](x)))

    def decode(self, domain: Domain, z: Tensor) -> Tensor:
        """Return data of a domain, of a code from either."""
        x: Tensor = self.generators[domain](self.from_code(z))
        return x

    def show(self, batch: Batch) -> Batch:
        """Encode, reconstruct, translate, and translate back: ``code_ab`` is the mean of q(z|ab)."""
        q_a, q_b = self.encode("a", batch["a"]), self.encode("b", batch["b"])
        z_a, z_b = q_a.draw(), q_b.draw()
        ab, ba = self.decode("b", z_a), self.decode("a", z_b)
        q_ab, q_ba = self.encode("b", ab), self.encode("a", ba)
        shown = {"aa": self.decode("a", z_a), "bb": self.decode("b", z_b), "ab": ab, "ba": ba}
        shown |= {"aba": self.decode("a", q_ab.draw()), "bab": self.decode("b", q_ba.draw())}
        return shown | {"code_a": q_a.mean, "code_b": q_b.mean, "code_ab": q_ab.mean, "code_ba": q_ba.mean}

    def discriminate(self, batch: Batch) -> Terms:
        """Return what the discriminators descend."""
        return tell_apart(batch, self.discriminators["a"], self.discriminators["b"], self.adversary)

    def translate(self, batch: Batch) -> Terms:
        """Return what encoders and generators descend."""
        d = self.discriminators
        kl = torch.stack([n * Gaussian.around(batch[code]).kl() for code, n in _CODES]).sum()
        apart = l1_loss(batch["aa"], batch["a"]) + l1_loss(batch["bb"], batch["b"])
        return {
            "fool": self.adversary_weight * fool_both(batch, d["a"], d["b"], self.adversary),
            "kl": self.kl_weight * kl,
            "reconstruction": self.likelihood_weight * apart,
            "cycle": self.likelihood_weight * cycle(batch),
        }
