"""One batch's part of the report: verdict, map, scores, markers, clusters, losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.cytof import batch_tables, figures
from cellgan.cytof.batch_warnings import chosen_and_before
from cellgan.cytof.split import MAX_CELLS
from cellgan.cytof.verdict import WORDS
from cellgan.cytof.wording import called, legend_name, novel_cells
from cellgan.report import page
from cellgan.report.charts import swatch
from cellgan.report.numbers import count, decimal, percent
from cellgan.report.palette import AFTER, BEFORE, INK, NOVEL, REFERENCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellgan.cytof.views import Views
    from cellgan.report.charts import Swatch

TONES: dict[str, tuple[page.Tone, str]] = {
    "good": ("good", f"{WORDS['good']}: use the aligned values"),
    "caution": ("caution", f"{WORDS['caution']} before you use the aligned values"),
    "poor": ("poor", f"{WORDS['poor']} the aligned values"),
    "nothing": ("neutral", WORDS["nothing"]),
}
SHOWN = 12  # densities that are seen without a click
PAIRS = 4
CANDIDATES = 8  # the most moved markers, among which pairs are formed

MAP = (
    "Each dot is a cell; cells with alike markers lie together (UMAP). Both pictures share one layout: the "
    "reference stays where it is, only the batch moves. After a good alignment the colours mix wherever both "
    "batches hold the same populations. Distances between islands mean little."
)
MARKERS = (
    "Distributions on the arcsinh scale, the most moved marker first. Heights are square roots of "
    "densities, so that small populations show. Beside each name: its distance to the reference before "
    "and after, on held-out cells, within populations."
)
UNCERTAINTY = (
    "Uncertainty: how far an aligned value may be from what the reference’s instrument would have counted of "
    "the same cell, as one standard deviation; half of all cells have less. A population that was matched "
    "with a wrong one does not show in it."
)
TWO_MARKERS = (
    "The most moved markers against each other. The outlines hold 30, 60 and 90 % of the reference’s "
    "cells; after a good alignment the dots fill them."
)
POPULATIONS = (
    "Groups of cells that were found in both batches together, and the share of each batch that they "
    "hold. Shares may differ, since samples differ. A group that only one batch fills is not given a map "
    "of its own."
)
TRAINING = (
    "The terms of the game by round. The players work against each other, so their losses settle rather "
    "than fall to zero. A curve that runs away, or leaps at the end, is a bad sign."
)


def banner(batch: Mapping[str, Any]) -> page.Banner:
    """Put a batch's verdict into a banner."""
    tone, headline = TONES[batch["verdict"]["level"]]
    return page.Banner(tone, headline, batch["verdict"]["text"])


def blocks(
    batch: Mapping[str, Any], views: Views | None, *, n_map_cells: int, seed: int
) -> tuple[page.Block, ...]:
    """Make what the report shows of one batch below its verdict.

    Parameters
    ----------
    batch
        One entry of the report's ``batches``.
    views
        Cells to draw; None leaves out what shows cells.
    n_map_cells
        Cells of each kind on the two-dimensional map.
    seed
        Seed of that map.

    Returns
    -------
    Sections, and before them what needs no heading.
    """
    name = batch["batch"]
    made: list[page.Block] = []
    if batch["warnings"]:
        made.append(page.Notes("Warnings", tuple(batch["warnings"])))
    table, words = batch_tables.scores(batch), page.Terms(tuple(batch_tables.SCORES.items()))
    rows = sorted(batch["markers"], key=lambda row: -(row["moved"] or 0.0))
    made += [page.Text(learned_from(batch)), _tiles(batch)]
    if views is not None:
        pictures = page.Gallery(figures.maps(views, name, n_cells=n_map_cells, seed=seed), "large")
        made.append(page.Section("All cells on one map", (page.Text(MAP), _map_legend(batch), pictures)))
    made.append(page.Section("Scores beside simpler methods", (table, words)))
    if views is not None:
        made += [_markers(batch, rows, views), _pairs(batch, rows, views)]
    if batch["clusters"]:
        made.append(_clusters(batch))
    if drawn := figures.losses(batch.get("losses") or {}):
        fold = page.Details("Loss curves", (page.Text(TRAINING), page.Gallery(drawn, "small")))
        made.append(page.Section("Training", (fold,)))
    return tuple(made)


