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
    "the new masks over that in the source’s; a candidate whose size is further from 1 than the source "
    "model’s is not plausible, and not taken. Source kept is the soft Dice of source slices."
)


def adapted_volumes_page(report: Mapping[str, Any]) -> page.Page:
    """Lay out the report of `cellgan.segmentation.adapt_volumes.AdaptedVolumes`."""
    n = len(report["targets"])
    return adaptation_page(
        report,
        title=f"A segmenter for {listing(report['sites'])}",
        subtitle=f"Adapted to the images of {n} case{'s' if n > 1 else ''}: {listing(report['targets'])}.",
        rows="masks",
        results=(page.Text(FIGURES),),
    )
