"""Values as dots in rows, a row for each group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from cellgan.report.charts import Range
from cellgan.report.palette import FAINT, INK, RULE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cellgan.report.charts import Axis

_ROW = 26.0
_NAME = 96.0  # of the names before the rows
_SHARE = 0.7  # of a row over which dots are spread
_MOST = 16  # characters of a name


@dataclass(frozen=True)
class Row:
    """A group: its name, its values, and which of them are drawn as rings."""

    name: str
    values: Sequence[float]
    rings: Sequence[bool]


def strip(rows: Sequence[Row], axis: Axis, *, colour: str, alt: str) -> Markup:
    """Draw a dot for each value, in a row for each group; a bar stands at each row's mean.

    Parameters
    ----------
    rows
        The groups, from above.
    axis
        What the values are, and from where to where they go.
    colour
        Of the dots.
    alt
        What is to be seen.

    Returns
    -------
    An SVG element, 520 units wide.
    """
    scale = Range(axis.low, axis.high, _NAME + 8, 508.0)
    bottom = 6 + _ROW * len(rows)
    parts = [Markup('<svg viewBox="0 0 520 {}" role="img" aria-label="{}">').format(bottom + 40, alt)]
    text = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" font-size="{}" fill="{}">{}</text>')
    line = Markup('<path d="M{:.1f},{:.1f}L{:.1f},{:.1f}" stroke="{}" stroke-width="{}"/>')
    for tick in scale.ticks(8):
        at = float(scale.place(np.array(tick)))
        parts += [
            line.format(at, 6, at, bottom, RULE, 1),
            text.format(at, bottom + 16, "middle", 12, FAINT, f"{tick:g}"),
        ]
    for number, row in enumerate(rows):
        middle = 6 + _ROW * (number + 0.5)
        short = row.name if len(row.name) <= _MOST else row.name[: _MOST - 1] + "…"
        parts.append(text.format(_NAME, middle + 4, "end", 12.5, INK, short))
        places = scale.place(np.clip(np.asarray(row.values, dtype=float), axis.low, axis.high))
        mean = float(np.mean(places))
        parts.append(line.format(mean, middle - _ROW * 0.42, mean, middle + _ROW * 0.42, INK, 1.6))
        for at, lift, ring in zip(places.tolist(), _lifts(places), row.rings, strict=True):
            fill = "#fff" if ring else colour
            dot = Markup(
                '<circle cx="{:.1f}" cy="{:.1f}" r="4" fill="{}" stroke="{}" stroke-width="1.6" '
                'fill-opacity="{}"/>'
            )
            parts.append(dot.format(at, middle + lift, fill, colour, 1 if ring else 0.75))
    parts.append(text.format((_NAME + 8 + 508) / 2, bottom + 34, "middle", 12.5, INK, axis.name))
    return Markup("").join(parts) + Markup("</svg>")


def _lifts(places: NDArray[np.floating]) -> list[float]:
    """Move dots that would cover each other up and down in turn."""
    steps = (0.0, -1.0, 1.0, -2.0, 2.0)
    found: dict[int, float] = {}
    for index in np.argsort(places).tolist():
        near = {found[k] for k in found if abs(places[k] - places[index]) < 8}
        free = [step for step in steps if step not in near]
        found[index] = free[0] if free else steps[len(found) % len(steps)]
    return [found[k] * _ROW * _SHARE / 5 for k in range(len(places))]
