"""MAGAN, the manifold-aligning GAN between two domains (Amodio and Krishnaswamy, 2018).

With generators G12, G21 and discriminators D1, D2, and x12 = G12(x1), x121 = G21(x12) (the other direction
alike), the generators descend, all with weight 1 (section II):

    L_r = MSE(x1, x121)              reconstruction
    L_d = -E log D2(x12)             fooling the other domain's discriminator
    L_c = correspondence             between x1 and x12: see `LabelledPairs`

and the discriminators

    L_D1 = -E log D1(x1) - E log D1(x121) - E log(1 - D1(x21)).

Here a is 1 and b is 2.

Departures from the paper
-------------------------
- The printed L_D1 has a sign error ("-E[log D1(x1) - log D1(x121)]"). The text of section II-C says what is
  meant: reconstructions are shown as real. That is the default here, being the published method; the authors'
  released code left it out in 2020, which ``reconstructions="unseen"`` does and which saves a sixth of the
  arithmetic.
- Discriminators return raw scores and take the logarithm of their sigmoid in one step, which is the same and
  overflows nowhere. They score each row by itself: no batch normalisation, no minibatch discrimination.
- Sizes "depended on the dataset" in the paper: any networks can be given.
- Labelled pairs count by their mean where the paper has a sum, so that the term's weight does not depend on
  their number.
- Adam's first beta is 0.5 (the paper names the learning rate alone, 0.001). Batch size and number of rounds
  are the caller's; the paper has 256 and 100,000.
- Both discriminators move in one turn, then both generators, on the same mini-batch and the same mapped
  rows.
- Other adversarial losses, and a weight for R1 (`slope_weight`), can be asked for; the paper has neither.

References
----------
Amodio and Krishnaswamy (2018), MAGAN: aligning biological manifolds. ICML, arXiv:1803.00385.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from cellgan.core.losses import NON_SATURATING, AdversarialLoss, cycle, r1, there_and_back
from cellgan.core.player import Adam, Batch, Game, OptimizerFactory, Player, Terms
from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

ADAM = Adam(lr=1e-3)

Map = Callable[[Tensor], Tensor]


class Correspondence(Protocol):
    """What is known about who belongs to whom."""

    def __call__(self, batch: Batch, generator_ab: Map, generator_ba: Map) -> Tensor:
        """Return a scalar that is small where the maps agree with what is known.

        `batch` holds ``a``, ``b`` and, already mapped, ``ab``, ``ba``. The generators are there to map other
        rows.
        """
        ...


@dataclass(frozen=True)
class LabelledPairs:
    """Pairs of rows that correspond: MSE(G12(x1i), x2j) + MSE(G21(x2j), x1i) over these (section II-D).

    Parameters
    ----------
    a
        Rows of a, ``(n_pairs, ...)``, on the match's device.
    b
        Their counterparts in b.
    """

    a: Tensor
    b: Tensor

    def __post_init__(self) -> None:
        """Refuse pairs without a partner."""
        if not len(self.a) or len(self.a) != len(self.b):
            msg = f"Labelled pairs need equally many rows of both; got {len(self.a)} and {len(self.b)}."
            raise ConfigError(msg)

    def __call__(self, batch: Batch, generator_ab: Map, generator_ba: Map) -> Tensor:  # noqa: ARG002
        """Return how far the maps miss the partners."""
        return mse_loss(generator_ab(self.a), self.b) + mse_loss(generator_ba(self.b), self.a)


@dataclass(frozen=True)
class Magan(Game):
    """The game between two generators and two discriminators. See the top of this file.

    Mini-batches hold ``a`` and ``b``, ``(n, ...)``.

    Parameters
    ----------
    generator_ab
        From a to b.
    generator_ba
        And back.
    discriminator_a
        From a to raw scores ``(n, 1)``.
    discriminator_b
        The same in b.
    correspondence
        What is known about who belongs to whom; nothing makes this a plain cycle of two GANs.
    correspondence_weight
        Weight of that term.
    reconstruction_weight
        Weight of the cycle's term.
    slope_weight
        Weight of R1, the discriminators' slope at real data, which calms discriminators that win. The paper
        has none.
    reconstructions
        What discriminators take cycled data for: the paper shows them as ``"real"``; ``"unseen"`` leaves
        them out.
    adversary
        The family of adversarial losses.
    optimizer
        Of both players.
    """

    generator_ab: nn.Module
    generator_ba: nn.Module
    discriminator_a: nn.Module
    discriminator_b: nn.Module
    correspondence: Correspondence | None = None
    correspondence_weight: float = 1.0
    reconstruction_weight: float = 1.0
    slope_weight: float = 0.0
    reconstructions: Literal["real", "unseen"] = "real"
    adversary: AdversarialLoss = NON_SATURATING
    optimizer: OptimizerFactory = ADAM

    def __post_init__(self) -> None:
        """Refuse terms that do nothing."""
        for name in ("correspondence_weight", "reconstruction_weight"):
            if not getattr(self, name) > 0:
                msg = f"{name}={getattr(self, name)} must be more than 0. For no correspondence, give none."
                raise ConfigError(msg)
        if self.slope_weight < 0:
            msg = f"slope_weight={self.slope_weight} must be 0 or more: a slope is paid for, not rewarded."
            raise ConfigError(msg)

    def players(self) -> tuple[Player, Player]:
        """Return the discriminators, then the generators."""
        return (
            Player(
                "discriminators",
                {"discriminator_a": self.discriminator_a, "discriminator_b": self.discriminator_b},
                self.discriminate,
                self.optimizer,
            ),
            Player(
                "generators",
                {"generator_ab": self.generator_ab, "generator_ba": self.generator_ba},
                self.generate,
                self.optimizer,
                forward=self.translate,
            ),
        )

    def translate(self, batch: Batch) -> Batch:
        """Map both ways and back again; both players need all four."""
        return there_and_back(batch, self.generator_ab, self.generator_ba)

    def discriminate(self, batch: Batch) -> Terms:
        """Return what the discriminators descend, L_D1 + L_D2."""
        loss, shown = self.adversary, self.reconstructions == "real"
        in_a, in_b = (("a", "ba", "aba"), ("b", "ab", "bab")) if shown else (("a", "ba"), ("b", "ab"))
        real_a, fake_a, *cycled_a = _scores(self.discriminator_a, [batch[name] for name in in_a])
        real_b, fake_b, *cycled_b = _scores(self.discriminator_b, [batch[name] for name in in_b])
        terms = {
            "real": loss.real(real_a) + loss.real(real_b),
            "fake": loss.fake(fake_a) + loss.fake(fake_b),
        }
        if shown:
            terms["reconstructed"] = loss.real(*cycled_a) + loss.real(*cycled_b)
        if self.slope_weight:
            slopes = r1(self.discriminator_a, batch["a"]) + r1(self.discriminator_b, batch["b"])
            terms["slope"] = self.slope_weight * slopes
        return terms

    def generate(self, batch: Batch) -> Terms:
        """Return what the generators descend, L_G1 + L_G2."""
        loss = self.adversary
        terms = {
            "fool": loss.fool(self.discriminator_b(batch["ab"]))
            + loss.fool(self.discriminator_a(batch["ba"])),
            "reconstruction": self.reconstruction_weight * cycle(batch, mse_loss),
        }
        if self.correspondence is not None:
            known = self.correspondence(batch, self.generator_ab, self.generator_ba)
            terms["correspondence"] = self.correspondence_weight * known
        return terms


def _scores(discriminator: nn.Module, groups: Sequence[Tensor]) -> Sequence[Tensor]:
    """Score several groups of rows in one go, which is faster."""
    scores: Tensor = discriminator(torch.cat(tuple(groups)))
    return torch.split(scores, [len(group) for group in groups])
