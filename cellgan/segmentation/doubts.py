"""How much a segmenter doubts at a new site, against what it does at home, and what is to be said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cellgan.report.numbers import decimal, listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellgan.adaptation.criterion import Look

LEAST_DOUBT = 2.0  # times that at home; docs/adapt_measured.md tells how it was found
LEAST_AT_HOME = 0.7  # soft Dice; four models that were trained with the defaults are at .90 to .93

SITES = (
    "The cases are of {n} sites, {names}, and their doubt is taken together: a site where the segmenter is "
    "sure hides one where it is not. Give the cases of one site at a time."
)
UNSURE_AT_HOME = (
    "The segmenter is bad on its own cases: its soft Dice there is {dice}, less than {least}. What it doubts "
    "here is held against what it doubts there, so the verdict says little. Train it for longer first."
)
UNGUARDED = (
    "The segmenter doubts only {times} times as much here as on its own cases. By default the game is played "
    "from {usual:g} times on; it was played since --least-doubt is {least:g}. Where a segmenter is sure, its "
    "own masks have little to teach it, and mostly strengthen its mistakes."
)


class Doubts(NamedTuple):
    """How much the source's model doubts at home and at the target, and from which ratio on it is adapted."""

    home: float
    target: float
    least_times: float

    @property
    def times(self) -> float:
        """How many times as much as at home it doubts at the target."""
        return self.target / max(self.home, 1e-9)

    @property
    def enough(self) -> bool:
        """Whether the game is played."""
        return self.times >= self.least_times


def doubt_warnings(doubts: Doubts, first: Look, sites: Sequence[str]) -> list[str]:
    """Say what makes the doubt tell less than it seems to.

    Parameters
    ----------
    doubts
        Of the source's model.
    first
        What is known of it.
    sites
        Those of the target's cases.
    """
    found = []
    if len(sites) > 1:
        found.append(SITES.format(n=len(sites), names=listing(list(sites))))
    if first.source_kept < LEAST_AT_HOME:
        found.append(UNSURE_AT_HOME.format(dice=decimal(first.source_kept), least=decimal(LEAST_AT_HOME, 1)))
    if doubts.enough and doubts.times < LEAST_DOUBT:
        found.append(
            UNGUARDED.format(times=decimal(doubts.times), usual=LEAST_DOUBT, least=doubts.least_times)
        )
    return found
