"""The page of an evaluation: how good the masks are, where they fail, and how they were made."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from cellgan.atomic import atomic
from cellgan.errors import InputError
from cellgan.report import page
from cellgan.report.charts import swatch
from cellgan.report.numbers import decimal
from cellgan.segmentation import report_figures as figures
from cellgan.segmentation.calibration import pooled
from cellgan.segmentation.overlays import PREDICTED, TRUTH, overlays
from cellgan.segmentation.report_provenance import provenance
from cellgan.segmentation.sidecar import read_sidecar
from cellgan.segmentation.verdict import RULE, dice_by_case, verdict_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cellgan.segmentation.evaluation import Evaluation
    from cellgan.segmentation.familiarity import Familiarity
    from cellgan.segmentation.pairs import Pair
    from cellgan.segmentation.sidecar import Sidecar

TITLES = {
    "dice": "Dice",
    "hd95": "HD95, mm",
    "surface": "Surface, mm",
    "sensitivity": "Sensitivity",
    "volume_error": "Volume error",
}
TERMS = (
    ("Dice", "2 × overlap / (predicted + true voxels). 1 is best, 0 is no overlap."),
    (
        "HD95",
        "95 % Hausdorff distance: all but the worst twentieth of both surfaces lie within it. 0 is best.",
    ),
    ("Surface", "Mean distance from surface to surface. 0 is best."),
    ("Sensitivity", "Share of the true voxels that were found."),
    ("Volume error", "(Predicted − true volume) / mean of both. 0 is best; above 0: too large."),
    (
        "Strangeness",
        "How unlike the training cases the network finds a case; above 1 is unusual, and flagged.",
    ),
)
OUTLINES = (
    "Slices are seen from below: the patient’s right is on the left, the front on top. Their grey goes from "
    "the darkest to the brightest hundredth of what is shown. Three slices: a sixth, half and five sixths of "
    "the way up through both masks."
)
NO_IMAGES = (
    "There are no pictures, since it is not known which images these masks belong to: evaluate against a "
    "table of cases (CASES.csv) to see the outlines of the worst, the median and the best case."
)
DOTS = (
    "A dot is a case; a ring is one that the model flagged as unlike its training. Bars stand at the means."
)
VOLUMES = "On the line both volumes are alike; above it the mask is too large."
CALIBRATION = (
    "A probability can be taken at its word where dots lie on the line: of the voxels that are given .7, "
    "seven in ten hold the label. Below the line the model is too sure of the label, above it not "
    "sure enough. All cases pooled; voxels far from the organ do not count, so the leftmost dot holds all "
    "that was missed and little else. Expected calibration error, mean of {n} cases: {error}."
)
TRAINING = "Losses by round{many}. Those of networks that play against each other settle rather than fall."


def write_report(path: Path, found: Evaluation, pairs: Sequence[Pair], *, about: str) -> None:
    """Write the page.

    Parameters
    ----------
    path
        The file, ending in ``.html``.
    found
        The scores.
    pairs
        The masks that were scored; images, where they are known, are drawn behind the outlines.
    about
        What was scored, in a sentence.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    text = page.render(report_page(found, pairs, about=about))
    with atomic(path) as part:
        part.write_text(text, encoding="utf-8")


def report_page(found: Evaluation, pairs: Sequence[Pair], *, about: str) -> page.Page:
    """Lay the page out: the verdict first, what it rests on next, how it was made last."""
    verdict, dice = verdict_of(found), dice_by_case(found)
    notes = {pair.case: note for pair in pairs if (note := read_sidecar(pair.predicted)) is not None}
    blocks: list[page.Block] = [page.Banner(verdict.tone, verdict.headline, verdict.text)]
    if doubts := _doubts(found, dice):
        blocks.append(page.Notes("Flagged by the model", doubts))
    blocks += [
        _tiles(found),
        _outlines(pairs, dice),
        _sites(found),
        _cases(found),
        _agreement(found),
        *_training(notes),
        provenance(pairs, notes),
    ]
    n = len(dice)
    return page.Page(
        title=f"Segmentation of {n} case{'s' if n > 1 else ''}",
        kicker="Segmentation report",
        subtitle=about,
        blocks=tuple(blocks),
        footer=f"Made by cellgan {version('cellgan')}. Research software: not for diagnosis.",
    )


