"""The page of types that were carried from one centre's cells to another's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.adaptation.adaptation_page import how_it_was_chosen
from cellgan.cytof.two_centres import UNKNOWN
from cellgan.report import page
from cellgan.report.numbers import count, decimal, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

KIND = {"linear": "linear", "perceptron": "a perceptron"}
MOST_CHANGES = 10
BY_HAND = (
    "Without target labels nobody sees what is wrong: look at some cells of each type before you rely on it."
)


def adapted_cells_page(report: Mapping[str, Any]) -> page.Page:
    """Lay out the report of `cellgan.cytof.adapted_cells.AdaptedCells`."""
    source, target = report["source"], report["target"]
    n_source, n_target = report["n_cells"]
    markers = f"{len(report['markers'])} markers that both measured"
    aligned = ", aligned first" if report["cells"]["align"] else ""
    warnings = tuple(report["warnings"])
    return page.Page(
        title=f"Cell types of {target}, from the labels of {source}",
        kicker="Adaptation report",
        subtitle=(
            f"{count(report['n_labelled'])} labelled cells of {count(n_source)} in {source}; "
            f"{count(n_target)} cells of {target}; {markers}{aligned}."
        ),
        blocks=(
            _verdict(report),
            *((page.Notes("Read this first", warnings),) if warnings else ()),
            _tiles(report),
            page.Section("What the cells were taken for", (_types(report), *_changes(report))),
            page.Section("Do the types look the same?", (_medians(report),)),
            page.Section("How the classifier came about", (page.Text(_classifier(report)),)),
            page.Details("What the candidates of the game looked like", how_it_was_chosen(report)),
            page.Details("Settings", (page.Terms(_settings(report)),)),
        ),
        footer=page.made_by(report["cellgan"]),
    )


def _verdict(report: Mapping[str, Any]) -> page.Banner:
    what = _what_was_done(report)
    if report["warnings"]:
        return page.Banner("caution", "Look closer", f"{what} {BY_HAND}")
    adapted = report["kept"] == "adapted"
    headline = "Adapted" if adapted else "The source’s classifier is kept"
    return page.Banner("good" if adapted else "caution", headline, f"{what} {BY_HAND}")


def _what_was_done(report: Mapping[str, Any]) -> str:
    again, source, target = report["fitted_again"], report["source"], report["target"]
    if again is not None and again["used"]:
        return (
            f"The classifier that learned {source}’s labels was fitted again to the cells of {target}, with "
            f"the types that it gave them. It still names {percent(again['source_kept'])} of those right."
        )
    if again is not None:
        return (
            f"Fitted again to the cells of {target}, the classifier would name only "
            f"{percent(again['source_kept'])} of {source}’s right, so that is not used."
        )
    if report["kept"] == "adapted":
        return f"The classifier that learned {source}’s labels was adapted to the cells of {target}."
    return f"Nothing looked better for {target} than the classifier that learned {source}’s labels, as it is."


def _tiles(report: Mapping[str, Any]) -> page.Tiles:
    n = report["n_cells"][1]
    changed = sum(each["cells"] for each in report["changed"])
    unknown = report["types"][UNKNOWN]
    right = 1 - report["mistakes"][report["classifier"]] / max(1, report["n_labelled"])
    return page.Tiles(
        (
            page.Tile(
                "Like no labelled cell", percent(report["novel"] / n), f"{count(report['novel'])} cells"
            ),
            page.Tile("Left unknown", percent(unknown / n), f"{count(unknown)} cells"),
            page.Tile("Changed type by adapting", percent(changed / n), f"{count(changed)} cells"),
            page.Tile("Named right at home", percent(right), f"of {report['source']}’s, in cross-validation"),
        )
    )


def _types(report: Mapping[str, Any]) -> page.Table:
    titles = ("Labelled", "Share", "Found", "Given", "Share", "Confidence", "Like none")
    columns = (page.Column("Type"), *(page.Column(title, look="number") for title in titles))
    n = report["n_cells"][1]
    rows = tuple(
        (
            page.Cell(each["type"]),
            _number(each["labelled"]),
            _share(each["labelled"] / report["n_labelled"]),
            _share(each["found_at_home"]),
            _number(each["given"]),
            _share(each["given"] / n),
            page.Cell(decimal(each["confidence"], 3), each["confidence"]),
            _number(each["novel"]),
        )
        for each in report["each_type"]
    )
    return page.Table(
        f"Labelled in {report['source']}, and found of these in cross-validation; given to cells of "
        f"{report['target']}. Confidence is the median probability among the types that the classifier "
        "knows: cells that look like none of them can be named with confidence, too.",
        columns,
        rows,
    )


def _changes(report: Mapping[str, Any]) -> tuple[page.Table, ...]:
    most = report["changed"][:MOST_CHANGES]
    if not most:
        return ()
    columns = (page.Column("Without adaptation"), page.Column("With"), page.Column("Cells", look="number"))
    rows = tuple((page.Cell(row["from"]), page.Cell(row["to"]), _number(row["cells"])) for row in most)
    more = len(report["changed"]) - len(most)
    rest = f" {more} rarer changes are in the JSON." if more else ""
    return (page.Table(f"Cells whose type changed by adapting.{rest}", columns, rows),)


def _medians(report: Mapping[str, Any]) -> page.Table:
    markers = report["medians"]["markers"]
    columns = (
        page.Column("Type"),
        page.Column("Centre"),
        *(page.Column(name, look="number") for name in markers),
    )
    called = {"source": report["source"], "target": report["target"]}
    rows = tuple(
        (
            page.Cell(row["type"]),
            page.Cell(called[row["centre"]]),
            *(page.Cell(decimal(value), value) for value in row["medians"]),
        )
        for row in report["medians"]["rows"]
    )
    return page.Table(
        "Medians in arcsinh units of the markers that part the types most. They may differ between centres, "
        "but which type has much of a marker should not.",
        columns,
        rows,
        strong=frozenset(range(1, len(rows), 2)),
    )


def _classifier(report: Mapping[str, Any]) -> str:
    mistakes = report["mistakes"]
    game = (
        "an adapted encoder looked better by the criterion below, and is used"
        if report["chosen"]
        else "no adapted encoder looked better by the criterion below, so the source’s own is used"
    )
    again = report["fitted_again"]
    refit = ""
    if again is not None:
        n = count(again["changed"])
        refit = f" Fitting again then changed the type of {n} cell{'' if again['changed'] == 1 else 's'}."
    n = count(report["n_labelled"])
    return (
        f"It is {KIND[report['classifier']]}: in three-fold cross-validation on {n} labelled cells of "
        f"{report['source']} a linear one made {count(mistakes['linear'])} mistakes, a perceptron "
        f"{count(mistakes['perceptron'])}. A game was played against a discriminator that tells the centres "
        f"apart: {game}.{refit}"
    )


def _settings(report: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    game = {f"game: {name}": value for name, value in report["config"].items()}
    return tuple((name, str(value)) for name, value in (report["cells"] | game).items())


def _number(n: int) -> page.Cell:
    return page.Cell(count(n), n)


def _share(share: float) -> page.Cell:
    return page.Cell(percent(share), share)
