"""The tables in one batch's part of the report: scores, markers, clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.cytof.batch_warnings import chosen_and_before, is_worse
from cellgan.cytof.wording import called
from cellgan.report import page
from cellgan.report.charts import dumbbell
from cellgan.report.numbers import count, decimal, is_known, percent
from cellgan.report.palette import AFTER, BEFORE, REFERENCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

METHODS = {"nothing": "nothing: as measured", "start": "start of the alignment"}
SCORES = {
    "Distance": (
        "How far the markers’ distributions lie from the reference’s within the same populations, in "
        "units of the reference’s spread (SD; earth mover’s distance). 0 is best; chance alone gives the "
        "floor."
    ),
    "Told apart": (
        "How well a classifier tells aligned cells from the reference’s cells of the same population "
        "(AUC). 0.5: it can only guess, which is best. 1: always right."
    ),
    "Neighbours kept": (
        "The share of a cell’s nearest neighbours in its own batch that are still its neighbours. High: fine "
        "differences between cells were kept. 100 % means only that nothing was reshuffled."
    ),
    "Moved": "How far values were moved on average, in SD. Neither good nor bad by itself.",
}


def scores(batch: Mapping[str, Any]) -> page.Table:
    """Set the alignment's scores beside those of simpler methods, and the floor below them.

    Parameters
    ----------
    batch
        One entry of the report's ``batches``.

    Returns
    -------
    A row a method; the one that was used is set off.
    """
    held, floor = batch["held_out"], batch["floor"]
    rows = []
    for row in batch["scores"]:
        name = METHODS.get(row["method"], row["method"])
        rows.append(
            (
                page.Cell(f"{name} (used)" if row.get("chosen") else name),
                number(row.get("emd")),
                number(row.get("auc")),
                number(row.get("neighbours"), share=True),
                number(row.get("moved")),
            )
        )
    last = page.Cell("floor: two halves of the reference")
    rows.append((last, number(floor["emd"]), number(floor["auc"]), number(None), number(None)))
    cells = "control cells" if batch["learned_from"]["source"] == "controls" else "cells"
    caption = (
        f"On held-out {cells}: {count(held['batch'])} of {batch['batch']}, {count(held['reference'])} of "
        f"{called(batch['reference'])}"
    )
    columns = (page.Column("Method", sortable=False), *(page.Column(name, look="number") for name in SCORES))
    strong = frozenset(i for i, row in enumerate(batch["scores"]) if row.get("chosen"))
    return page.Table(caption, columns, tuple(rows), strong)


def markers(rows: Sequence[Mapping[str, Any]]) -> page.Table:
    """List each marker's distance to the reference before and after, and how sure its values are.

    Parameters
    ----------
    rows
        A batch's ``markers``, in the order of the table.

    Returns
    -------
    A row a marker.
    """
    known = [row[key] for row in rows for key in ("emd_before", "emd_after") if is_known(row[key])]
    high = max(known, default=1.0) or 1.0
    body = []
    for row in rows:
        before, after = row["emd_before"], row["emd_after"]
        drawn = page.Cell("–")
        if is_known(before) and is_known(after):
            alt = f"{decimal(before)} before, {decimal(after)} after"
            drawn = page.Cell(dumbbell((before, BEFORE), (after, AFTER), high=high, alt=alt))
        name = page.Cell(f"{row['marker']} (worse)" if is_worse(row) else row["marker"])
        body.append((name, number(before), number(after), drawn, number(row["moved"]), number(row["sd"])))
    columns = (
        page.Column("Marker"),
        page.Column("Before", look="number"),
        page.Column("After", look="number"),
        page.Column(f"0 to {decimal(high)} SD", sortable=False),
        page.Column("Moved", look="number"),
        page.Column("Uncertainty, SD", look="number"),
    )
    caption = "Distance to the reference by marker, before and after, and uncertainty of values; in SD"
    return page.Table(caption, columns, tuple(body))


def clusters(batch: Mapping[str, Any]) -> page.Table:
    """List the joint clusters and the share of each batch that they hold.

    Parameters
    ----------
    batch
        One entry of the report's ``batches``, with at least one cluster.

    Returns
    -------
    A row a cluster.
    """
    high = max(max(row["share_reference"], row["share_batch"]) for row in batch["clusters"]) or 1.0
    still = chosen_and_before(batch)[0].get("method") == "nothing"
    body = []
    for row in batch["clusters"]:
        theirs, mine = row["share_reference"], row["share_batch"]
        alt = f"{percent(theirs)} of the reference, {percent(mine)} of the batch"
        body.append(
            (
                page.Cell(str(row["cluster"]), float(row["cluster"])),
                page.Cell(_plus(row.get("high_before", ()))),
                page.Cell(_plus(row.get("high", ()))),
                number(theirs, share=True),
                number(mine, share=True),
                page.Cell(dumbbell((theirs, REFERENCE), (mine, AFTER), high=high, alt=alt)),
                page.Cell("nothing" if still else "own map" if row["mapped"] else "neighbours’ maps"),
            )
        )
    columns = (
        page.Column("Cluster"),
        page.Column("High in, as measured"),
        page.Column("High in, aligned"),
        page.Column(batch["reference"], look="number"),
        page.Column(batch["batch"], look="number"),
        page.Column(f"0 to {percent(high)}", sortable=False),
        page.Column("Moved by"),
    )
    return page.Table("Clusters and their shares", columns, tuple(body))


def _plus(markers: Sequence[str]) -> str:
    return ", ".join(f"{name}+" for name in markers) or "–"


def number(value: float | None, *, share: bool = False) -> page.Cell:
    """Show a number, or a share as a percentage, sorted by its full value; a dash where there is none."""
    shown = percent(value) if share else decimal(value)
    return page.Cell(shown, value if is_known(value) else None)
