"""What the scores of some masks come to, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cellgan.report.numbers import decimal, listing
from cellgan.segmentation.compare import interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellgan.report.page import Tone
    from cellgan.segmentation.evaluation import Evaluation

GOOD, FAILED, POOR = 0.8, 0.6, 0.6
FEWEST = 3  # cases
MANY = 0.25  # share of cases that fail, from which on it is no accident
RULE = (
    f"The verdict. Good: mean Dice of {decimal(GOOD)} and more, and no case below {decimal(FAILED)}. Do not "
    f"use: a mean below {decimal(POOR)}, or a quarter of the cases below {decimal(FAILED)}. What a purpose "
    "needs may be more, or less: look at the outlines."
)


@dataclass(frozen=True)
class Verdict:
    """A level, a few words, and a sentence or two."""

    tone: Tone
    headline: str
    text: str


def dice_by_case(found: Evaluation) -> dict[str, float]:
    """Return each case's Dice, the mean over its labels."""
    by_case: dict[str, list[float]] = {}
    for row in found.cases:
        by_case.setdefault(row.case, []).append(row.scores["dice"])
    return {case: float(np.mean(values)) for case, values in by_case.items()}


def verdict_of(found: Evaluation) -> Verdict:
    """Say what the scores come to."""
    dice = dice_by_case(found)
    values = np.array(list(dice.values()))
    failed = sorted((case for case in dice if dice[case] < FAILED), key=lambda case: dice[case])
    mean, few = float(values.mean()), len(failed) < MANY * len(values)
    if len(values) < FEWEST:
        tone, headline = "neutral", "Too few cases for a verdict"
    elif mean < POOR or not few:
        tone, headline = "poor", "Do not use masks like these"
    elif mean < GOOD or failed:
        tone, headline = "caution", "Look closer before you use masks like these"
    else:
        tone, headline = "good", "Good: the masks agree with the truth"
    parts = [_mean(values), *_failed(failed, dice), *_sites(found), *_trust(found, dice)]
    return Verdict(tone, headline, " ".join(parts))  # type: ignore[arg-type]


def _mean(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    if len(values) < 2:
        return f"The one case has a Dice of {decimal(float(values[0]))}."
    low, high = interval(values, seed=0)
    return (
        f"Mean Dice {decimal(float(values.mean()))} over {len(values)} cases (95 % interval {decimal(low)} "
        f"to {decimal(high)}), median {decimal(float(np.median(values)))}, worst "
        f"{decimal(float(values.min()))}."
    )


def _failed(failed: list[str], dice: Mapping[str, float]) -> list[str]:
    if not failed:
        return []
    names = listing([f"{case} ({decimal(dice[case])})" for case in failed], limit=4)
    return [f"Below {decimal(FAILED)}: {names}."]


def _sites(found: Evaluation) -> list[str]:
    rows = [row for row in found.sites if row.site != "all" and row.label == 1]
    if len(rows) < 2:
        return []
    order = sorted(rows, key=lambda row: row.mean["dice"])
    low, high = (f"{decimal(row.mean['dice'])} ({row.site})" for row in (order[0], order[-1]))
    return [f"By site it goes from {low} to {high}."]


def _trust(found: Evaluation, dice: Mapping[str, float]) -> list[str]:
    if not found.familiarity:
        return []
    doubted = [dice[case] for case, one in found.familiarity.items() if not one.trusted]
    others = [dice[case] for case, one in found.familiarity.items() if one.trusted]
    if not doubted:
        return ["The model found no case unlike those of its training."]
    were = "case was" if len(doubted) == 1 else "cases were"
    mean = decimal(float(np.mean(doubted)))
    rest = f"; the others {decimal(float(np.mean(others)))}" if others else ""
    return [f"{len(doubted)} {were} flagged by the model as unlike its training (mean Dice {mean}{rest})."]
