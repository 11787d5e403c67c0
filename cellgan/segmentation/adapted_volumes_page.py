"""The page of a segmenter that was carried to another site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.adaptation.adaptation_page import adaptation_page
from cellgan.report import page
from cellgan.report.numbers import decimal, listing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FIGURES = (
    "Here information is 1 / (1 + doubt), and doubt, shown as entropy, that of a case’s probabilities per "
    "voxel of the organ that they hold. Balance is the organ’s size: the geometric mean of its volumes in "
    "the new masks over that in the source’s. Source kept is the soft Dice of source slices."
)
SURE = (
    "The segmenter doubts {times} times as much here as on its own cases. Below {least_times:g} times it "
    "is not adapted, since its own masks have nothing to teach it there; the result is what it would have "
    "been without adaptation. Doubt is no Dice: score some masks by hand before you rely on them."
)
BOTH = (
    "By a criterion that needs no target labels, adapted networks look better than the source’s. It can be "
    "wrong, and the source’s masks are of a likely size, so both decide together: probabilities are "
    "averaged. Score some target masks by hand before you rely on them."
)
LOST = "Before, the segmenter doubted {times} times as much here as on its own cases. It is adapted {where}."


def adapted_volumes_page(
    report: Mapping[str, Any], *, model: str, pictures: Sequence[page.Block] = ()
) -> page.Page:
    """Lay out the report of `cellgan.segmentation.adapt_volumes.AdaptedVolumes`.

    Parameters
    ----------
    report
        The report.
    model
        Name of the source's model.
    pictures
        What it finds, from `cellgan.segmentation.adapted_outlines`.
    """
    doubt = report["doubt"]
    times, least, usual = decimal(doubt["times"]), doubt["least_times"], doubt["usual_times"]
    sure = doubt["times"] < least
    where = f"from {least:g} times on" if least else "anywhere"
    where += "" if least == usual else f" (--least-doubt {least:g}), by default from {usual:g} times on"
    lost = () if sure else (page.Text(LOST.format(times=times, where=where)),)
    reason = BOTH if report["members"] == "both" else ""
    return adaptation_page(
        report,
        title=f"The segmenter “{model}”, carried to {_sites(report['sites'])}",
        subtitle=(
            f"A segmenter of {_sites(report['source_sites'])} ({_cases(report['source'])}), given the images "
            f"of {_cases(report['targets'])}."
        ),
        rows="masks",
        reason=SURE.format(times=times, least_times=least) if sure else reason,
        results=(*pictures, page.Section("What the figures say", (*lost, page.Text(FIGURES)))),
        warnings=report["warnings"],
    )


def _cases(names: list[str]) -> str:
    return f"{len(names)} case{'s' if len(names) > 1 else ''}: {listing(names)}"


def _sites(names: list[str]) -> str:
    """Name sites; those of a table that does not name its site are called that."""
    named = [name for name in names if name != "-"]
    if not named:
        return "a site without a name"
    return f"site{'s' if len(named) > 1 else ''} {listing(named)}"