def _doubts(found: Evaluation, dice: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(
        f"{case} (Dice {decimal(dice[case])}): {'; '.join(one.reasons)}"
        for case, one in found.familiarity.items()
        if not one.trusted
    )


def _tiles(found: Evaluation) -> page.Tiles:
    def values(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([row.scores[name] for row in found.cases])

    dice, far, error = (values(name) for name in ("dice", "hd95", "volume_error"))
    off = decimal(float(np.abs(error).mean()) * 100, 0)
    lean = float(error.mean()) * 100
    tiles = [
        page.Tile(
            "Mean Dice", decimal(float(dice.mean())), f"standard deviation {decimal(float(dice.std()))}"
        ),
        page.Tile("Median HD95", f"{decimal(float(np.median(far)), 1)} mm", "half of the cases have less"),
        page.Tile("Volumes are off by", f"{off} %", f"on average; the masks are {_lean(lean)}"),
    ]
    if found.calibration:
        errors = [one.error for one in found.calibration.values()]
        tiles.append(
            page.Tile("Calibration error", decimal(float(np.mean(errors))), "of probabilities; 0 is best")
        )
    elif found.familiarity:
        n = sum(not one.trusted for one in found.familiarity.values())
        tiles.append(
            page.Tile("Flagged by the model", str(n), f"of {len(found.familiarity)} that were judged")
        )
    return page.Tiles(tuple(tiles))


def _lean(percent: float) -> str:
    if abs(percent) < 1:
        return "neither too large nor too small"
    return f"{decimal(abs(percent), 0)} % too {'large' if percent > 0 else 'small'}"


def _outlines(pairs: Sequence[Pair], dice: Mapping[str, float]) -> page.Section:
    """Show the worst, the median and the best of the cases whose images are known."""
    known = [(pair, pair.image) for pair in pairs if pair.image is not None]
    order = sorted(known, key=lambda one: dice[one[0].case])
    if not order:
        return page.Section("Outlines", (page.Text(NO_IMAGES),))
    places = {0: "Worst", len(order) // 2: "Median", len(order) - 1: "Best"}
    legend = page.Legend(((swatch(TRUTH, "line"), "truth"), (swatch(PREDICTED, "line"), "predicted")))
    blocks: list[page.Block] = [page.Text(OUTLINES), legend]
    for place in sorted(places):
        pair, image = order[place]
        site = "" if pair.site == "-" else f", site {pair.site}"
        title = f"{places[place]}: {pair.case}{site}, Dice {decimal(dice[pair.case])}"
        if len(order) == 1:
            title = f"{pair.case}{site}, Dice {decimal(dice[pair.case])}"
        blocks.append(page.Section(title, (_drawn(pair, image),)))
    return page.Section("The worst, the median and the best case", tuple(blocks))


def _drawn(pair: Pair, image: Path) -> page.Block:
    try:
        return page.Gallery(overlays(pair, image), "thirds")
    except InputError as error:
        return page.Text(f"No picture: {error}")


def _sites(found: Evaluation) -> page.Section:
    labels = sorted({row.label for row in found.sites})
    rows: list[tuple[page.Cell, ...]] = []
    strong: set[int] = set()
    for row in found.sites:
        if row.site == "all":
            strong.add(len(rows))
        named = (page.Cell("all" if row.site == "all" else row.site),)
        number = (page.Cell(str(row.label), row.label),) if len(labels) > 1 else ()
        scores = tuple(
            page.Cell(
                f"{decimal(row.mean[name], _digits(name))} ± {decimal(row.sd[name], _digits(name))}",
                row.mean[name],
            )
            for name in TITLES
        )
        rows.append((*named, *number, page.Cell(str(row.n), row.n), *scores))
    columns = (
        page.Column("Site"),
        *((page.Column("Label", look="number"),) if len(labels) > 1 else ()),
        page.Column("Cases", look="number"),
        *(page.Column(title, look="number") for title in TITLES.values()),
    )
    table = page.Table("Mean over cases ± standard deviation", columns, tuple(rows), strong=frozenset(strong))
    gallery = page.Gallery(figures.strips(found), "large")
    return page.Section("Scores by site", (table, page.Text(DOTS), gallery))


def _cases(found: Evaluation) -> page.Section:
    several = len({row.label for row in found.cases}) > 1
    rows = []
    for row in sorted(found.cases, key=lambda row: row.scores["dice"]):
        judged = found.familiarity.get(row.case)
        cells = [page.Cell(row.case), page.Cell(row.site)]
        if several:
            cells.append(page.Cell(str(row.label), row.label))
        cells += [
            page.Cell(decimal(row.scores[name], _digits(name)), row.scores[name])
            for name in ("dice", "hd95", "surface")
        ]
        cells += [
            page.Cell(decimal(ml, 1), ml) for ml in (row.truth_ml, row.truth_ml + row.scores["volume_ml"])
        ]
        if found.familiarity:
            cells.append(_strangeness(judged))
        rows.append(tuple(cells))
    columns = (
        page.Column("Case"),
        page.Column("Site"),
        *((page.Column("Label", look="number"),) if several else ()),
        *(page.Column(TITLES[name], look="number") for name in ("dice", "hd95", "surface")),
        page.Column("True, ml", look="number"),
        page.Column("Found, ml", look="number"),
        *((page.Column("Strangeness", look="number"),) if found.familiarity else ()),
    )
    table = page.Table("Every case, the lowest Dice first", columns, tuple(rows))
    words = page.Details("What the figures mean", (page.Terms(TERMS), page.Text(RULE)))
    return page.Section("Case by case", (table, words))


def _strangeness(judged: Familiarity | None) -> page.Cell:
    if judged is None:
        return page.Cell("–", -1.0)
    far = decimal(judged.distance)
    return page.Cell(far if judged.trusted else f"flagged, {far}", judged.distance or 0.0)


def _agreement(found: Evaluation) -> page.Section:
    drawn = [figures.volumes(found)]
    texts = [page.Text(VOLUMES)]
    whole = pooled(found.calibration.values()) if found.calibration else None
    if whole is not None and any(whole.voxels):  # otherwise no voxel is in question
        drawn.append(figures.reliability(whole))
        error = decimal(float(np.mean([one.error for one in found.calibration.values()])), 3)
        texts.append(page.Text(CALIBRATION.format(n=len(found.calibration), error=error)))
    title = "Volumes and probabilities" if len(drawn) > 1 else "Volumes"
    return page.Section(title, (*texts, page.Gallery(tuple(drawn), "large" if len(drawn) > 1 else "thirds")))


def _training(notes: Mapping[str, Sidecar]) -> tuple[page.Section, ...]:
    drawn, n = figures.losses(notes.values())
    if not drawn:
        return ()
    many = "" if n == 1 else f"; a line for each of {n} models"
    gallery = page.Gallery(drawn, "small")
    return (page.Section("Training", (page.Text(TRAINING.format(many=many)), gallery)),)


def _digits(name: str) -> int:
    return 1 if name in {"hd95", "surface"} else 2
