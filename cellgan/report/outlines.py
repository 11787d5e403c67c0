"""A grey picture with the outlines of regions drawn over it."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WIDTH = 240.0


@dataclass(frozen=True)
class Region:
    """A region of a picture, ``(h, w)``, and the colour of its outline."""

    inside: NDArray[np.bool_]
    colour: str


def outlined(
    image: NDArray[np.uint8], regions: Sequence[Region], *, pixel: tuple[float, float], alt: str
) -> Markup:
    """Draw outlines over a grey picture.

    Parameters
    ----------
    image
        ``(h, w)``: the first row is on top.
    regions
        Each as large as the picture; the last lies on top. Outlines run half-way between pixels
        within and outside.
    pixel
        Height and width of a pixel, in any unit: pixels need not be square.
    alt
        What is to be seen, for those who cannot see it.

    Returns
    -------
    An SVG element, 240 units wide, that fills the width it is given.
    """
    from PIL import Image

    png = io.BytesIO()
    Image.fromarray(image).save(png, "png", optimize=True)
    uri = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
    h, w = image.shape
    across = WIDTH / w
    down = across * pixel[0] / pixel[1]
    parts = [
        Markup('<svg viewBox="0 0 {:.1f} {:.1f}" role="img" aria-label="{}">').format(WIDTH, down * h, alt),
        Markup('<image href="{}" width="{:.1f}" height="{:.1f}" preserveAspectRatio="none"/>').format(
            uri, WIDTH, down * h
        ),
    ]
    for region in regions:
        path = "".join(_path(line, across, down) for line in outline(region.inside))
        shape = Markup('<path d="{}" fill="none" stroke="{}" stroke-width="1.6" stroke-linejoin="round"/>')
        parts.append(shape.format(path, region.colour))
    return Markup("").join(parts) + Markup("</svg>")


def outline(inside: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Return the outlines of a region as closed lines ``(n, 2)`` of columns and rows, in pixels."""
    from matplotlib.figure import Figure

    padded = np.pad(inside, 1).astype(float)
    if not inside.any():
        return []
    drawn = Figure().subplots().contour(padded, levels=[0.5])
    return [np.asarray(line) - 1 for line in drawn.allsegs[0]]


def _path(line: NDArray[np.float64], across: float, down: float) -> str:
    # A pixel's centre lies half a pixel from its edge.
    return "M" + "L".join(f"{(x + 0.5) * across:.1f},{(y + 0.5) * down:.1f}" for x, y in line) + "Z"
