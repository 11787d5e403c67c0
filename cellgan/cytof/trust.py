"""Whether an imputed marker can be believed, in a word, and why.

What can be known of a marker that a batch did not measure:

- *In the source*: how well it is predicted in cells of the batch that measured it, which were held out.
  ``r_source`` is Pearson's r there. More is not to be expected of another batch.
- *Across*: what that comes to in the other batch is not known of this marker, but of the markers that both
  measured and that were held out. The `N_LIKE` of them whose ``r_source`` is nearest show what is lost on the
  way. The median of their losses is taken off ``r_source``, which gives ``r_expected``; the loss that four in
  five of them do not exceed gives ``r_low``.

Where the words change, and why there:

- *Trust* from r = .7 on: the prediction tells half of the differences between cells (r squared). Gates and
  comparisons of populations come out as they do with a measured marker of moderate quality.
- *With care* from r = .5 on: it tells a quarter. Means of large populations are right, single cells are not.
- *Do not trust* below: what is seen in such a marker is mostly what the shared markers say already.
- *Trust* falls to *with care* where ``r_low`` is below .5, and *with care* to *do not trust* where it is
  below .4: where markers like it fared very differently, nothing is known of this one. (Three pairs of real
  batches with 54 held-out markers, each judged as if it were private: of those with *trust*, 12 of 13
  came out at .7 and more and none below .5; without this rule and with five like it, 12 of 16, two below.)
- Of a marker that was to be trusted, but is judged by fewer than `N_LIKE` held-out markers, or by markers
  that were hidden in the other batch alone, *with care* is all that can be said: what the batch that lacks it
  is made of decides how well it does there.
- Of a marker that rests on ``r_source`` alone, since fewer than `LEAST_LIKE` markers were held out, nobody
  knows what is lost between the batches: *with care* is the most it gets. ``cellgan align`` holds none out.
- *Do not trust* where expected values vary less than half as much as in the source: the cells that the marker
  tells apart there are missing here, and what ``r_source`` promises is not to be had.

A marker that was held out has its own r across, so it is judged by that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from cellgan.report.numbers import decimal, listing

if TYPE_CHECKING:
    from collections.abc import Mapping

Level = Literal["trust", "care", "no"]
WORDS: Mapping[str, str] = {"trust": "Trust", "care": "With care", "no": "Do not trust"}
TRUST, CARE = 0.7, 0.5
NARROW = 0.5  # of the spread in the source
WITHIN = 0.3  # less of a correlation within populations is worth a sentence
N_LIKE, LEAST_LIKE = 7, 3
MOST = 0.8  # of the markers like it
LOW = {"trust": CARE, "care": 0.4}  # what these must come to, for the word to stand


@dataclass(frozen=True)
class Trust:
    """How far one marker can be believed.

    Attributes
    ----------
    level
        For programs; people read `WORDS`.
    r_expected
        What the correlation with the truth is expected to be.
    r_low
        What four in five markers like it come to or exceed; NaN where that is not known.
    text
        Why, in a sentence or two.
    like
        The markers it was judged by.
    """

    level: Level
    r_expected: float
    text: str
    r_low: float = float("nan")
    like: tuple[str, ...] = ()


def trust_held_out(marker: str, r: float, r_within: float, *, batch: str) -> Trust:
    """Judge a marker that was held out.

    Parameters
    ----------
    marker
        Its name.
    r
        Correlation of predicted with measured values in the batch that it was hidden in.
    r_within
        The same within populations; NaN where it is not known.
    batch
        Name of that batch.
    """
    text = f"Hidden in {batch}, {marker} was predicted with r {decimal(r)}{_meaning(_level(r))}."
    if _level(r) != "no" and r_within < WITHIN:
        text += (
            f" Within populations r is {decimal(r_within)}: it tells which population a cell belongs to, and "
            "little of how cells of one population differ."
        )
    return Trust(_level(r), r, text)


def trust_private(
    marker: str,
    r_source: float,
    held_out: Mapping[str, tuple[float, float]],
    *,
    source: str,
    tested: bool = True,
    spread: float = float("nan"),
) -> Trust:
    """Judge a marker that one batch did not measure.

    Parameters
    ----------
    marker
        Its name.
    r_source
        How well it is predicted in held-out cells of the batch that measured it.
    held_out
        By name of a marker that was held out: the same, and the correlation in the batch it was hidden in.
    source
        Name of the batch that measured it.
    tested
        Whether markers were hidden in the batch that lacks this one; if they were hidden in the other alone,
        what cells of that batch lack has not been seen.
    spread
        How much expected values vary in the batch that lacks it, against the source; NaN where not known.
    """
    if spread < NARROW and _level(r_source) != "no":
        text = (
            f"Its expected values vary {decimal(spread)} times as much as in {source}: the cells that it "
            "tells apart there are missing."
        )
        return Trust("no", r_source, text)
    if not np.isfinite(r_source):
        return _trust_unknown(marker, held_out)
    within = f"In held-out cells of {source} it is predicted with r {decimal(r_source)}."
    if len(held_out) < LEAST_LIKE:
        level: Level = "no" if _level(r_source) == "no" else "care"
        few = f"only {len(held_out)}" if held_out else "no"
        were = "was" if len(held_out) == 1 else "were"
        text = (
            f"{within} That is all that is known, for {few} shared marker{'' if len(held_out) == 1 else 's'} "
            f"{were} held out: what is lost on the way to another batch is not in it."
        )
        return Trust(level, r_source, text)
    nearest = sorted(held_out, key=lambda name: (abs(held_out[name][0] - r_source), name))[:N_LIKE]
    lost = [max(held_out[name][0] - held_out[name][1], 0.0) for name in nearest]
    r_expected, r_low = (max(r_source - float(np.quantile(lost, share)), 0.0) for share in (0.5, MOST))
    level = _level(r_expected)
    if level == "trust" and r_low < LOW["trust"]:
        level = "care"
    if level == "care" and r_low < LOW["care"]:
        level = "no"
    doubt = ""
    if level == "trust" and (not tested or len(held_out) < N_LIKE):
        level = "care"
        doubt = (
            f" Only {len(held_out)} markers were held out: hold out {N_LIKE} or more to know better."
            if tested
            else " But no marker was hidden in the batch that lacks it: swap the files to see."
        )
    pairs = [
        f"{name} {decimal(held_out[name][0])} → {decimal(held_out[name][1])}" for name in sorted(nearest)
    ]
    text = (
        f"{within} Shared markers like it, there → in the other batch: {listing(pairs)}. "
        f"So r {decimal(r_expected)} is to be expected, and {decimal(r_low)} or more in four cases of five"
        f"{_meaning(level) if not doubt else ''}.{doubt}"
    )
    return Trust(level, r_expected, text, r_low, tuple(nearest))


def _trust_unknown(marker: str, held_out: Mapping[str, tuple[float, float]]) -> Trust:
    """Judge a marker of which nothing is known where it was measured, by the markers that were held out."""
    if not held_out:
        text = f"How well {marker} is predicted is not known with this method: cellgan validate tells."
        return Trust("no", float("nan"), text)
    r_expected = float(np.median([r for _, r in held_out.values()]))
    level: Level = "no" if _level(r_expected) == "no" else "care"
    text = (
        f"How well {marker} is predicted where it was measured is not known with this method. Half of the "
        f"{len(held_out)} held-out markers were predicted with r {decimal(r_expected)} or more."
    )
    return Trust(level, r_expected, text)


def _level(r: float) -> Level:
    return "trust" if r >= TRUST else "care" if r >= CARE else "no"


def _meaning(level: Level) -> str:
    return {
        "trust": "",
        "care": ": populations come out, single cells do not",
        "no": ": too little to say more than the shared markers do",
    }[level]
