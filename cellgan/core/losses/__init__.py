"""Losses: pure functions of tensors, one family a file, each with its equation and paper."""

from cellgan.core.losses.adversarial import AdversarialLoss
from cellgan.core.losses.cycle import cycle, there_and_back
from cellgan.core.losses.gaussian import Gaussian
from cellgan.core.losses.hinge import HINGE
from cellgan.core.losses.least_squares import LEAST_SQUARES
from cellgan.core.losses.mmd import median_distance, squared_mmd
from cellgan.core.losses.non_saturating import NON_SATURATING
from cellgan.core.losses.overlap import soft_dice
from cellgan.core.losses.r1 import r1
from cellgan.core.losses.saturating import SATURATING
from cellgan.core.losses.two_domains import fool_both, tell_apart
from cellgan.core.losses.wasserstein import WASSERSTEIN, clip_, gradient_penalty

__all__ = [
    "HINGE",
    "LEAST_SQUARES",
    "NON_SATURATING",
    "SATURATING",
    "WASSERSTEIN",
    "AdversarialLoss",
    "Gaussian",
    "clip_",
    "cycle",
    "fool_both",
    "gradient_penalty",
    "median_distance",
    "r1",
    "soft_dice",
    "squared_mmd",
    "tell_apart",
    "there_and_back",
]
