"""Predictions beside the truth: by slice, by case, by site."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cellgan.atomic import atomic
from cellgan.seeds import check_seed
from cellgan.segmentation.calibration import Calibration, calibrate
from cellgan.segmentation.compare import Difference, compare
from cellgan.segmentation.metrics import METRICS, score
from cellgan.segmentation.pairs import Pair, find_pairs
from cellgan.segmentation.sidecar import read_sidecar
from cellgan.segmentation.slices import upward
from cellgan.segmentation.volumes import Volume, check_same_grid, read_mask, read_volume

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellgan.segmentation.familiarity import Familiarity

FORMAT = 1
ALL = "all"


@dataclass(frozen=True)
class Row:
    """The figures of one label in one case, or in one slice of it.

    Attributes
    ----------
    case, site
        As in the table of cases; a site that nobody named is ``-``.
    label
        The label, from 1.
    index
        The slice along the file's axis nearest to superior, from 0; None for the whole case.
    truth_ml
        Volume of the truth in ml; of a slice, that of its voxels.
    scores
        By name: see `cellgan.segmentation.metrics`.
    """

    case: str
    site: str
    label: int
    index: int | None
    truth_ml: float
    scores: dict[str, float]


@dataclass(frozen=True)
class Summary:
    """Mean and standard deviation over the cases of one site, of one label; the site "all" is every case."""

    site: str
    label: int
    n: int
    mean: dict[str, float]
    sd: dict[str, float]


@dataclass(frozen=True)
class Evaluation:
    """The figures of some predictions.

    Attributes
    ----------
    cases
        One row a case and label.
    slices
        One row a slice and label, for slices that hold the label in either mask.
    sites
        One summary a site and label, and one of all cases.
    calibration
        Probabilities beside the truth by case; of those alone that have a probability map beside their mask.
    familiarity
        Whether to trust each case's mask; of those alone beside which it is said, as `predict` does.
    """

    cases: tuple[Row, ...]
    slices: tuple[Row, ...]
    sites: tuple[Summary, ...]
    calibration: dict[str, Calibration]
    familiarity: dict[str, Familiarity]

    def values(self, metric: str, label: int) -> dict[str, float]:
        """Return a figure of one label by case."""
        return {row.case: row.scores[metric] for row in self.cases if row.label == label}

    def against(self, other: Evaluation, *, seed: int) -> dict[int, dict[str, Difference]]:
        """Compare with another run on the same cases: by label and figure, this run's mean less the other's.

        Raises
        ------
        ConfigError
            The seed is negative or too large.
        InputError
            The cases are not the same.
        """
        check_seed(seed)
        labels = sorted({row.label for row in (*self.cases, *other.cases)})
        return {
            label: {
                name: compare(self.values(name, label), other.values(name, label), seed=seed)
                for name in METRICS
            }
            for label in labels
        }

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        found = {"format": FORMAT, **asdict(self)}
        for case, calibration in self.calibration.items():
            found["calibration"][case]["error"] = calibration.error
        for case, familiarity in self.familiarity.items():
            found["familiarity"][case]["trusted"] = familiarity.trusted
        return found

    def write_csv(self, path: Path) -> None:
        """Write one line a case and label.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["case", "site", "label", *METRICS, "truth_ml", "trusted", "distance"])
        for row in self.cases:
            judged = self.familiarity.get(row.case)
            trust = ["", ""] if judged is None else ["yes" if judged.trusted else "no", judged.distance]
            figures = [row.scores[name] for name in METRICS]
            table.writerow([row.case, row.site, row.label, *figures, row.truth_ml, *trust])
        with atomic(path) as part:
            part.write_text(text.getvalue(), encoding="utf-8")


def evaluate(predicted: Path | str, truth: Path | str) -> Evaluation:
    """Score predictions: two files, two folders, or a folder and a table of cases.

    Parameters
    ----------
    predicted, truth
        See `cellgan.segmentation.pairs.find_pairs`.

    Raises
    ------
    InputError
        A mask cannot be read, lies elsewhere than its truth, or is missing.
    """
    return evaluate_pairs(find_pairs(Path(predicted), Path(truth)))


def evaluate_pairs(pairs: Sequence[Pair]) -> Evaluation:
    """Score pairs of masks, reading two at a time.

    Raises
    ------
    InputError
        As `evaluate`.
    """
    labels = sorted({label for pair in pairs for label in _labels(pair)} - {0}) or [1]
    cases: list[Row] = []
    slices: list[Row] = []
    calibration: dict[str, Calibration] = {}
    familiarity: dict[str, Familiarity] = {}
    for pair in pairs:
        predicted, truth = _read(pair)
        if (map_file := _map_beside(pair.predicted)) is not None:
            probability = read_volume(map_file)
            check_same_grid(truth, probability)
            calibration[pair.case] = calibrate(probability.data, truth.data > 0)
        if (note := read_sidecar(pair.predicted)) is not None and note.familiarity is not None:
            familiarity[pair.case] = note.familiarity
        axis, voxel = upward(truth), abs(float(np.linalg.det(truth.affine[:3, :3]))) / 1000
        for label in labels:
            a, b = predicted.data == label, truth.data == label
            scores = score(a, b, truth.affine)
            cases.append(Row(pair.case, pair.site, label, None, voxel * int(b.sum()), scores))
            filled = (a | b).any(tuple(k for k in range(3) if k != axis))
            for index in np.flatnonzero(filled).tolist():
                pick = [slice(None)] * 3
                pick[axis] = slice(index, index + 1)
                scores = score(a[tuple(pick)], b[tuple(pick)], truth.affine, axis=axis)
                ml = voxel * int(b[tuple(pick)].sum())
                slices.append(Row(pair.case, pair.site, label, index, ml, scores))
    return Evaluation(tuple(cases), tuple(slices), tuple(_summaries(cases, labels)), calibration, familiarity)


def _map_beside(mask: Path) -> Path | None:
    """Return the probability map that was written with a mask, if there is one."""
    name = mask.name.replace("_mask.nii", "_probability.nii")
    return mask.with_name(name) if name != mask.name and mask.with_name(name).exists() else None


def _read(pair: Pair) -> tuple[Volume, Volume]:
    predicted, truth = read_mask(pair.predicted), read_mask(pair.truth)
    check_same_grid(truth, predicted)
    return predicted, truth


def _labels(pair: Pair) -> set[int]:
    return {int(label) for mask in _read(pair) for label in np.unique(mask.data)}


def _summaries(cases: list[Row], labels: list[int]) -> list[Summary]:
    found = []
    sites = sorted({row.site for row in cases})
    for label in labels:
        for site in [*(sites if len(sites) > 1 else []), ALL]:
            rows = [row.scores for row in cases if row.label == label and site in {row.site, ALL}]
            table = np.array([[scores[name] for name in METRICS] for scores in rows])
            sd = table.std(0, ddof=1) if len(rows) > 1 else np.zeros(len(METRICS))
            found.append(
                Summary(
                    site,
                    label,
                    len(rows),
                    dict(zip(METRICS, table.mean(0).tolist(), strict=True)),
                    dict(zip(METRICS, sd.tolist(), strict=True)),
                )
            )
    return found
