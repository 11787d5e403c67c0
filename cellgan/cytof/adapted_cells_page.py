"""The page of types that were carried from one centre's cells to another's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.adaptation.adaptation_page import adaptation_page
from cellgan.report import page
from cellgan.report.numbers import count, percent

if TYPE_CHECKING:
    from collections.abc import Mapping


def adapted_cells_page(report: Mapping[str, Any]) -> page.Page:
    """Lay out the report of `cellgan.cytof.adapt_cells.AdaptedCells`."""
    n_source, n_target = report["n_cells"]
    total = max(1, sum(report["types"].values()))
    rows = tuple(
        (page.Cell(name), page.Cell(count(n), n), page.Cell(percent(n / total), n / total))
        for name, n in report["types"].items()
    )
    columns = (page.Column("Type"), page.Column("Cells", look="number"), page.Column("Share", look="number"))
    return adaptation_page(
        report,
        title=f"Cell types of {report['target']}, from the labels of {report['source']}",
        subtitle=(
            f"{count(n_source)} cells of {report['source']}, {count(n_target)} of {report['target']}; "
            f"{len(report['markers'])} markers that both measured"
            f"{', aligned first' if report['cells']['align'] else ''}."
        ),
        rows="cells",
        results=(page.Table("Types that the target’s cells were given.", columns, rows),),
    )
