"""The page of types that were carried from one centre's cells to another's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.adaptation.adaptation_page import adaptation_page
from cellgan.report import page
from cellgan.report.numbers import count, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

_CALLED = {"linear": "linear", "perceptron": "a perceptron"}


def adapted_cells_page(report: Mapping[str, Any]) -> page.Page:
    """Lay out the report of `cellgan.cytof.adapt_cells.AdaptedCells`."""
    n_source, n_target = report["n_cells"]
    mistakes = report["mistakes"]
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
            f"{', aligned first' if report['cells']['align'] else ''}. The classifier is "
            f"{_CALLED[report['classifier']]}: in cross-validation on the source’s cells a linear one made "
            f"{count(mistakes['linear'])} mistakes, a perceptron {count(mistakes['perceptron'])}."
        ),
        rows="cells",
        reason=_reason(report),
        results=(page.Table("Types that the target’s cells were given.", columns, rows),),
    )


def _reason(report: Mapping[str, Any]) -> str:
    again = report["fitted_again"]
    if again is None:
        return ""
    kept = percent(again["source_kept"])
    if not again["used"]:
        return (
            f"Fitted again to the target’s cells, the classifier would name only {kept} of the source’s "
            "right, so that is not used. What the candidates looked like stands below."
        )
    adapted = "adapted, and then " if report["chosen"] else ""
    return (
        f"The classifier was {adapted}fitted again to the target’s cells with the types that it gave them: "
        f"{count(again['changed'])} cells changed type, and {kept} of the source’s are still named right. "
        "Without target labels nobody sees what is wrong: score some cells by hand before you rely on it."
    )
