"""Small images side by side, as one PNG whose pixels stay pixels."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from cellgan.report.palette import RULE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GAP = 1  # pixels between images


def sheet(images: NDArray[np.uint8], *, columns: int, alt: str) -> Markup:
    """Draw images in rows, edge to edge but for one pixel.

    Parameters
    ----------
    images
        ``(n, h, w)``, or ``(n, h, w, 3)`` in colour.
    columns
        Images in a row.
    alt
        What is to be seen, for those who cannot see it.

    Returns
    -------
    An SVG element that fills the width it is given; the same images give the same text.
    """
    from PIL import Image

    n, h, w = images.shape[:3]
    rows = -(-n // columns)
    ground = [int(RULE[i : i + 2], 16) for i in (1, 3, 5)] if images.ndim == 4 else [0xDA]
    height, width = rows * (h + _GAP) - _GAP, columns * (w + _GAP) - _GAP
    canvas = np.empty((height, width, len(ground)), np.uint8)
    canvas[:] = ground
    for number in range(n):
        top, left = number // columns * (h + _GAP), number % columns * (w + _GAP)
        canvas[top : top + h, left : left + w] = images[number].reshape(h, w, -1)
    png = io.BytesIO()
    Image.fromarray(canvas.squeeze(-1) if len(ground) == 1 else canvas).save(png, "png", optimize=True)
    uri = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
    return Markup(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}"><image href="{}" width="{}" height="{}" '
        'style="image-rendering:pixelated"/></svg>'
    ).format(width, height, alt, uri, width, height)
