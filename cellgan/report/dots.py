"""Clouds of dots, too many to draw one by one in a page: a PNG, edge to edge, as a data URI."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PIXELS = 740  # twice the 370 units that a frame gives them: sharp on a phone's and a laptop's screen
DPI = 144
DOT, DOT_MOST = 8.0, 24.0  # area in points squared, as matplotlib measures it: the fewer dots, the larger
MANY = 1500
COLOURS = 32  # enough for a few hues and their soft edges, and a quarter of the bytes


@dataclass(frozen=True)
class Cloud:
    """Points of one colour, shape ``(n, 2)``; of those without opacity 1, some show through others."""

    points: NDArray[np.floating]
    colour: str
    opacity: float = 0.6


@dataclass(frozen=True)
class Contours:
    """A density on a grid, and the heights whose outlines are drawn.

    ``density`` has shape ``(len(y), len(x))``; ``heights`` rise.
    """

    x: NDArray[np.floating]
    y: NDArray[np.floating]
    density: NDArray[np.floating]
    heights: tuple[float, ...]
    colour: str


def draw(
    clouds: Sequence[Cloud],
    x_span: tuple[float, float],
    y_span: tuple[float, float],
    *,
    pixels: int = PIXELS,
    outline: Contours | None = None,
) -> str:
    """Draw clouds on white; their points are shuffled, so that none hides the others.

    Parameters
    ----------
    clouds
        Points by colour.
    x_span, y_span
        The intervals that the picture's edges stand for.
    pixels
        Width and height of the picture.
    outline
        Drawn over the dots.

    Returns
    -------
    A ``data:image/png`` URI; the same clouds give the same bytes.
    """
    # A figure of its own, without pyplot: no window system, no state shared with the user's figures.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import to_rgba
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=(pixels / DPI, pixels / DPI), dpi=DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    points = np.concatenate([cloud.points for cloud in clouds])
    colours = np.concatenate([np.tile(to_rgba(c.colour, c.opacity), (len(c.points), 1)) for c in clouds])
    order = np.random.default_rng(0).permutation(len(points))
    size = min(DOT_MOST, max(DOT, DOT * MANY / len(points)))
    axes.scatter(points[order, 0], points[order, 1], s=size, c=colours[order], linewidths=0, marker="o")
    if outline is not None:
        axes.contour(
            outline.x,
            outline.y,
            outline.density,
            levels=list(outline.heights),
            colors=[outline.colour],
            linewidths=1.1,
        )
    axes.set_xlim(*x_span)
    axes.set_ylim(*y_span)
    canvas.draw()  # type: ignore[no-untyped-call]
    drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    picture = Image.fromarray(np.ascontiguousarray(drawn[..., :3]))
    png = io.BytesIO()
    # Written here, not by matplotlib, which would add its version: nothing but dots is in the file.
    few = picture.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    # The brightest of the few colours is the ground, off white by a hair: see-through, it is the page's own.
    ground = int(np.reshape(few.getpalette() or [], (-1, 3)).sum(axis=1).argmax())
    few.save(png, "png", optimize=True, transparency=ground)
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