def learned_from(batch: Mapping[str, Any]) -> str:
    """Say which cells the alignment of a batch was learned from."""
    learned, name, reference = batch["learned_from"], batch["batch"], called(batch["reference"])
    sides = f"{count(learned['batch'])} of {name} and {count(learned['reference'])} of {reference}"
    said = {
        "cells": f"Learned from all cells: {sides}.",
        "controls": f"Learned from control cells alone: {sides}. All cells of {name} were then mapped.",
        "condition": "Learned from cells drawn so that both sides hold equal shares of every condition: "
        f"{sides}. All cells of {name} were then mapped.",
    }[learned["source"]]
    drawn = max(learned["batch"], learned["reference"]) > MAX_CELLS
    return f"{said} At most {count(MAX_CELLS)} of a side were drawn for it." if drawn else said


def _tiles(batch: Mapping[str, Any]) -> page.Tiles:
    used, before = chosen_and_before(batch)
    distance, auc = (f"{decimal(before.get(key))} → {decimal(used.get(key))}" for key in ("emd", "auc"))
    floor = f"{decimal(batch['floor']['emd'])} between two halves of the reference"
    kept = percent(used.get("neighbours"))
    return page.Tiles(
        (
            page.Tile("Distance to the reference", f"{distance} SD", floor),
            page.Tile("Told apart by a classifier", auc, "AUC: 0.5 is a guess, 1 is certainty"),
            page.Tile("Neighbours kept", kept, "of each cell’s nearest neighbours in its batch"),
            page.Tile("Cells without counterpart", novel_cells(batch), f"in {called(batch['reference'])}"),
        )
    )


def _legend(
    batch: Mapping[str, Any],
    reference: Swatch | None,
    before: Swatch,
    after: Swatch,
    *,
    colour: str = REFERENCE,
) -> page.Legend:
    entries = [(swatch(colour, reference), legend_name(batch["reference"]))] if reference else []
    entries += [
        (swatch(BEFORE, before), f"{batch['batch']} before"),
        (swatch(AFTER, after), f"{batch['batch']} after"),
    ]
    return page.Legend(tuple(entries))


def _map_legend(batch: Mapping[str, Any]) -> page.Legend:
    legend = _legend(batch, "dot", "dot", "dot")
    if not batch["novel"]:
        return legend
    return page.Legend((*legend.entries, (swatch(NOVEL, "dot"), f"{batch['batch']}, without counterpart")))


def _markers(batch: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], views: Views) -> page.Section:
    drawn = figures.densities(views, batch["batch"], rows)
    legend, shown = _legend(batch, "area", "dashed", "line"), page.Gallery(drawn[:SHOWN], "small")
    made: list[page.Block] = [page.Text(MARKERS), legend, shown]
    if len(drawn) > SHOWN:
        rest = page.Gallery(drawn[SHOWN:], "small")
        made.append(page.Details(f"The other {len(drawn) - SHOWN} markers, less moved", (rest,)))
    table = (_legend(batch, None, "ring", "dot"), batch_tables.markers(rows), page.Text(UNCERTAINTY))
    made.append(page.Details("All markers as a table", table))
    return page.Section("Marker by marker", tuple(made))


def _pairs(batch: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], views: Views) -> page.Section:
    chosen = figures.telling_pairs(views, [row["marker"] for row in rows[:CANDIDATES]], PAIRS)
    legend = _legend(batch, "contour", "dot", "dot", colour=INK)
    gallery = page.Gallery(figures.pairs(views, batch["batch"], chosen), "medium")
    return page.Section("Two markers at a time", (page.Text(TWO_MARKERS), legend, gallery))


def _clusters(batch: Mapping[str, Any]) -> page.Section:
    reference = (swatch(REFERENCE, "ring"), legend_name(batch["reference"]))
    legend = page.Legend((reference, (swatch(AFTER, "dot"), batch["batch"])))
    return page.Section("Populations", (page.Text(POPULATIONS), legend, batch_tables.clusters(batch)))
