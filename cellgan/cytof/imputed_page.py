"""What the report shows of markers that were imputed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.cytof.batch_tables import number
from cellgan.cytof.figures import three_densities
from cellgan.cytof.trust import WORDS
from cellgan.report import page
from cellgan.report.charts import swatch
from cellgan.report.numbers import count, decimal, is_known
from cellgan.report.palette import AFTER, BEFORE, REFERENCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellgan.cytof.views import ImputedView, Views

INTRO = (
    "{batch} did not measure these markers. They were learned from {source}, which did, by way of {n} "
    "markers that both measured. layers[“aligned”] holds each cell’s expected value, layers[“sample”] a draw "
    "that varies as measured values do, and layers[“aligned_sd”] how far off the expected value may be. "
    "r is the correlation of expected with measured values in held-out cells of {source}: the most to be "
    "hoped for in {batch}. Spread is how much expected values vary in {batch}, against {source}: far "
    "below 1, the cells that the marker tells apart there are missing here, and r says nothing. What is lost "
    "on the way between the batches is not in r, so “With care” is the most that can be said here: cellgan "
    "validate holds markers out, and says the same words with that in mind."
)
BY_MAGAN = (
    "{batch} did not measure these markers. MAGAN’s generator made them of all markers of {batch}, as "
    "published. layers[“sample”] holds the same values as layers[“aligned”], since the generator knows of no "
    "distribution, and how far off they are is not known. To see whether they can be used, run cellgan "
    "validate with the same method."
)
CRITIC = (
    "A classifier that sees shared and imputed markers together tells drawn cells from measured ones with an "
    "AUC of {auc}, held-out cells of {source}; 0.5 is a guess."
)


def sections(imputed: Sequence[Mapping[str, Any]], views: Views) -> list[page.Section]:
    """Make a section for every batch and what it was filled from.

    Parameters
    ----------
    imputed
        The report's ``imputed``.
    views
        Cells to draw, in the same order.
    """
    return [_section(entry, view) for entry, view in zip(imputed, views.imputed, strict=True)]


def _section(entry: Mapping[str, Any], view: ImputedView) -> page.Section:
    batch, source = entry["batch"], entry["source"]
    # Coverage is known of whatever was learned with a spread; r is not of markers with a single value.
    scored = any(is_known(marker["coverage"]) for marker in entry["markers"])
    intro = INTRO if scored else BY_MAGAN
    text = intro.format(batch=batch, source=source, n=len(entry["predictors"]))
    if is_known(entry["auc"]):
        text += " " + CRITIC.format(auc=decimal(entry["auc"]), source=source)
    if entry["novel"]:
        text += f" {count(entry['novel'])} cells of {batch} have no counterpart in {source}."
    legend = page.Legend(
        (
            (swatch(REFERENCE, "area"), f"{source}, measured"),
            (swatch(BEFORE, "dashed"), f"{batch}, expected"),
            (swatch(AFTER, "line"), f"{batch}, drawn"),
        )
    )
    order = sorted(range(len(entry["markers"])), key=lambda i: -(entry["markers"][i]["r"] or 0.0))
    figures = []
    for i in order:
        marker, r = entry["markers"][i]["marker"], entry["markers"][i]["r"]
        alt = f"Densities of {marker}: measured in {source}, expected and drawn in {batch}"
        drawing = three_densities([values[:, i] for values in view], alt=alt)
        level = entry["markers"][i]["level"]
        figures.append(page.Figure(drawing, marker, f"r {decimal(r)}", WORDS[level] if level == "no" else ""))
    rows = tuple(_row(entry["markers"][i]) for i in order)
    columns = (
        page.Column("Marker"),
        page.Column("r", look="number"),
        page.Column("Within the 90 % interval", look="number"),
        page.Column("Spread", look="number"),
        page.Column("Verdict"),
    )
    table = page.Table(f"Markers of {source}, in held-out cells", columns, rows)
    shown = (table,) if scored else ()
    gallery = page.Gallery(tuple(figures), "small")
    return page.Section(f"Imputed in {batch}", (page.Text(text), *shown, legend, gallery))


def _row(marker: Mapping[str, Any]) -> tuple[page.Cell, ...]:
    return (
        page.Cell(marker["marker"]),
        number(marker["r"]),
        number(marker["coverage"], share=True),
        number(marker["spread"]),
        page.Cell(WORDS[marker["level"]]),
    )
