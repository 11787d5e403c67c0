"""Drawings as SVG text: axes, curves, and frames around dots.

No fonts, ids or dates go in, so bytes repeat. Words are set by the reader's browser in the page's type, so
that any script can be shown; every word is escaped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from markupsafe import Markup

from cellgan.report.palette import FAINT, INK, RULE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Style = Literal["area", "line", "dashed"]
Swatch = Literal["area", "line", "dashed", "dot", "ring", "contour"]


@dataclass(frozen=True)
class Range:
    """An interval of values, and where it lies on the drawing."""

    low: float
    high: float
    start: float
    end: float

    def place(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """Turn values into positions."""
        share = (np.asarray(values, dtype=float) - self.low) / ((self.high - self.low) or 1.0)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int) -> list[float]:
        """Choose up to ``most`` round values within the interval: steps of 1, 2 or 5 times a power of ten."""
        width = self.high - self.low
        if not width > 0:
            return [self.low]
        power = 10.0 ** np.floor(np.log10(width / most))
        step = next(s * power for s in (1, 2, 5, 10, 20) if width / (s * power) <= most)
        first, last = int(np.ceil(self.low / step - 1e-9)), int(np.floor(self.high / step + 1e-9))
        return [round(i * step, 12) for i in range(first, last + 1)]


@dataclass(frozen=True)
class Curve:
    """A line, a dashed line or a filled area through points."""

    x: NDArray[np.floating]
    y: NDArray[np.floating]
    colour: str
    style: Style = "line"


def curves(lines: Sequence[Curve], *, alt: str, y_axis: bool = False) -> Markup:
    """Draw curves over one another; the first lies lowest.

    Parameters
    ----------
    lines
        At least one curve with at least one point.
    alt
        What the drawing shows, for those who cannot see it.
    y_axis
        Whether heights have numbers; without, the axis starts at zero and is not drawn.

    Returns
    -------
    An SVG element, 210 units wide, that fills the width it is given.
    """
    x_all, y_all = (np.concatenate([getattr(c, axis) for c in lines]) for axis in ("x", "y"))
    left, right = (34.0 if y_axis else 4.0), 196.0  # half of the last number stands beyond the axis
    x = Range(float(x_all.min()), float(x_all.max()), left, right)
    low = float(y_all.min()) if y_axis else 0.0
    y = Range(low, float(y_all.max()), 92.0, 8.0)
    parts = [_path(curve, x, y) for curve in lines]
    parts.append(_line(left, 94, right, 94, FAINT))
    for value in x.ticks(5):
        at = float(x.place(np.array(value)))
        parts += [_line(at, 94, at, 97, FAINT), _text(at, 108, _short(value))]
    for value in y.ticks(3) if y_axis else []:
        at = float(y.place(np.array(value)))
        parts += [_line(left, at, right, at, RULE), _text(left - 4, at + 3.5, _short(value), anchor="end")]
    if y_axis:  # grid lines lie under the curves
        parts = parts[len(lines) :] + parts[: len(lines)]
    return _svg(210, 112, alt, parts)


@dataclass(frozen=True)
class Axis:
    """A name and an interval; without ticks, for numbers that mean nothing, only the name is written."""

    name: str
    low: float
    high: float
    ticks: bool = True


def frame(image: str, x: Axis, y: Axis, *, alt: str, side: float = 370.0, diagonal: bool = False) -> Markup:
    """Set axes around dots that were drawn edge to edge (see :func:`cellgan.report.dots.draw`).

    Parameters
    ----------
    image
        A PNG as a data URI.
    x, y
        The axes that the image spans.
    alt
        What the drawing shows.
    side
        Width and height of the image in units of the drawing; the smaller, the larger its letters seem.
    diagonal
        Whether to draw the line on which both axes say the same; for axes that span the same interval.

    Returns
    -------
    An SVG element that fills the width it is given.
    """
    left, top = (46.0 if y.ticks else 24.0), 6.0
    right, bottom = left + side, top + side
    name_at = bottom + (36 if x.ticks else 20)
    parts = [
        Markup('<image href="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
            image, left, top, right - left, bottom - top
        ),
        *([_line(left, bottom, right, top, INK)] if diagonal else []),
        _line(left, bottom, right, bottom, FAINT),
        _line(left, top, left, bottom, FAINT),
        _text((left + right) / 2, name_at, x.name, size=14, colour=INK),
        _text(13, (top + bottom) / 2, y.name, size=14, colour=INK, upright=True),
    ]
    for value in Range(x.low, x.high, 0, 1).ticks(6) if x.ticks else []:
        at = float(Range(x.low, x.high, left, right).place(np.array(value)))
        parts += [_line(at, bottom, at, bottom + 4, FAINT), _text(at, bottom + 18, _short(value), size=12)]
    for value in Range(y.low, y.high, 0, 1).ticks(6) if y.ticks else []:
        at = float(Range(y.low, y.high, bottom, top).place(np.array(value)))
        parts += [
            _line(left - 4, at, left, at, FAINT),
            _text(left - 8, at + 4, _short(value), anchor="end", size=12),
        ]
    return _svg(right + 14, name_at + 8, alt, parts)  # half of the last number stands beyond the axis


def dumbbell(first: tuple[float, str], second: tuple[float, str], *, high: float, alt: str) -> Markup:
    """Draw two values, each with its colour, as dots on a line from 0 to ``high``; the second lies on top."""
    scale = Range(0.0, high, 8.0, 172.0)
    (a, colour_a), (b, colour_b) = first, second
    at_a, at_b = (float(scale.place(np.array(value))) for value in (a, b))
    dot = Markup('<circle cx="{:.1f}" cy="9" r="{}" fill="{}" stroke="{}" stroke-width="2"/>')
    parts = [
        _line(8, 9, 172, 9, RULE),
        Markup('<path d="M{:.1f},9H{:.1f}" stroke="{}" stroke-width="2"/>').format(at_a, at_b, FAINT),
        dot.format(at_a, 4, "#fff", colour_a),
        dot.format(at_b, 4, colour_b, colour_b),
    ]
    return _svg(180, 18, alt, parts)


def swatch(colour: str, style: Swatch) -> Markup:
    """Draw what a legend shows beside a word."""
    hill = "M1,13C8,13 9,2 13,2S18,13 25,13Z"
    ring = f'fill="none" stroke="{colour}" stroke-width="1.4"'
    shapes = {
        "area": f'<path d="{hill}" fill="{colour}" fill-opacity=".35" stroke="{colour}"/>',
        "line": f'<path d="M1,7H25" stroke="{colour}" stroke-width="2.4"/>',
        "dashed": f'<path d="M1,7H25" stroke="{colour}" stroke-width="2.4" stroke-dasharray="5 3"/>',
        "dot": f'<circle cx="13" cy="7" r="5" fill="{colour}"/>',
        "ring": f'<circle cx="13" cy="7" r="4" fill="#fff" stroke="{colour}" stroke-width="2"/>',
        "contour": f'<ellipse cx="13" cy="7" rx="11" ry="5.5" {ring}/><circle cx="13" cy="7" r="2" {ring}/>',
    }
    # Colours are the palette's, shapes are written above: nobody's input.
    return Markup(f'<svg viewBox="0 0 26 14" aria-hidden="true">{shapes[style]}</svg>')  # noqa: S704


def _svg(width: float, height: float, alt: str, parts: Sequence[Markup]) -> Markup:
    head = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(width, height, alt)
    return head + Markup("").join(parts) + Markup("</svg>")


def _path(curve: Curve, x: Range, y: Range) -> Markup:
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.place(curve.x), y.place(curve.y), strict=True))
    if curve.style == "area":
        floor, (first, *_), last = y.start, x.place(curve.x), x.place(curve.x)[-1]
        shape = Markup('<path d="M{:.1f},{:.1f} L{} L{:.1f},{:.1f}Z" fill="{}" fill-opacity=".35"/>')
        return shape.format(first, floor, points, last, floor, curve.colour)
    dashes = Markup(' stroke-dasharray="4 2.5"') if curve.style == "dashed" else ""
    shape = Markup(
        '<polyline points="{}" fill="none" stroke="{}" stroke-width="1.6" stroke-linejoin="round"{}/>'
    )
    return shape.format(points, curve.colour, dashes)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> Markup:
    shape = Markup('<path d="M{:.1f},{:.1f}L{:.1f},{:.1f}" stroke="{}"/>')
    return shape.format(x1, y1, x2, y2, colour)


def _text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "middle",
    size: float = 10.5,
    colour: str = FAINT,
    upright: bool = False,
) -> Markup:
    turn = Markup(' transform="rotate(-90 {:.1f} {:.1f})"').format(x, y) if upright else ""
    shape = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" font-size="{}" fill="{}"{}>{}</text>')
    return shape.format(x, y, anchor, size, colour, turn, words)


def _short(value: float) -> str:
    return f"{value:g}".replace("-", "−")
