"""Two drawings of a held-out marker: predicted against measured values, and their distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cellgan.cytof.figures import three_densities
from cellgan.report import dots
from cellgan.report.charts import Axis, frame
from cellgan.report.numbers import decimal
from cellgan.report.page import Figure
from cellgan.report.palette import AFTER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIDE = 240
OUTLIERS = 0.002  # share of cells at each end that may lie outside the axes
EDGE = 0.05


def marker_figures(entry: Mapping[str, Any], view: Mapping[str, Sequence[float]]) -> tuple[Figure, Figure]:
    """Draw one marker.

    Parameters
    ----------
    entry
        One of the report's ``held_out``.
    view
        Some of its cells: ``measured``, ``expected``, ``drawn``; arcsinh units.
    """
    marker, own = entry["marker"], entry["methods"][0]
    measured, expected, drawn = (np.asarray(view[name]) for name in ("measured", "expected", "drawn"))
    low = min(float(np.quantile(part, OUTLIERS)) for part in (measured, expected))
    high = max(float(np.quantile(part, 1 - OUTLIERS)) for part in (measured, expected))
    edge = EDGE * (high - low) or 0.5
    span = low - edge, high + edge
    image = dots.draw(
        [dots.Cloud(np.stack([measured, expected], axis=1), AFTER)], span, span, pixels=2 * SIDE
    )
    alt = f"{marker}: expected against measured values, r {decimal(own['r'])}"
    axes = Axis("measured", *span), Axis("expected", *span)
    scatter = frame(image, *axes, alt=alt, side=SIDE, diagonal=True)
    alt = f"{marker}: densities of measured, expected and drawn values"
    densities = three_densities([measured, expected, drawn], alt=alt)
    return (
        Figure(scatter, marker, f"r {decimal(own['r'])}"),
        Figure(densities, marker, f"distance {decimal(own['emd'])} SD"),
    )
