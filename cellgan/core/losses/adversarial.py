"""What every family of adversarial losses has: three functions of raw scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

ScoreLoss = Callable[[Tensor], Tensor]
"""From raw scores ``(n, 1)`` to a scalar."""


@dataclass(frozen=True)
class AdversarialLoss:
    """A family of losses; a discriminator descends ``real + fake``, a generator ``fool``.

    Parameters
    ----------
    real
        From the scores of real data.
    fake
        From the scores of generated data.
    fool
        From the scores of generated data, for whom generated them.
    """

    real: ScoreLoss
    fake: ScoreLoss
    fool: ScoreLoss
