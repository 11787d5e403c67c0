"""Figures of cells: densities by marker, two-dimensional maps, pairs of markers, losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cellgan.cytof.batch_warnings import is_worse
from cellgan.report import dots
from cellgan.report.charts import Axis, Curve, curves, frame
from cellgan.report.numbers import decimal
from cellgan.report.page import Figure
from cellgan.report.palette import AFTER, BEFORE, INK, NOVEL, REFERENCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup
    from numpy.typing import NDArray

    from cellgan.cytof.views import Views
    from cellgan.report.charts import Style

BINS = 96
OUTLIERS = 0.001  # share of cells at each end that may lie outside a density's axis
GRID = 120
PAIR_SIDE = 240
CONTOUR_SHARES = (0.9, 0.6, 0.3)  # of the reference's cells inside each outline
DOTS = 1500  # cells of one batch in a plot of two markers
TREND = 200  # points of a loss curve


def densities(views: Views, batch: str, markers: Sequence[Mapping[str, Any]]) -> tuple[Figure, ...]:
    """Draw each marker's distribution: the reference, the batch before and after.

    Heights are square roots of densities: most markers pile up at zero, and on a plain scale the populations
    that matter would be flat.

    Parameters
    ----------
    views
        Cells, arcsinh units.
    batch
        Name of the batch.
    markers
        Rows ``{"marker", "emd_before", "emd_after", "moved"}``, in the order of drawing.

    Returns
    -------
    One figure a marker.
    """
    view = views.of(batch)
    figures = []
    for row in markers:
        column = view.markers.index(row["marker"])
        three = [cells[:, column] for cells in (view.reference, view.before, view.after)]
        change = f"{decimal(row['emd_before'])} → {decimal(row['emd_after'])} SD"
        alt = f"Densities of {row['marker']}: reference, before and after; distance to the reference {change}"
        figures.append(Figure(three_densities(three, alt=alt), row["marker"], change, _flag(row)))
    return tuple(figures)


def three_densities(values: Sequence[NDArray[np.floating]], *, alt: str) -> Markup:
    """Draw three distributions of one marker, as an area, a dashed line and a line, in the report's colours.

    Parameters
    ----------
    values
        What is known; what it was like at first, or without chance; and the result. ``(n_cells,)`` each.
    alt
        The same in words.
    """
    low, high = _span(values, OUTLIERS)
    styles: tuple[tuple[str, Style], ...] = ((REFERENCE, "area"), (BEFORE, "dashed"), (AFTER, "line"))
    x = np.linspace(low, high, BINS)
    lines = [
        Curve(x, np.sqrt(_density(own, low, high)), colour, style)
        for own, (colour, style) in zip(values, styles, strict=True)
    ]
    return curves(lines, alt=alt)


def pairs(views: Views, batch: str, chosen: Sequence[tuple[str, str]]) -> tuple[Figure, ...]:
    """Plot pairs of markers, before and after: the batch's cells as dots, the reference as outlines.

    Parameters
    ----------
    views
        Cells, arcsinh units.
    batch
        Name of the batch.
    chosen
        Pairs of marker names: horizontal, vertical.

    Returns
    -------
    Two figures a pair, before and after.
    """
    view = views.of(batch)
    figures = []
    for names in chosen:
        columns = [view.markers.index(name) for name in names]
        reference, before, after = (cells[:, columns] for cells in (view.reference, view.before, view.after))
        spans = [
            _padded(_span([part[:, i] for part in (reference, before, after)], OUTLIERS)) for i in (0, 1)
        ]
        outline = _outline(reference, *spans)
        for moment, cells, colour in (("before", before, BEFORE), ("after", after, AFTER)):
            cloud = dots.Cloud(cells[:DOTS], colour)
            image = dots.draw([cloud], *spans, pixels=2 * PAIR_SIDE, outline=outline)
            axes = [Axis(name, *span) for name, span in zip(names, spans, strict=True)]
            title = f"{names[0]} and {names[1]}, {moment}"
            alt = f"{title}: cells of {batch} as dots, the reference as outlines"
            figures.append(Figure(frame(image, *axes, alt=alt, side=PAIR_SIDE), title))
    return tuple(figures)


def maps(views: Views, batch: str, *, n_cells: int, seed: int) -> tuple[Figure, ...]:
    """Draw one two-dimensional map of reference, cells before and cells after, as two pictures.

    All three are laid out together, so that the reference is at the same place in both pictures and only the
    batch moves. Cells without counterpart have a colour of their own.

    Parameters
    ----------
    views
        Cells, arcsinh units.
    batch
        Name of the batch.
    n_cells
        At most this many cells of each of the three.
    seed
        Seed of the layout and of the choice of cells.

    Returns
    -------
    The pictures before and after.
    """
    from cellgan.cytof.embedding import embed

    _, everything, before, after, novel = views.of(batch)
    draw = np.random.default_rng(seed)
    some = np.sort(draw.permutation(len(everything))[:n_cells])
    same = np.sort(draw.permutation(len(before))[:n_cells])
    three = [everything[some], before[same], after[same]]
    positions = embed(np.concatenate(three), seed=seed)
    reference, *both = np.split(positions, np.cumsum([len(part) for part in three])[:-1])
    spans = [_padded((float(positions[:, i].min()), float(positions[:, i].max()))) for i in (0, 1)]
    figures = []
    for moment, cells, colour in zip(("Before", "After"), both, (BEFORE, AFTER), strict=True):
        clouds = [
            dots.Cloud(reference, REFERENCE),
            dots.Cloud(cells[~novel[same]], colour),
            dots.Cloud(cells[novel[same]], NOVEL, opacity=1.0),
        ]
        image = dots.draw(clouds, *spans)
        axes = [Axis(f"UMAP {i + 1}", *spans[i], ticks=False) for i in (0, 1)]
        alt = f"{moment}: two-dimensional map of the reference's cells and those of {batch}"
        figures.append(Figure(frame(image, *axes, alt=alt), moment))
    return tuple(figures)


def losses(history: Mapping[str, Any]) -> tuple[Figure, ...]:
    """Draw the terms of the game by round.

    Parameters
    ----------
    history
        ``{"rounds": [...], "terms": {"player/term": [...]}}``; terms without two finite values are left out.

    Returns
    -------
    One figure a term.
    """
    rounds = np.asarray(history.get("rounds", ()), dtype=float)
    figures = []
    for name, values in history.get("terms", {}).items():
        y = np.asarray(values, dtype=float)
        x, y = rounds[np.isfinite(y)], y[np.isfinite(y)]
        if len(y) < 2:
            continue
        some = np.unique(np.linspace(0, len(y) - 1, min(len(y), TREND)).astype(int))
        drawing = curves([Curve(x[some], y[some], AFTER)], alt=f"{name} by round", y_axis=True)
        figures.append(Figure(drawing, name.replace("/", ": "), f"{decimal(y[0])} → {decimal(y[-1])}"))
    return tuple(figures)


def telling_pairs(views: Views, markers: Sequence[str], n_pairs: int) -> list[tuple[str, str]]:
    """Give each of the first markers a partner to be plotted against, one that parts other cells.

    The partner is, among the markers given, the free one with the weakest rank correlation in the reference:
    two markers that rise together show one population twice.

    Parameters
    ----------
    views
        Cells; only the reference is looked at.
    markers
        Names, the most important first.
    n_pairs
        At most this many pairs.

    Returns
    -------
    Pairs of names; each name at most once.
    """
    free = list(markers)
    chosen: list[tuple[str, str]] = []
    while len(free) > 1 and len(chosen) < n_pairs:
        first = free.pop(0)
        ranks = [_ranks(views.reference[:, views.markers.index(name)]) for name in (first, *free)]
        ties = [abs(float(np.mean(ranks[0] * other))) for other in ranks[1:]]
        chosen.append((first, free.pop(int(np.argmin(ties)))))
    return chosen


def _ranks(values: NDArray[np.floating]) -> NDArray[np.floating]:
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(float)
    standard: NDArray[np.floating] = (ranks - ranks.mean()) / (ranks.std() or 1.0)
    return standard


def _flag(row: Mapping[str, Any]) -> str:
    return "worse" if is_worse(row) else ""


def _span(parts: Sequence[NDArray[np.floating]], outliers: float) -> tuple[float, float]:
    low = min(float(np.quantile(part, outliers)) for part in parts)
    high = max(float(np.quantile(part, 1 - outliers)) for part in parts)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _padded(span: tuple[float, float]) -> tuple[float, float]:
    edge = 0.06 * (span[1] - span[0]) or 0.5
    return span[0] - edge, span[1] + edge


def _density(values: NDArray[np.floating], low: float, high: float) -> NDArray[np.floating]:
    """Smooth a histogram whose bins are centred on ``linspace(low, high, BINS)``."""
    from scipy.ndimage import gaussian_filter1d

    step = (high - low) / (BINS - 1)
    counts, _ = np.histogram(values, bins=BINS, range=(low - step / 2, high + step / 2))
    width = 9.0 * len(values) ** -0.2  # in bins: the fewer the cells, the smoother
    smooth: NDArray[np.floating] = gaussian_filter1d(counts.astype(float), width, mode="reflect")
    return smooth / (len(values) * step)


def _outline(cells: NDArray[np.floating], x: tuple[float, float], y: tuple[float, float]) -> dots.Contours:
    """Find the heights of the density above which given shares of the cells lie."""
    from scipy.ndimage import gaussian_filter

    counts, x_edges, y_edges = np.histogram2d(cells[:, 0], cells[:, 1], bins=GRID, range=[x, y])
    # The fewer the cells, the wider the kernel (Scott's rule for two dimensions, narrower for piles at zero).
    density = gaussian_filter(counts, 14.0 * len(cells) ** (-1 / 6), mode="constant")
    falling = np.sort(density.ravel())[::-1]
    mass = np.cumsum(falling) / falling.sum()
    heights = tuple(dict.fromkeys(float(falling[np.searchsorted(mass, share)]) for share in CONTOUR_SHARES))
    x_middle, y_middle = ((edges[1:] + edges[:-1]) / 2 for edges in (x_edges, y_edges))
    return dots.Contours(x_middle, y_middle, density.T, heights, INK)
