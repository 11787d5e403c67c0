"""What a segmenter is trained with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from cellgan.errors import ConfigError
from cellgan.seeds import check_seed

Loss = Literal["cross-entropy", "adversarial", "hybrid", "dice"]
Pieces = Literal["as-trained", "all"]  # that are kept in a mask
Precision = Literal["float32", "bfloat16"]  # those of the core, which would load torch


@dataclass(frozen=True)
class SegmentConfig:
    """Settings of one training.

    Parameters
    ----------
    loss
        What the segmenter descends. ``"cross-entropy"``, ``"adversarial"`` and ``"hybrid"`` are those of Kohl
        et al. (2017); ``"dice"`` is soft Dice plus cross-entropy. See `cellgan.segmentation.game`.
    adversarial_weight
        Weight of L_S in ``"hybrid"``; 1 in the paper.
    steps
        Rounds of the game, one mini-batch each.
    learning_rate
        Of the segmenter at the start (Adam); it falls to nothing over the steps. Few steps want more.
    slices
        Slices a mini-batch.
    size
        Pixels along each side of a slice on the training grid, a multiple of 16.
    pixel
        Their distance in mm; None takes one at which all training masks are well within the grid.
    neighbours
        Slices on either side that are further channels.
    width
        Channels of the U-Net at full size; the lowest of its five levels has 16 times as many.
    members
        U-Nets that are trained side by side, from different first weights, and decide together: their
        probabilities are averaged. Time and size of the model grow with them.
    precision
        ``"bfloat16"`` computes in mixed precision, which processors that have it do in less time.
    seed
        Of the first weights, the mini-batches and the augmentation.

    Raises
    ------
    ConfigError
        If a setting makes no sense.
    """

    loss: Loss = "dice"
    adversarial_weight: float = 0.01
    steps: int = 1500
    learning_rate: float = 1.5e-3
    slices: int = 12
    size: int = 96
    pixel: float | None = None
    neighbours: int = 1
    width: int = 8
    members: int = 2
    precision: Precision = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        for name, choices in (("loss", get_args(Loss)), ("precision", get_args(Precision))):
            if getattr(self, name) not in choices:
                msg = f"{name} is {getattr(self, name)!r}; expected one of {', '.join(choices)}"
                raise ConfigError(msg)
        for name in ("steps", "slices", "size", "neighbours", "width", "members"):
            least = {"size": 32, "neighbours": 0}.get(name, 1)
            if getattr(self, name) < least:
                msg = f"{name} is {getattr(self, name)}; expected at least {least}"
                raise ConfigError(msg)
        check_seed(self.seed)
        for name in ("adversarial_weight", "learning_rate"):
            if not 0 < getattr(self, name) < math.inf:
                usual = getattr(SegmentConfig, name)
                msg = f"{name} is {getattr(self, name)}; expected more than 0, such as {usual}"
                raise ConfigError(msg)
        if self.size % 16:
            msg = f"size is {self.size}; expected a multiple of 16, such as {self.size // 16 * 16 + 16}"
            raise ConfigError(msg)
        if self.pixel is not None and not 0 < self.pixel < 100:
            msg = f"pixel is {self.pixel}; expected a distance in mm above 0, such as 1.25"
            raise ConfigError(msg)
