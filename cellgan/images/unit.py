"""UNIT: two domains, one latent space (Liu et al., 2017).

Encoders end, and generators begin, in layers that both domains share, so that one code z stands for the same
thing in both. With q(z|x) = N(E(x), 1), z drawn from it, reconstructions G_a(z_a), translations
ab = G_b(z_a), and their codes z_ab drawn from q(z|ab), encoders and generators descend (equations 3-6), for a
and alike for b,

    λ1 KL(q(z_a|a) ‖ N(0, 1)) + λ2 E |G_a(z_a) - a|                              L_VAE
    - λ0 E log D_b(ab)                                                           L_GAN
    + λ3 KL(q(z_a|a) ‖ N(0, 1)) + λ3 KL(q(z_ab|ab) ‖ N(0, 1)) + λ4 E |G_a(z_ab) - a|    L_CC

and the discriminators -E log D_b(b) - E log(1 - D_b(ab)). Only translated images are judged, as in the paper.

Departures from the paper
-------------------------
- λ0 = 10, λ1 = λ3 = 0.1 and λ2 = λ4 = 100 are the paper's; the absolute distance (a Laplacian likelihood) is
  the mean over pixels, the KL the sum over the code, so that their balance depends on sizes.
- What is shared is given as two networks; weights of layers that are each domain's own are not tied.
- Any networks can be given.

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

from cellgan.core.losses import NON_SATURATING, AdversarialLoss, Gaussian, cycle
from cellgan.core.player import ADAM, Batch, Game, OptimizerFactory, Player, Terms
from cellgan.core.weights import refuse_nothing

if TYPE_CHECKING:
    from collections.abc import Mapping

Domain = Literal["a", "b"]
_CODES = (("code_a", 2.0), ("code_b", 2.0), ("code_ab", 1.0), ("code_ba", 1.0))


@dataclass(frozen=True)
class Unit(Game):
    """The game of both autoencoders against both discriminators; mini-batches hold ``a`` and ``b``.

    Parameters
    ----------
    encoders
        Each domain's own first layers, ``{"a": ..., "b": ...}``: from data to ``(n, n_hidden)``.
    to_code
        The layers that both encoders end in: from ``(n, n_hidden)`` to the code's mean ``(n, n_latent)``.
    from_code
        The layers that both generators begin with: from the code to ``(n, n_hidden)``.
    generators
        Each domain's own last layers: from ``(n, n_hidden)`` to data.
    discriminators
        From data to raw scores ``(n, 1)``.
    adversary_weight
        λ0.
    kl_weight
        λ1 = λ3.
    likelihood_weight
        λ2 = λ4.
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
        mean = self.to_code(self.encoders[domain](x))
        return Gaussian(mean, torch.zeros_like(mean))

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
        loss, d_a, d_b = self.adversary, self.discriminators["a"], self.discriminators["b"]
        return {
            "real": loss.real(d_a(batch["a"])) + loss.real(d_b(batch["b"])),
            "fake": loss.fake(d_a(batch["ba"])) + loss.fake(d_b(batch["ab"])),
        }

    def translate(self, batch: Batch) -> Terms:
        """Return what encoders and generators descend."""
        loss, d_a, d_b = self.adversary, self.discriminators["a"], self.discriminators["b"]
        # The KL of an image's own code is in L_VAE and in L_CC.
        kl = torch.stack([n * _kl(batch[code]) for code, n in _CODES]).sum()
        own = l1_loss(batch["aa"], batch["a"]) + l1_loss(batch["bb"], batch["b"])
        return {
            "fool": self.adversary_weight * (loss.fool(d_a(batch["ba"])) + loss.fool(d_b(batch["ab"]))),
            "kl": self.kl_weight * kl,
            "reconstruction": self.likelihood_weight * own,
            "cycle": self.likelihood_weight * cycle(batch),
        }


def _kl(mean: Tensor) -> Tensor:
    return Gaussian(mean, torch.zeros_like(mean)).kl()
