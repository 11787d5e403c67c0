"""What a segmenter finds in a new site's cases before and after it was adapted, as outlines on slices."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cellgan.report import page
from cellgan.report.charts import swatch
from cellgan.report.numbers import decimal
from cellgan.segmentation.overlays import BLUE, ORANGE, draw_slices
from cellgan.segmentation.prediction import predict

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cellgan.adaptation.adaptation import Progress
    from cellgan.segmentation.cases import ImageCase
    from cellgan.segmentation.model import SegmentationModel

MOST = 4  # cases
BEFORE, AFTER = BLUE, ORANGE
_MIDDLE = (1 / 2,)
CHANGED = (
    "The organ’s middle slice, from below, in the cases whose masks changed most; and how much both masks "
    "agree (Dice). Which of them is right, only a look at the image tells."
)
UNCHANGED = "The organ’s middle slice, from below, in the first cases, with what the model finds there."


def draw_changes(
    before: SegmentationModel,
    after: SegmentationModel,
    targets: Sequence[ImageCase],
    *,
    progress: Progress,
) -> page.Section:
    """Draw the cases whose masks changed most; where none could, the first ones.

    Parameters
    ----------
    before, after
        The source's model, and the one that is kept, which may be the same.
    targets
        The new site's cases.
    progress
        Called with a stage and the part of it that is done.

    Raises
    ------
    InputError
        An image cannot be used.
    """
    adapted = after is not before
    colours = (BEFORE, AFTER) if adapted else (BEFORE,)
    drawn = []
    cases = targets if adapted else targets[:MOST]
    for number, case in enumerate(cases):
        progress(f"drawing {case.name}", number / len(cases))
        found = [predict(model, case.images) for model in (before, after)[: len(colours)]]
        volume = found[0].volume
        masks = [replace(volume, data=one.mask) for one in found]
        (middle,) = draw_slices(
            volume, list(zip(masks, colours, strict=True)), places=_MIDDLE, case=case.name
        )
        same = agreement(masks[0].data, masks[-1].data)
        caption = f"slice {middle.number} of {middle.of}" + (f", Dice {decimal(same)}" if adapted else "")
        site = f", site {case.site}" if len({each.site for each in targets}) > 1 else ""
        flag = "" if any(middle.filled) else "nothing found"
        drawn.append((same, page.Figure(middle.drawing, f"{case.name}{site}", caption, flag)))
    drawn.sort(key=lambda pair: pair[0])
    names = ("the source’s model", "the new one") if adapted else ("the model",)
    legend = tuple((swatch(colour, "line"), name) for colour, name in zip(colours, names, strict=True))
    return page.Section(
        "What it finds",
        (
            page.Text(CHANGED if adapted else UNCHANGED),
            page.Legend(legend),
            page.Gallery(tuple(figure for _, figure in drawn[:MOST]), "halves"),
        ),
    )


def agreement(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Return the Dice of two masks over all labels: 1 where they are the same, empty ones too."""
    held = int((a > 0).sum()) + int((b > 0).sum())
    return 2 * int(((a == b) & (a > 0)).sum()) / held if held else 1.0
