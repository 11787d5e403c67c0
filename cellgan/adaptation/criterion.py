"""Which encoder to keep, told without a single target label.

Of each candidate two things are measured:

- *information*: what a prediction tells about a target row, H(mean p) - mean H(p), divided by log K (Bridle
  et al. 1992). It is high where each row's prediction p is certain (low entropy) and all together use the
  classes evenly (balance); a collapse onto few classes lowers it, and so does doubt. From 0 to 1.
- *source kept*: the share of source rows that the candidate still classifies right. An encoder that swaps
  classes may be as informative as before, but it loses the source.

The candidate with the most information is chosen among those that keep the source's accuracy within a
tolerance; the source encoder is a candidate, so nothing is kept that looks worse than no adaptation.

What they cannot see: a wrong encoder that is certain, balanced, and right on the source.
docs/adapt_measured.md shows how often the choice was right.

References
----------
Bridle et al. (1992), Unsupervised classifiers, mutual information and "phantom targets". NIPS.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


@dataclass(frozen=True)
class Look:
    """What is known of a candidate without target labels.

    Attributes
    ----------
    round
        When it was looked at; 0 is the source encoder.
    information
        Of target predictions, 0 to 1.
    entropy
        Mean entropy of target predictions over log K, 0 (certain) to 1.
    balance
        Entropy of the mean target prediction over log K, 0 (one class) to 1 (all alike).
    source_kept
        Share of source rows classified right.
    """

    round: int
    information: float
    entropy: float
    balance: float
    source_kept: float


def entropy(p: Tensor) -> Tensor:
    """Return the entropy of each row of probabilities ``(n, n_labels)`` over log K, ``(n,)``."""
    return -(p * p.clamp(min=1e-9).log()).sum(1) / math.log(p.shape[1])


def look(number: int, p: Tensor, *, source_kept: float) -> Look:
    """Return what probabilities of target rows, ``(n, n_labels)``, tell about a candidate."""
    doubt = float(entropy(p).mean())
    balance = float(entropy(p.mean(0, keepdim=True)))
    return Look(number, balance - doubt, doubt, balance, source_kept)


def choose(looks: Sequence[Look], *, tolerance: float) -> int:
    """Return the place of the candidate to keep.

    Parameters
    ----------
    looks
        The source encoder's first.
    tolerance
        Source accuracy that may be lost.

    Raises
    ------
    InputError
        There is no candidate.
    """
    if not looks:
        msg = "there is no candidate to choose among; expected at least the source encoder"
        raise InputError(msg)
    floor = looks[0].source_kept - tolerance
    able = [k for k, each in enumerate(looks) if k == 0 or each.source_kept >= floor]
    return max(able, key=lambda k: (looks[k].information, -k))


def right(p: Tensor, labels: Tensor) -> float:
    """Return the share of rows whose most probable label, of ``(n, n_labels)``, is theirs, ``(n,)``."""
    return float((p.argmax(1) == labels.to(p.device)).float().mean())
