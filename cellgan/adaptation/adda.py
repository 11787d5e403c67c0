"""Adversarial discriminative domain adaptation (Tzeng et al., 2017).

A source encoder M_s and a head C were trained with labels. A target encoder M_t starts as a copy of M_s; M_s
and C are frozen. A domain discriminator D tells source features from target features, and M_t learns to be
taken for the source, with inverted labels:

    D descends      -E log D(M_s(x_s)) - E log(1 - D(M_t(x_t)))
    M_t descends    -E log D(M_t(x_t))

In the end C(M_t(x_t)) classifies the target.

Departures from the paper
-------------------------
D is shown the head's raw scores C(M(x)), as in the authors' own program (``sees="scores"``), where the text
says features. All others are guards of ours, and each can be switched off (`cellgan.adaptation.config`):

- ``balance``: M_t waits while D cannot tell the domains apart, since what D says then is noise.
- ``r1_weight``: a discriminator whose slope at source features is small (Mescheder et al. 2018).
- ``averaging``: the encoder that is used is a running average of M_t.
- ``anchor_weight``: M_t goes on classifying the source, so that it cannot swap classes, to which D is blind.
- ``pseudo_label_weight``: M_t also learns the labels that its own average gave the target's rows at the last
  look (Lee 2013), after whatever is known of labels beforehand has corrected them.
- M_t and D have learning rates of their own.

References
----------
Lee (2013), Pseudo-label: the simple and efficient semi-supervised learning method. ICML workshop.
Tzeng et al. (2017), Adversarial discriminative domain adaptation. CVPR, arXiv:1702.05464.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cellgan.core.losses import NON_SATURATING, AdversarialLoss, r1
from cellgan.core.player import Adam, Batch, Player, Terms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cellgan.adaptation.config import AdaptConfig

_RAMP = 0.2


@dataclass(frozen=True)
class Adda:
    """The game between a target encoder and a domain discriminator. See the top of this file.

    Mini-batches hold ``source`` and ``target``, ``(n, ...)``; ``label``, of the source rows, where there is
    an anchor; and ``pseudo_label``, of the target rows, where they have a weight.

    Parameters
    ----------
    source_encoder
        From rows to features; a spectator.
    target_encoder
        Of the same kind; it moves.
    averaged
        The running average of the target encoder, which follows it; a spectator.
    head
        From features to raw scores ``(n, n_labels, ...)``; a spectator.
    discriminator
        From what `config.sees` to raw scores, positive for source.
    config
        Learning rates and guards.
    adversary
        The family of losses.
    supervised
        From raw scores and labels to what is descended where there are labels.
    """

    source_encoder: nn.Module
    target_encoder: nn.Module
    averaged: nn.Module
    head: nn.Module
    discriminator: nn.Module
    config: AdaptConfig
    adversary: AdversarialLoss = NON_SATURATING
    supervised: Callable[[Tensor, Tensor], Tensor] = cross_entropy

    @classmethod
    def start(
        cls,
        encoder: nn.Module,
        head: nn.Module,
        discriminator: nn.Module,
        config: AdaptConfig,
        *,
        supervised: Callable[[Tensor, Tensor], Tensor] = cross_entropy,
    ) -> Adda:
        """Return the game whose target encoder is a copy of the source's; nobody's networks are touched."""
        source, target, averaged = (deepcopy(encoder) for _ in range(3))
        head, discriminator = deepcopy(head).eval(), deepcopy(discriminator)
        return cls(source.eval(), target, averaged.eval(), head, discriminator, config, supervised=supervised)

    def players(self) -> tuple[Player, ...]:
        """Return the discriminator, if it has a say, then the target encoder."""
        config = self.config
        steps = config.rounds if config.fading else None
        encoder = Player(
            "target_encoder",
            {"target_encoder": self.target_encoder},
            self.move,
            Adam(lr=config.encoder_lr, decay_steps=steps),
            after_update=self.average,
            forward=self.encode,
        )
        if not config.adversarial_weight:
            return (encoder,)
        discriminator = Player(
            "discriminator",
            {"discriminator": self.discriminator},
            self.discriminate,
            Adam(lr=config.discriminator_lr, decay_steps=steps),
        )
        return discriminator, encoder

    def spectators(self) -> Mapping[str, nn.Module]:
        """Return the source's networks, and the average."""
        return {"source_encoder": self.source_encoder, "head": self.head, "averaged": self.averaged}

    def encode(self, batch: Batch) -> Batch:
        """Encode both domains; both players need it."""
        target = self.target_encoder(batch["target"])
        found = {"target_features": target, "target_seen": self._seen(target)}
        if self.config.adversarial_weight:
            found["source_seen"] = self._seen(self.source_encoder(batch["source"]))
        return found

    def discriminate(self, batch: Batch) -> Terms:
        """Return what the discriminator descends."""
        source, target = batch["source_seen"], batch["target_seen"]
        terms = {
            "source": self.adversary.real(self.discriminator(source)),
            "target": self.adversary.fake(self.discriminator(target)),
        }
        if self.config.r1_weight:
            terms["r1"] = self.config.r1_weight * r1(self.discriminator, source)
        return terms

    def move(self, batch: Batch) -> Terms:
        """Return what the target encoder descends."""
        config, terms = self.config, {}
        if config.adversarial_weight:
            scores = self.discriminator(batch["target_seen"])
            pull = self.pull(self.discriminator(batch["source_seen"]), scores)
            terms["fool"] = config.adversarial_weight * pull * self.adversary.fool(scores)
        if config.anchor_weight:
            kept = self.supervised(self.head(self.target_encoder(batch["source"])), batch["label"])
            terms["anchor"] = config.anchor_weight * kept
        if config.pseudo_label_weight:
            own = self.supervised(self.head(batch["target_features"]), batch["pseudo_label"])
            terms["pseudo-label"] = config.pseudo_label_weight * own
        return terms

    def pull(self, source: Tensor, target: Tensor) -> Tensor:
        """Return how strongly the encoder is pulled, 0 to 1, given the discriminator's raw scores."""
        if not self.config.balance:
            return torch.ones((), device=target.device)
        right = ((source > 0).float().mean() + (target < 0).float().mean()) / 2
        return ((right - self.config.balance) / _RAMP).clamp(0, 1)

    def average(self) -> None:
        """Let the average follow the target encoder."""
        kept = self.config.averaging
        for slow, fast in zip(self.averaged.parameters(), self.target_encoder.parameters(), strict=True):
            slow.lerp_(fast, 1 - kept)
        for held, moving in zip(self.averaged.buffers(), self.target_encoder.buffers(), strict=True):
            held.copy_(moving)

    def _seen(self, features: Tensor) -> Tensor:
        seen: Tensor = self.head(features) if self.config.sees == "scores" else features
        return seen
