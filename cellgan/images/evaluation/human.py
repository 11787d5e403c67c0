"""A blinded sheet for people: of two images, which is the real one.

Each pair has one real and one generated image in an order drawn by a seed. The sheet does not hold the
answer; the key is kept apart. Who cannot tell them is right half the time. The interval is the exact one of
Clopper and Pearson, which covers at least as often as it says. Nobody has judged anything until somebody
did: no figure comes from here without answers.

References
----------
Denton et al. (2015), Deep generative image models using a Laplacian pyramid, section 4.3. Clopper and Pearson
(1934), The use of confidence or fiducial limits illustrated in the case of the binomial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from scipy.stats import beta

from cellgan.core import seeded
from cellgan.errors import InputError
from cellgan.images.drawings import images as drawn
from cellgan.report.page import Figure, Gallery, Page, Section, Text, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

Side = Literal["left", "right"]
_SIDES: tuple[Side, Side] = ("left", "right")


@dataclass(frozen=True)
class Sheet:
    """A page to be judged, and on which side the real image stands in each pair, to be kept apart."""

    page: str
    key: tuple[Side, ...]


@dataclass(frozen=True)
class Judgement:
    """How often the real image was found, of how many, and the 95 % interval of that share."""

    right: int
    n: int
    share: float
    interval: tuple[float, float]

    @property
    def told_apart(self) -> bool:
        """Tell whether chance is outside the interval: the images can be told apart."""
        return not self.interval[0] <= 0.5 <= self.interval[1]


def sheet(real: Tensor, generated: Tensor, *, seed: int) -> Sheet:
    """Lay out pairs for judgement.

    Parameters
    ----------
    real, generated
        Images ``(n, c, h, w)`` from -1 to 1, as many of one as of the other.
    seed
        Of who meets whom, and on which side.

    Raises
    ------
    InputError
        If there are no pairs.
    """
    n = len(real)
    if n == 0 or generated.shape != real.shape:
        msg = (
            f"Real images have shape {tuple(real.shape)}, generated ones {tuple(generated.shape)}; expected "
            "the same, and at least one image."
        )
        raise InputError(msg)
    with seeded(seed):
        real, generated = real[torch.randperm(n)], generated[torch.randperm(n)]
        places = torch.randint(2, (n,)).tolist()
    pairs = [
        torch.stack([g, r] if place else [r, g]) for r, g, place in zip(real, generated, places, strict=True)
    ]
    figures = tuple(
        Figure(drawn(pair, columns=2, alt=f"pair {number}: two images"), f"Pair {number}", "left or right?")
        for number, pair in enumerate(pairs, 1)
    )
    told = Text(
        "One image of each pair is real. Write left or right for each, guessing where you cannot tell."
    )
    page = Page(
        "Which is the real one?",
        "judgement sheet",
        f"{n} pairs. The answers are not on this page.",
        (Section("Pairs", (told, Gallery(figures, size="small"))),),
        f"cellgan · sheet of seed {seed}",
    )
    return Sheet(render(page), tuple(_SIDES[place] for place in places))


def judge(answers: Sequence[Side], key: Sequence[Side]) -> Judgement:
    """Count right answers, with the interval of their share.

    Raises
    ------
    InputError
        If there are not as many answers as pairs, or one is neither left nor right.
    """
    if len(answers) != len(key) or not key or not set(answers) <= set(_SIDES):
        msg = (
            f"There are {len(answers)} answers ({', '.join(sorted(set(answers)))}) to {len(key)} pairs; "
            "expected left or right for each."
        )
        raise InputError(msg)
    right = sum(answer == truth for answer, truth in zip(answers, key, strict=True))
    return Judgement(right, len(key), right / len(key), clopper_pearson(right, len(key)))


def clopper_pearson(right: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a share, `right` of `n`."""
    outside = (1 - level) / 2
    low = 0.0 if right == 0 else float(beta.ppf(outside, right, n - right + 1))
    high = 1.0 if right == n else float(beta.ppf(1 - outside, right + 1, n - right))
    return low, high
