"""What an adaptation is played with: the paper's settings, and the guards that make it dependable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from cellgan.errors import ConfigError
from cellgan.seeds import check_seed

Seen = Literal["scores", "features"]


@dataclass(frozen=True)
class AdaptConfig:
    """Settings of one adaptation. `PUBLISHED` has every guard switched off.

    Parameters
    ----------
    rounds
        Rounds of the game.
    size
        Source rows, and as many target rows, of a mini-batch.
    encoder_lr
        Learning rate of the target encoder.
    discriminator_lr
        Learning rate of the domain discriminator.
    sees
        What the discriminator is shown: the head's raw scores, as in the authors' program, or the features
        themselves, as in the paper's text.
    balance
        The encoder waits while the discriminator tells fewer than this share of a mini-batch right; its pull
        grows to full strength over the next fifth. 0.5 is guessing, 0 switches the guard off.
    r1_weight
        Weight of the discriminator's slope at source features (Mescheder et al. 2018); 0 leaves it out.
    averaging
        The encoder that is used in the end is a running average of the one that plays: this share of it is
        kept each round. 0 uses the one that plays.
    adversarial_weight
        Weight of the discriminator's pull; 0 plays without a discriminator.
    anchor_weight
        Weight of the source's own labels under the target encoder, which keeps classes from being swapped; 0
        leaves it out.
    pseudo_label_weight
        Weight of the labels that the averaged encoder gave the target's rows at the last look (Lee 2013),
        which mini-batches then hold; 0 leaves them out.
    fading
        Whether learning rates fall in a straight line to nothing over the rounds.
    checkpoints
        How often the encoder is looked at, evenly over the rounds. Among these looks and the source encoder
        one is chosen without target labels. 0 takes the last.
    tolerance
        Source accuracy that a chosen encoder may lose.
    seed
        Of the discriminator's first weights, the mini-batches and the augmentation.

    Raises
    ------
    ConfigError
        If a setting makes no sense.
    """

    rounds: int = 1000
    size: int = 64
    encoder_lr: float = 2e-4
    discriminator_lr: float = 5e-4
    sees: Seen = "scores"
    balance: float = 0.5
    r1_weight: float = 0.1
    averaging: float = 0.98
    adversarial_weight: float = 1.0
    anchor_weight: float = 0.0
    pseudo_label_weight: float = 0.0
    fading: bool = False
    checkpoints: int = 5
    tolerance: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be played."""
        if self.sees not in get_args(Seen):
            msg = f"sees is {self.sees!r}; expected one of {', '.join(get_args(Seen))}"
            raise ConfigError(msg)
        for name, least in (("rounds", 1), ("size", 2), ("checkpoints", 0)):
            if getattr(self, name) < least:
                msg = f"{name} is {getattr(self, name)}; expected at least {least}"
                raise ConfigError(msg)
        if self.checkpoints > self.rounds:
            msg = f"checkpoints is {self.checkpoints}; expected at most one a round, of which {self.rounds}"
            raise ConfigError(msg)
        check_seed(self.seed)
        for name in ("encoder_lr", "discriminator_lr"):
            if not 0 < getattr(self, name) < 1:
                msg = f"{name} is {getattr(self, name)}; expected more than 0 and less than 1, such as 0.0001"
                raise ConfigError(msg)
        for name in ("balance", "averaging", "tolerance"):
            if not 0 <= getattr(self, name) < 1:
                msg = f"{name} is {getattr(self, name)}; expected at least 0 and less than 1"
                raise ConfigError(msg)
        for name in ("r1_weight", "adversarial_weight", "anchor_weight", "pseudo_label_weight"):
            if not 0 <= getattr(self, name) < float("inf"):
                msg = f"{name} is {getattr(self, name)}; expected 0 or more"
                raise ConfigError(msg)
        if not self.adversarial_weight + self.anchor_weight + self.pseudo_label_weight:
            msg = (
                "adversarial_weight, anchor_weight and pseudo_label_weight are 0; expected something to learn"
            )
            raise ConfigError(msg)


PUBLISHED = AdaptConfig(
    rounds=2000,
    size=128,
    encoder_lr=2e-4,
    discriminator_lr=2e-4,
    balance=0.0,
    r1_weight=0.0,
    averaging=0.0,
    checkpoints=0,
)
"""The authors' settings but for the rounds, of which their script plays 10,000."""
