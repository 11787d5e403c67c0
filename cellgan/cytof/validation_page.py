"""The page of a validation: whether imputed markers can be believed, and what that rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.cytof.baselines import BASELINES
from cellgan.cytof.batch_tables import number
from cellgan.cytof.hold_out import OWN
from cellgan.cytof.trust import CARE, TRUST, WORDS
from cellgan.cytof.validation_figures import marker_figures
from cellgan.cytof.validation_verdict import best_simple
from cellgan.report import page
from cellgan.report.charts import swatch
from cellgan.report.numbers import count, decimal, percent
from cellgan.report.palette import AFTER, BEFORE, REFERENCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHOWN = 12  # markers whose plots are seen without a click
TITLES = {
    "r": "r",
    "r_within": "r within",
    "nrmse": "Error",
    "emd": "Distance",
    "sd_ratio": "Spread",
    "corr": "Correlations",
    "coverage": "In 90 %",
}
IN_BRIEF = ("r_within", "emd", "sd_ratio", "coverage")  # beside r; the rest is in the details
TERMS = (
    ("r", "Correlation of expected with measured values, cell by cell. 1 is best; 0: nothing is known."),
    ("r within", "The same among cells of one population: the median over populations. Lower than r."),
    ("Error", "Root mean squared error of expected values, in SD. 0 is best; the mean reaches 1."),
    ("Distance", "Between distributions of drawn and measured values, in SD (earth mover’s). 0 is best."),
    ("Spread", "SD of drawn values against that of measured ones. 1 is best; less means flattened."),
    ("Correlations", "How far those of drawn values with other shared markers are off. 0 is best."),
    ("In 90 %", "Share of the values that lie within their 90 % interval. 90 % is best."),
)
PRIVATE = (
    "These markers were measured in one batch only, so what the other one would have shown is not known. "
    "Within the batch that measured them it is known how well they are predicted (r at home). What such an r "
    "comes to in another batch is known of the markers that both measured: each is judged by those with the "
    "most similar r at home. What they came to stands under Marker by marker."
)
LEVELS = (
    f"Trust: r {decimal(TRUST)} and more is expected. With care: r {decimal(CARE)} and more; means of large "
    "populations come out, single cells do not. Do not trust: less than that. A word is lowered where the "
    "markers it rests on fared very differently."
)
TRUTH = (
    "Simple methods are given the shared markers standardised within each batch, as is usual. They predict "
    "one value a cell, so their spread is too small wherever they are unsure. Our r and error are those of "
    "expected values; distance, spread and correlations those of draws. Errors, distances, spreads and "
    "intervals are measured in the units of {reference}, against each cell’s value as the alignment with all "
    "markers puts it there; r against the value as it was measured in {batch}."
)
PLOTS = (
    "Left: a dot is a cell of {batch}; the nearer to the line, the better. Right: distributions; heights are "
    "square roots of densities. Expected values bunch together where little is known; drawn ones should look "
    "as measured ones do. Values are on the arcsinh scale of {reference}. The best predicted marker comes "
    "first."
)


def validation_page(
    report: Mapping[str, Any], views: Mapping[str, Mapping[str, Sequence[float]]]
) -> page.Page:
    """Lay out the report of a validation.

    Parameters
    ----------
    report, views
        See `Validation`.

    Returns
    -------
    The page: the verdict first, what it rests on next, how it was made last.
    """
    reference, batch = report["reference"], report["batch"]
    verdict = report["verdict"]
    made: list[page.Block] = [page.Banner(verdict["level"], verdict["headline"], verdict["text"])]
    if report["warnings"]:
        made.append(page.Notes("Warnings", tuple(report["warnings"])))
    made.append(_tiles(report))
    if report["private"]:
        blocks = (page.Text(PRIVATE), _private(report["private"]), page.Text(LEVELS))
        made.append(page.Section("Imputed markers: can they be believed?", blocks))
    made += [_beside(report), _by_marker(report), _plots(report, views), _provenance(report)]
    n = len(report["held_out"])
    return page.Page(
        title=f"What imputing between {reference} and {batch} is worth",
        kicker="Validation report",
        subtitle=(
            f"{n} of the {len(report['markers']['aligned'])} markers that both measured "
            f"{'were' if n > 1 else 'was'} hidden in {batch}, one at a time, and predicted from {reference} "
            "as cellgan align predicts a marker that was not measured."
        ),
        blocks=tuple(made),
        footer=page.made_by(report["cellgan"]),
    )


def _tiles(report: Mapping[str, Any]) -> page.Tiles:
    own, simple = report["mean"][0], best_simple(report)
    beside = f"{BASELINES[simple['method']]}: {decimal(simple['r'])}"
    lowest = min(row["emd"] for row in report["mean"][1:])
    return page.Tiles(
        (
            page.Tile("Mean r", decimal(own["r"]), beside),
            page.Tile("Mean r within populations", decimal(own["r_within"]), "among cells of one population"),
            page.Tile("Drawn to measured", f"{decimal(own['emd'])} SD", f"simple methods: {decimal(lowest)}"),
            page.Tile("In the 90 % interval", percent(own["coverage"]), "90 % is best"),
        )
    )


def _private(private: Sequence[Mapping[str, Any]]) -> page.Table:
    columns = (
        page.Column("Marker"),
        page.Column("Verdict"),
        page.Column("r expected", look="number"),
        page.Column("Four in five reach", look="number"),
        page.Column("r at home", look="number"),
        page.Column("Measured in"),
        page.Column("Judged by", sortable=False),
    )
    rows = tuple(
        (
            page.Cell(entry["marker"]),
            page.Cell(WORDS[entry["level"]]),
            number(entry["r_expected"]),
            number(entry["r_low"]),
            number(entry["r_source"]),
            page.Cell(entry["measured_in"]),
            page.Cell(", ".join(entry["like"]) or entry["text"]),
        )
        for entry in sorted(private, key=lambda entry: -(entry["r_expected"] or 0.0))
    )
    return page.Table("Markers that one batch did not measure", columns, rows)


def _scores(row: Mapping[str, Any], names: Sequence[str] = tuple(TITLES)) -> tuple[page.Cell, ...]:
    return tuple(number(row.get(name), share=name == "coverage") for name in names)


def _score_columns(names: Sequence[str] = tuple(TITLES)) -> tuple[page.Column, ...]:
    return tuple(page.Column(TITLES[name], look="number") for name in names)


def _called(method: str) -> str:
    return method if method == OWN else BASELINES[method]


def _beside(report: Mapping[str, Any]) -> page.Section:
    rows = tuple((page.Cell(_called(row["method"])), *_scores(row)) for row in report["mean"])
    n = len(report["held_out"])
    table = page.Table(
        f"Means over {n} held-out marker{'s' if n > 1 else ''}",
        (page.Column("Method"), *_score_columns()),
        rows,
        strong=frozenset({0}),
    )
    text = TRUTH.format(reference=report["reference"], batch=report["batch"])
    return page.Section("Beside simpler methods", (table, page.Terms(TERMS), page.Text(text)))


def _by_marker(report: Mapping[str, Any]) -> page.Section:
    rows = []
    for entry in _best_first(report["held_out"]):
        own, *simple = entry["methods"]
        best = max(simple, key=lambda row: row["r"])
        rows.append(
            (
                page.Cell(entry["marker"]),
                page.Cell(WORDS[entry["level"]]),
                number(own["r"]),
                page.Cell(f"{decimal(best['r'])} ({best['method']})", best["r"]),
                number(entry["r_source"]),
                *_scores(own, IN_BRIEF),
            )
        )
    columns = (
        page.Column("Marker"),
        page.Column("If missing"),
        page.Column("r", look="number"),
        page.Column("Best simple r", look="number"),
        page.Column("r at home", look="number"),
        *_score_columns(IN_BRIEF),
    )
    some = report["held_out"][0]
    caption = (
        f"Learned from {count(some['n_learned'])} cells of {report['reference']}, scored on "
        f"{count(some['n_scored'])} of {report['batch']}"
    )
    every = page.Table(
        "Every method and marker",
        (page.Column("Marker"), page.Column("Method"), *_score_columns()),
        tuple(
            (page.Cell(entry["marker"]), page.Cell(_called(row["method"])), *_scores(row))
            for entry in _best_first(report["held_out"])
            for row in entry["methods"]
        ),
    )
    blocks = (page.Table(caption, columns, tuple(rows)), page.Details("All methods by marker", (every,)))
    return page.Section("Marker by marker", blocks)


def _plots(report: Mapping[str, Any], views: Mapping[str, Mapping[str, Sequence[float]]]) -> page.Section:
    names = {"reference": report["reference"], "batch": report["batch"]}
    figures = [
        figure
        for entry in _best_first(report["held_out"])
        for figure in marker_figures(entry, views[entry["marker"]])
    ]
    legend = page.Legend(
        (
            (swatch(AFTER, "dot"), "a cell"),
            (swatch(REFERENCE, "area"), "measured"),
            (swatch(BEFORE, "dashed"), "expected"),
            (swatch(AFTER, "line"), "drawn"),
        )
    )
    made: list[page.Block] = [page.Text(PLOTS.format(**names)), legend]
    made.append(page.Gallery(tuple(figures[: 2 * SHOWN]), "medium"))
    if rest := figures[2 * SHOWN :]:
        gallery = page.Gallery(tuple(rest), "medium")
        made.append(page.Details(f"The other {len(rest) // 2} markers, less well predicted", (gallery,)))
    return page.Section("Predicted and measured", tuple(made))


def _best_first(held_out: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(held_out, key=lambda entry: -entry["methods"][0]["r"])


def _provenance(report: Mapping[str, Any]) -> page.Section:
    columns = (
        page.Column("Batch"),
        page.Column("File", look="code"),
        page.Column("Cells", look="number"),
        page.Column("SHA-256", sortable=False, look="code"),
    )
    rows = tuple(
        (
            page.Cell(entry["batch"]),
            page.Cell(str(entry["path"] or "from memory")),
            page.Cell(count(entry["n_cells"]), float(entry["n_cells"])),
            page.Cell(entry["sha256"] or "–"),
        )
        for entry in report["inputs"]
    )
    facts = (("Values", report["transform"]["reason"]), ("Shared", ", ".join(report["markers"]["aligned"])))
    settings = tuple(
        (name, str(value)) for name, value in report["config"].items() if value not in (None, [])
    )
    software = (("cellgan", report["cellgan"]), *report["versions"].items(), ("device", report["device"]))
    return page.Section(
        "How this was made",
        (
            page.Terms(facts),
            page.Table("Inputs", columns, rows),
            page.Details("Settings", (page.Terms(settings),)),
            page.Details("Software", (page.Terms(software),)),
        ),
    )
