"""Segmenter against discriminator (Kohl et al., 2017).

A segmenter S gives each pixel of an image x the probabilities of the labels; a discriminator D tells the
expert's maps y, one-hot, from S(x). The paper's objective is that of GANs (Goodfellow et al. 2014),

    min_S max_D  E log D(y) + E log(1 - D(S(x))),

and three trainings are compared:

    "cross-entropy"   S descends L_mce, the multi-class cross-entropy; there is no discriminator
    "adversarial"     S descends L_S = -E log D(S(x)), D descends L_D = -E log D(y) - E log(1 - D(S(x)))
    "hybrid"          S descends L_mce / 2 + w L_S, D descends L_D; w is 1 in the paper

A fourth is the usual baseline of later years: ``"dice"`` is soft Dice plus L_mce (Isensee et al. 2021).

Departures from the paper
-------------------------
The paper's full text was not to be had when this was written: what follows is measured against its abstract,
and the objective and the weights of its losses as they are reported elsewhere.

- L_S is the non-saturating form; whether the paper took it is not known.
- D sees the image beside the map and scores neighbourhoods, each by itself (Isola et al. 2017); its loss is
  the mean over them. The paper's discriminator is not known.
- S is a U-Net of 8 to 128 channels on slices of 96 x 96 pixels, with the slices above and below as further
  channels, for training without a GPU; the paper's is larger. There are two, whose probabilities are
  averaged: each descends its own losses, and D judges the maps of both.
- Learning rates and Adam's betas, the number of steps and the augmentation are ours.
- D moves before S, on the same mini-batch and the same maps.
- An expert's map is certain, and a network's never quite: D would need no more than that. So D sees the
  expert as sure as S is, at least .9 (Luc et al. 2016, section 3, "scaling"); `certainty` 1 gives the
  paper's maps.

References
----------
Kohl et al. (2017), Adversarial networks for the detection of aggressive prostate cancer. arXiv:1702.08014.
Luc et al. (2016), Semantic segmentation using adversarial networks. arXiv:1611.08408.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from cellgan.core.losses import NON_SATURATING, AdversarialLoss, soft_dice
from cellgan.core.nets import Committee, patch_discriminator
from cellgan.core.player import Adam, Batch, Game, OptimizerFactory, Player, Terms
from cellgan.core.randomness import seeded
from cellgan.errors import ConfigError
from cellgan.segmentation.config import SegmentConfig

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SEGMENTER = "segmenter"
LEARNER = Adam(lr=SegmentConfig.learning_rate, betas=(0.9, 0.999))
JUDGE = Adam(lr=5e-4)
_RARE = 1e-3


@dataclass(frozen=True)
class Supervised(Game):
    """A segmenter that plays alone. Mini-batches are those of `AdversarialSegmentation`.

    Parameters
    ----------
    segmenter
        From ``(n, n_channels, h, w)`` to raw scores ``(n, n_labels, h, w)``. Each member learns by itself.
    dice_weight
        Weight of soft Dice beside the cross-entropy.
    optimizer
        Of the segmenter.
    """

    segmenter: Committee
    dice_weight: float = 0.0
    optimizer: OptimizerFactory = LEARNER

    def players(self) -> tuple[Player]:
        """Return the segmenter."""
        return (Player(SEGMENTER, {SEGMENTER: self.segmenter}, self.segment, self.optimizer),)

    def segment(self, batch: Batch) -> Terms:
        """Return what the segmenter descends."""
        scores, mask = [one.float() for one in self.segmenter.each(batch["image"])], batch["mask"]
        terms = {"cross-entropy": _mean(cross_entropy(one, mask) for one in scores)}
        if self.dice_weight:
            terms["dice"] = self.dice_weight * _mean(missed_overlap(one, mask) for one in scores)
        return terms


@dataclass(frozen=True)
class AdversarialSegmentation(Game):
    """The game between a segmenter and a discriminator. See the top of this file.

    Mini-batches hold ``image``, ``(n, n_channels, h, w)``, and ``mask``, labels ``(n, h, w)``.

    Parameters
    ----------
    segmenter
        From ``(n, n_channels, h, w)`` to raw scores ``(n, n_labels, h, w)``. Each member learns by itself.
    discriminator
        From image and map, ``(n, n_channels + n_labels, h, w)``, to raw scores of any shape.
    cross_entropy_weight
        Weight of L_mce: 0 is the adversarial training, 1/2 the hybrid.
    adversarial_weight
        Weight of L_S.
    certainty
        The least probability that an expert's label has in the discriminator's eyes.
    adversary
        The family of adversarial losses.
    optimizer
        Of the segmenter.
    discriminator_optimizer
        Of the discriminator.
    """

    segmenter: Committee
    discriminator: nn.Module
    cross_entropy_weight: float = 0.5
    adversarial_weight: float = 1.0
    certainty: float = 0.9
    adversary: AdversarialLoss = NON_SATURATING
    optimizer: OptimizerFactory = LEARNER
    discriminator_optimizer: OptimizerFactory = JUDGE

    def __post_init__(self) -> None:
        """Refuse a cross-entropy that is ascended, and experts who are wrong."""
        if self.cross_entropy_weight < 0:
            msg = f"cross_entropy_weight is {self.cross_entropy_weight}; expected 0 (adversarial) or more"
            raise ConfigError(msg)
        if not self.adversarial_weight > 0:
            msg = f"adversarial_weight is {self.adversarial_weight}; expected more than 0"
            raise ConfigError(msg)
        if not 0.5 < self.certainty <= 1:
            msg = f"certainty is {self.certainty}; expected more than 0.5, and at most 1"
            raise ConfigError(msg)

    def players(self) -> tuple[Player, Player]:
        """Return the discriminator, then the segmenter."""
        return (
            Player(
                "discriminator",
                {"discriminator": self.discriminator},
                self.discriminate,
                self.discriminator_optimizer,
            ),
            Player(SEGMENTER, {SEGMENTER: self.segmenter}, self.segment, self.optimizer, forward=self.maps),
        )

    def maps(self, batch: Batch) -> Batch:
        """Segment, once by each member, one after the other; both players need it."""
        return {"scores": torch.cat(self.segmenter.each(batch["image"])).float()}

    def judge(self, batch: Batch, labels: Tensor) -> Tensor:
        """Return the discriminator's raw scores of the members' maps beside their images."""
        image = _for_each(batch["image"], labels)
        scores: Tensor = self.discriminator(torch.cat([image, labels], 1)).float()
        return scores

    def discriminate(self, batch: Batch) -> Terms:
        """Return what the discriminator descends, L_D."""
        maps = batch["scores"].softmax(1)
        labels = _for_each(expert(batch["mask"], maps.shape[1]), maps)
        return {
            "real": self.adversary.real(self.judge(batch, as_sure_as(labels, maps, least=self.certainty))),
            "fake": self.adversary.fake(self.judge(batch, maps)),
        }

    def segment(self, batch: Batch) -> Terms:
        """Return what the segmenter descends, L_S and its share of L_mce."""
        scores = batch["scores"]
        fool = self.adversary.fool(self.judge(batch, scores.softmax(1)))
        terms = {"fool": self.adversarial_weight * fool}
        if self.cross_entropy_weight:
            mask = _for_each(batch["mask"], scores)
            terms["cross-entropy"] = self.cross_entropy_weight * cross_entropy(scores, mask)
        return terms


def expert(mask: Tensor, n_labels: int) -> Tensor:
    """Return labels ``(n, h, w)`` as a map that is certain of them, ``(n, n_labels, h, w)``."""
    return one_hot(mask, n_labels).movedim(-1, 1).float()


def missed_overlap(scores: Tensor, labels: Tensor) -> Tensor:
    """Return 1 less the soft Dice of raw scores ``(n, n_labels, h, w)`` with labels ``(n, h, w)``."""
    return soft_dice(scores.softmax(1), expert(labels, scores.shape[1]))


def _mean(terms: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(terms)).mean()


def _for_each(rows: Tensor, maps: Tensor) -> Tensor:
    """Return the rows of a mini-batch once for each member whose maps there are."""
    return rows.repeat(len(maps) // len(rows), *[1] * (rows.dim() - 1))


def as_sure_as(labels: Tensor, maps: Tensor, *, least: float) -> Tensor:
    """Return an expert's map that is no surer than another map, but at least so sure.

    Parameters
    ----------
    labels
        The expert's map, one-hot, ``(n, n_labels, h, w)``.
    maps
        Probabilities of the same shape. The expert's label gets its probability p of them, or `least` if that
        is more; the others keep their shares of the rest.
    least
        1 returns the labels.
    """
    own = (maps * labels).sum(1, keepdim=True)
    sure = own.clamp(min=least)
    rest = maps * (1 - labels)
    return labels * sure + rest * (1 - sure) / (1 - own).clamp(min=1e-6)


def segmenter(config: SegmentConfig, n_channels: int, n_labels: int) -> Committee:
    """Return the network that all the trainings share."""
    return Committee(n_channels, n_labels, width=config.width, members=config.members)


def game_of(
    config: SegmentConfig, *, n_channels: int, n_labels: int, shares: Sequence[float] | None = None
) -> Supervised | AdversarialSegmentation:
    """Return the game that a training plays, its first weights drawn from the seed.

    Parameters
    ----------
    config
        The loss, the seed, the size of the networks, and the steps over which learning rates fall to nothing.
    n_channels
        Channels of a mini-batch's images, neighbours included.
    n_labels
        Labels with the background.
    shares
        Of the pixels, by label: what the segmenter believes before it has seen anything (Lin et al. 2017,
        Focal loss, section 4.1). To believe that all labels are alike takes a hundred rounds to forget.
    """
    learner = replace(LEARNER, lr=config.learning_rate, decay_steps=config.steps)
    with seeded(config.seed), torch.enable_grad():
        network = segmenter(config, n_channels, n_labels)
        if shares is not None:
            for last in network.head:
                last.bias = nn.Parameter(torch.tensor(shares).clamp(min=_RARE).log())
        if config.loss in {"cross-entropy", "dice"}:
            return Supervised(
                network,
                dice_weight=float(config.loss == "dice"),
                optimizer=learner,
            )
        return AdversarialSegmentation(
            network,
            patch_discriminator(n_channels + n_labels),
            cross_entropy_weight=0.5 if config.loss == "hybrid" else 0.0,
            adversarial_weight=config.adversarial_weight if config.loss == "hybrid" else 1.0,
            optimizer=learner,
            discriminator_optimizer=replace(JUDGE, decay_steps=config.steps),
        )
