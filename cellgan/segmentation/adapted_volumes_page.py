"""The page of a segmenter that was carried to another site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.adaptation.adaptation_page import adaptation_page
from cellgan.report import page
from cellgan.report.numbers import listing

if TYPE_CHECKING:
    from collections.abc import Mapping

FIGURES = (
    "Here information is 1 / (1 + doubt), and doubt, shown as entropy, that of a case’s probabilities per "
    "voxel of the organ that they hold. Balance is the organ’s size: the geometric mean of its volumes in "
    "the new masks over that in the source’s. Source kept is the soft Dice of source slices."
)
SURE = (
    "The segmenter doubts {times:.2f} times as much here as on its own cases. Below {least_times:g} times it "
    "is not adapted, since its own masks have nothing to teach it there; the result is what it would have "
    "been without adaptation. Doubt is no Dice: score some masks by hand before you rely on them."
)


def adapted_volumes_page(report: Mapping[str, Any]) -> page.Page:
    """Lay out the report of `cellgan.segmentation.adapt_volumes.AdaptedVolumes`."""
    n, doubt = len(report["targets"]), report["doubt"]
    sure = doubt["times"] < doubt["least_times"]
    return adaptation_page(
        report,
        title=f"A segmenter for {listing(report['sites'])}",
        subtitle=f"Given the images of {n} case{'s' if n > 1 else ''}: {listing(report['targets'])}.",
        rows="masks",
        reason=SURE.format(**doubt) if sure else "",
        results=(page.Text(FIGURES),),
    )
