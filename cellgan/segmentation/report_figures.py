"""Figures of scores: dots by site, volumes, probabilities, losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cellgan.report import dots
from cellgan.report.charts import Axis, Curve, curves, frame
from cellgan.report.page import Figure
from cellgan.report.palette import AFTER
from cellgan.report.strips import Row, strip

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cellgan.segmentation.calibration import Calibration
    from cellgan.segmentation.evaluation import Evaluation
    from cellgan.segmentation.sidecar import Sidecar

_ROOM = 1.05  # of an axis beyond its largest value


def strips(found: Evaluation) -> tuple[Figure, ...]:
    """Draw each case's Dice and 95 % Hausdorff distance as a dot, in a row for each site and label."""
    sites = sorted({row.site for row in found.cases})
    labels = sorted({row.label for row in found.cases})
    made = []
    for name, title in (("dice", "Dice"), ("hd95", "HD95, mm")):
        rows = []
        for site in sites:
            for label in labels:
                there = [row for row in found.cases if (row.site, row.label) == (site, label)]
                rows.append(
                    Row(
                        _called(site, label if len(labels) > 1 else None),
                        [row.scores[name] for row in there],
                        [not _trusted(found, row.case) for row in there],
                    )
                )
        rows = [row for row in rows if len(row.values)]
        largest = max(max(row.values) for row in rows)
        axis = Axis(title, 0.0, 1.0 if name == "dice" else _ROOM * largest or 1.0)
        made.append(Figure(strip(rows, axis, colour=AFTER, alt=f"{title} of each case by site"), title))
    return tuple(made)


def volumes(found: Evaluation) -> Figure:
    """Draw predicted volumes against true ones."""
    pairs = [(row.truth_ml, row.truth_ml + row.scores["volume_ml"]) for row in found.cases]
    points = np.array(pairs)
    high = _ROOM * float(points.max()) or 1.0
    image = dots.draw([dots.Cloud(points, AFTER, 0.75)], (0.0, high), (0.0, high))
    axes = Axis("true volume, ml", 0.0, high), Axis("predicted volume, ml", 0.0, high)
    drawing = frame(image, *axes, alt="Predicted against true volumes, a dot a case", diagonal=True)
    return Figure(drawing, "Volumes")


def reliability(whole: Calibration) -> Figure:
    """Draw the share of voxels that hold a label against what they were given."""
    points = np.array(whole.curve()).T
    image = dots.draw([dots.Cloud(points, AFTER, 0.9)], (0.0, 1.0), (0.0, 1.0))
    axes = Axis("probability", 0.0, 1.0), Axis("share that holds the label", 0.0, 1.0)
    drawing = frame(image, *axes, alt="Shares of labelled voxels by their probability", diagonal=True)
    return Figure(drawing, "Probabilities")


def losses(notes: Iterable[Sidecar]) -> tuple[tuple[Figure, ...], int]:
    """Draw each term of the trainings by round, a line a model; return the figures and how many models."""
    trainings = {}
    for note in notes:
        kept = note.about.get("model", {}).get("losses", {})
        if kept.get("rounds"):
            trainings[repr(kept)] = kept
    terms = sorted({name for kept in trainings.values() for name in kept["terms"]})
    made = []
    for name in terms:
        lines = [
            Curve(np.array(kept["rounds"], dtype=float), np.array(kept["terms"][name], dtype=float), AFTER)
            for kept in trainings.values()
            if name in kept["terms"]
        ]
        player, _, term = name.partition("/")
        drawing = curves(lines, alt=f"{term} of the {player} by round", y_axis=True)
        made.append(Figure(drawing, term, player))
    return tuple(made), len(trainings)


def _called(site: str, label: int | None) -> str:
    """Return the name of a row; the label stands first, since long names of sites are cut off."""
    if label is None:
        return "all cases" if site == "-" else site
    return f"label {label}" if site == "-" else f"label {label}, {site}"


def _trusted(found: Evaluation, case: str) -> bool:
    judged = found.familiarity.get(case)
    return judged is None or judged.trusted
