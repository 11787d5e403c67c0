"""MAGAN, the manifold-aligning GAN between two batches or panels (Amodio and Krishnaswamy, 2018).

With generators G12, G21 and discriminators D1, D2, and x12 = G12(x1), x121 = G21(x12) (the other direction
alike), the generators descend, all with weight 1 (section II):

    L_r = MSE(x1, x121)              reconstruction
    L_d = -E log D2(x12)             fooling the other domain's discriminator
    L_c = correspondence             between x1 and x12: see `SharedMarkers` and `LabelledPairs`

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
  overflows nowhere. They score each cell by itself: no batch normalisation, no minibatch discrimination.
- Sizes "depended on the dataset" in the paper: `magan_for_cells` says which it takes. It has neither the
  paper's dropout nor its minibatch discrimination, as the released code has neither. Any other networks can
  be given.
- Labelled pairs count by their mean where the paper has a sum, so that the term's weight does not depend on
  their number.
- Adam's first beta is 0.5 (the paper names the learning rate alone, 0.001). Batch size and number of rounds
  are the caller's; the paper has 256 and 100,000.
- Both discriminators move in one turn, then both generators, on the same mini-batch and the same mapped
  cells.
- Other adversarial losses, and a weight for R1 (`slope_weight`), can be asked for; the paper has neither.

References
----------
Amodio and Krishnaswamy (2018), MAGAN: aligning biological manifolds. ICML, arXiv:1803.00385.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from cellgan.core.losses import NON_SATURATING, AdversarialLoss, r1
from cellgan.core.nets import mlp, residual_mlp
from cellgan.core.player import Adam, Batch, OptimizerFactory, Player, Terms
from cellgan.core.randomness import seeded
from cellgan.cytof.magan_correspondence import Correspondence, LabelledPairs, SharedMarkers
from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Correspondence", "LabelledPairs", "Magan", "SharedMarkers", "magan_for_cells"]

ADAM = Adam(lr=1e-3)


@dataclass(frozen=True)
class Magan:
    """The game between two generators and two discriminators. See the top of this file.

    Mini-batches hold ``a``, ``(n, n_markers_a)``, and ``b``, ``(n, n_markers_b)``.

    Parameters
    ----------
    generator_ab
        From ``(n, n_markers_a)`` to ``(n, n_markers_b)``.
    generator_ba
        And back.
    discriminator_a
        From ``(n, n_markers_a)`` to raw scores ``(n, 1)``.
    discriminator_b
        The same in b.
    correspondence
        What is known about who belongs to whom; nothing makes this a plain cycle of two GANs.
    correspondence_weight
        Weight of that term.
    reconstruction_weight
        Weight of the cycle's term.
    slope_weight
        Weight of R1, the discriminators' slope at real cells, which calms discriminators that win. The paper
        has none.
    reconstructions
        What discriminators take cycled cells for: the paper shows them as ``"real"``; ``"unseen"`` leaves
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

    def spectators(self) -> Mapping[str, nn.Module]:
        """Return nobody."""
        return {}

    def translate(self, batch: Batch) -> Batch:
        """Map both ways and back again; both players need all four."""
        ab, ba = self.generator_ab(batch["a"]), self.generator_ba(batch["b"])
        return {"ab": ab, "ba": ba, "aba": self.generator_ba(ab), "bab": self.generator_ab(ba)}

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
        cycled = mse_loss(batch["aba"], batch["a"]) + mse_loss(batch["bab"], batch["b"])
        terms = {
            "fool": loss.fool(self.discriminator_b(batch["ab"]))
            + loss.fool(self.discriminator_a(batch["ba"])),
            "reconstruction": self.reconstruction_weight * cycled,
        }
        if self.correspondence is not None:
            known = self.correspondence(batch, self.generator_ab, self.generator_ba)
            terms["correspondence"] = self.correspondence_weight * known
        return terms


def _scores(discriminator: nn.Module, groups: Sequence[Tensor]) -> Sequence[Tensor]:
    """Score several groups of cells in one go, which is faster."""
    scores: Tensor = discriminator(torch.cat(tuple(groups)))
    return torch.split(scores, [len(group) for group in groups])


def magan_for_cells(
    n_a: int,
    n_b: int,
    *,
    seed: int,
    correspondence: Correspondence | None = None,
    correspondence_weight: float = 1.0,
    generators: Literal["residual", "plain"] = "plain",
    hidden: Sequence[int] = (128, 128),
) -> Magan:
    """Return the game with networks that suit standardised cells.

    Parameters
    ----------
    n_a
        Markers of a.
    n_b
        Markers of b.
    seed
        Of the networks' first weights.
    correspondence
        What is known about who belongs to whom.
    correspondence_weight
        Weight of that term.
    generators
        ``"residual"`` generators start as the identity; they need equally many markers, in the same order.
    hidden
        Hidden widths, the same for generators and discriminators.

    Raises
    ------
    ConfigError
        If residual generators are asked for between different panels.
    """
    if generators == "residual" and n_a != n_b:
        msg = (
            f"Residual generators add to their input: both sides need the same markers; got {n_a} and {n_b}."
        )
        raise ConfigError(msg)
    with seeded(seed), torch.enable_grad():
        if generators == "residual":
            ab, ba = residual_mlp(n_a, hidden=hidden), residual_mlp(n_b, hidden=hidden)
        else:
            ab, ba = mlp(n_a, n_b, hidden=hidden), mlp(n_b, n_a, hidden=hidden)
        return Magan(
            generator_ab=ab,
            generator_ba=ba,
            discriminator_a=mlp(n_a, 1, hidden=hidden),
            discriminator_b=mlp(n_b, 1, hidden=hidden),
            correspondence=correspondence,
            correspondence_weight=correspondence_weight,
        )
