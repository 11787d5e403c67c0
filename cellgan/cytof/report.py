"""What a person looks at: the report of an alignment as a page, and the same numbers as JSON beside it."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from cellgan.atomic import atomic
from cellgan.cytof import batch_page, batch_tables, imputed_page
from cellgan.cytof.batch_warnings import chosen_and_before
from cellgan.cytof.config import CONSENSUS
from cellgan.cytof.verdict import WORDS
from cellgan.cytof.wording import called, novel_cells
from cellgan.report import page
from cellgan.report.numbers import count, decimal, is_known, listing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cellgan.cytof.views import Views

MAP_CELLS = 1000  # of reference, before and after each on one map
MAP_CELLS_ALL = 5000  # the same, over all maps of a page: laying out is what takes time
MAP_CELLS_LEAST = 300
ALL_BATCHES = "batches"
LEARNED_FROM = {"cells": "all cells", "controls": "controls", "condition": "conditions"}
WORST_FIRST = ("poor", "caution", "nothing", "good")


def write_report(report: Mapping[str, Any], views: Views | None, path: Path) -> None:
    """Write the report of an alignment: HTML at ``path``, JSON beside it.

    Each file appears whole or not at all. The same report and views give the same bytes.

    Parameters
    ----------
    report
        What the alignment found, JSON-able; see ``Alignment.report``.
    views
        Cells to draw, before and after; None leaves out what shows cells.
    path
        The page; the JSON takes its name with the suffix ``.json``.

    Raises
    ------
    OutputError
        The folder is missing or not writable, or the disk is full.
    """
    text = page.render(report_page(report, views))
    # JSON knows no NaN: what could not be measured is null.
    numbers = json.dumps(_finite(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    for target, content in ((path, text), (path.with_suffix(".json"), numbers)):
        with atomic(target) as part:
            part.write_text(content, encoding="utf-8", newline="\n")


def report_page(report: Mapping[str, Any], views: Views | None) -> page.Page:
    """Lay out the report of an alignment.

    Parameters
    ----------
    report
        What the alignment found.
    views
        Cells to draw, before and after; None leaves out what shows cells.

    Returns
    -------
    The page: the verdict first, what it rests on next, how it was made last.
    """
    batches = report["batches"]
    seed = int(report["config"].get("seed", 0))
    n_map_cells = max(MAP_CELLS_LEAST, min(MAP_CELLS, MAP_CELLS_ALL // max(1, len(batches))))
    made: list[page.Block] = []
    if len(batches) == 1:
        made.append(batch_page.banner(batches[0]))
    else:
        made += [_overall(batches), _summary(batches)]
    if report["warnings"]:
        made.append(page.Notes("About all batches", tuple(report["warnings"])))
    for i, batch in enumerate(batches):
        inner = batch_page.blocks(batch, views, n_map_cells=n_map_cells, seed=seed)
        if len(batches) == 1:
            made += inner
        else:
            blocks = (batch_page.banner(batch), *inner, page.Link("Back to all batches", ALL_BATCHES))
            made.append(page.Section(batch["batch"], blocks, f"batch-{i + 1}"))
    if views is not None:
        made += imputed_page.sections(report.get("imputed", ()), views)
    made.append(_provenance(report))
    names = listing([b["batch"] for b in batches]) if len(batches) <= 3 else f"{len(batches)} batches"
    return page.Page(
        title=f"{names} aligned to {called(report['reference'])}",
        kicker="Alignment report",
        subtitle=_subtitle(report),
        blocks=tuple(made),
        footer=page.made_by(report["cellgan"]),
    )


def _subtitle(report: Mapping[str, Any]) -> str:
    reference, n_markers = report["reference"], len(report["markers"]["aligned"])
    stayed = [b["batch"] for b in report["batches"] if chosen_and_before(b)[0].get("method") == "nothing"]
    moved = count(sum(b["n_cells"] for b in report["batches"] if b["batch"] not in stayed))
    if len(stayed) == len(report["batches"]):
        return f"Compared with {called(reference)} on {n_markers} shared markers. No cell was moved."
    too = f" So were those of {listing(stayed)}." if stayed else ""
    if reference == CONSENSUS:
        kept = f" The cells of {listing(stayed)} were left as they are." if stayed else ""
        return (
            f"{moved} cells were moved onto the consensus of all batches, on {n_markers} shared markers. "
            f"Where this page says reference, it means the consensus.{kept}"
        )
    own = next(count(entry["n_cells"]) for entry in report["inputs"] if entry["batch"] == reference)
    return (
        f"{moved} cells were moved onto the {own} cells of {reference}, on {n_markers} shared markers. The "
        f"reference’s cells were left as they are.{too}"
    )


def _overall(batches: list[Mapping[str, Any]]) -> page.Banner:
    by_level = {
        level: [b["batch"] for b in batches if b["verdict"]["level"] == level] for level in WORST_FIRST
    }
    worst = next(level for level in WORST_FIRST if by_level[level])
    tone, headline = batch_page.TONES[worst]
    if len(by_level[worst]) < len(batches):
        headline = {
            "poor": "Some of these batches should not be used",
            "caution": "Look closer at some of these batches",
        }.get(worst, headline)
    said = [f"{WORDS[level]}: {listing(names)}." for level, names in by_level.items() if names]
    return page.Banner(tone, headline, " ".join(said))


def _summary(batches: list[Mapping[str, Any]]) -> page.Table:
    titles = ("Cells", "Distance", "AUC", "Neighbours kept", "No counterpart", "Warnings")
    sources = {batch["learned_from"]["source"] for batch in batches}
    differ = sources != {"cells"}
    columns = [page.Column("Batch"), page.Column("Verdict"), *(page.Column(t, look="number") for t in titles)]
    columns += [page.Column("Learned from")] if differ else []
    rows = []
    for i, batch in enumerate(batches):
        chosen, before = chosen_and_before(batch)
        changes = [(before.get(key), chosen.get(key)) for key in ("emd", "auc")]
        rows.append(
            (
                page.Cell(batch["batch"], anchor=f"batch-{i + 1}"),
                page.Cell(WORDS[batch["verdict"]["level"]]),
                page.Cell(count(batch["n_cells"]), float(batch["n_cells"])),
                *(page.Cell(f"{decimal(a)} → {decimal(b)}", b if is_known(b) else None) for a, b in changes),
                batch_tables.number(chosen.get("neighbours"), share=True),
                page.Cell(novel_cells(batch), float(batch["novel"])),
                page.Cell(str(len(batch["warnings"])), float(len(batch["warnings"]))),
                *([page.Cell(LEARNED_FROM[batch["learned_from"]["source"]])] if differ else []),
            )
        )
    caption = (
        "Verdicts at a glance; before → after: distance to the reference in SD, and how well a classifier "
        "tells the batch from it (AUC; 0.5 is a guess)"
    )
    return page.Table(caption, tuple(columns), tuple(rows), anchor=ALL_BATCHES)


def _provenance(report: Mapping[str, Any]) -> page.Section:
    columns = (
        page.Column("Batch"),
        page.Column("File", look="code"),
        page.Column("Cells", look="number"),
        page.Column("Channels", look="number"),
        page.Column("SHA-256", sortable=False, look="code"),
    )
    rows = tuple(
        (
            page.Cell(
                f"{entry['batch']} (reference)" if entry["batch"] == report["reference"] else entry["batch"]
            ),
            page.Cell(str(entry["path"] or "from memory")),
            page.Cell(count(entry["n_cells"]), float(entry["n_cells"])),
            page.Cell(count(entry["n_channels"]), float(entry["n_channels"])),
            page.Cell(entry["sha256"] or "–"),
        )
        for entry in report["inputs"]
    )
    markers, transform = report["markers"], report["transform"]
    kept = [f"{entry['name']} ({entry['kind']})" for entry in markers["kept"]]
    facts = [
        ("Values", transform["reason"]),
        (f"Aligned markers ({len(markers['aligned'])})", ", ".join(markers["aligned"])),
        ("Kept, not aligned", ", ".join(kept) or "none"),
    ]
    for name, private in markers["private"].items():
        facts.append((f"Only in {name}", ", ".join(private) or "none"))
    settings = tuple((name, _setting(value)) for name, value in report["config"].items())
    software = (("cellgan", report["cellgan"]), *report["versions"].items(), ("device", report["device"]))
    return page.Section(
        "How this was made",
        (
            page.Terms(tuple(facts)),
            page.Table("Inputs", columns, rows),
            page.Details("Settings", (page.Terms(settings),)),
            page.Details("Software", (page.Terms(tuple((name, str(value)) for name, value in software)),)),
        ),
        "made",
    )


def _setting(value: object) -> str:
    if value is None or value in ((), [], {}):
        return "not given"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {own}" for name, own in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _finite(value: Any) -> Any:  # noqa: ANN401
    """Put None where a number is not finite, at any depth; tuples become lists, as JSON has it."""
    if isinstance(value, dict):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
