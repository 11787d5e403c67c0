"""Drawings for the demos: points in the plane, sheets of images, curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellgan.report.charts import Axis, Curve, curves, frame
from cellgan.report.dots import Cloud, draw
from cellgan.report.palette import AFTER, BEFORE, NOVEL, REFERENCE
from cellgan.report.pictures import sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup
    from torch import Tensor

COLOURS = (REFERENCE, AFTER, BEFORE, NOVEL)
"""Of clouds and curves in their order: real data are grey, what is generated is blue."""

_DOTS = 1000  # of a cloud


def points(clouds: Sequence[Tensor], *, alt: str, span: float = 1.5, pixels: int = 300) -> Markup:
    """Draw clouds of points ``(n, 2)`` over one another, within ±span; the first is grey, the second blue."""
    drawn = draw(
        [Cloud(c[:_DOTS].detach().numpy(), colour) for c, colour in zip(clouds, COLOURS, strict=False)],
        (-span, span),
        (-span, span),
        pixels=pixels,
    )
    return frame(drawn, Axis("", -span, span), Axis("", -span, span), alt=alt)


def images(x: Tensor, *, alt: str, columns: int = 8) -> Markup:
    """Draw images ``(n, c, h, w)`` from -1 to 1, row by row; c is 1 or 3."""
    grey = ((x.detach().clamp(-1, 1) + 1) * 127.5).round().numpy().astype(np.uint8)
    return sheet(grey[:, 0] if grey.shape[1] == 1 else np.moveaxis(grey, 1, -1), columns=columns, alt=alt)


def lines(x: Sequence[float], ys: Mapping[str, Sequence[float]], *, alt: str) -> Markup:
    """Draw curves over one axis, in the order and the colours of `COLOURS`; name them in the caption."""
    return curves(
        [
            Curve(np.asarray(x, dtype=float), np.asarray(y, dtype=float), colour)
            for y, colour in zip(ys.values(), COLOURS, strict=False)
        ],
        alt=alt,
        y_axis=True,
    )
