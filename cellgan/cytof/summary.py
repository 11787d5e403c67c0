"""What an alignment reports, as JSON can hold it; docs/report.md describes every entry."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import cellgan
from cellgan.core import pick
from cellgan.cytof.cells import same_values
from cellgan.cytof.populations import populations
from cellgan.cytof.proposals import NOTHING
from cellgan.cytof.trust import WORDS, trust_private
from cellgan.cytof.verdict import judge_batch
from cellgan.report.numbers import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.evaluate import Scores
    from cellgan.cytof.gaps import Gap
    from cellgan.cytof.impute import Imputed
    from cellgan.cytof.imputed_quality import Quality
    from cellgan.cytof.learn import Learned
    from cellgan.cytof.prepare import Prepared
    from cellgan.cytof.read_write import CellBatch
    from cellgan.cytof.transform import Standardise
    from cellgan.cytof.views import View
    from cellgan.cytof.whole_run import Sample

FORMAT = 1
LIBRARIES = ("torch", "numpy", "scipy", "scikit-learn", "anndata", "scanpy")


class Filled(NamedTuple):
    """What fills one gap.

    Attributes
    ----------
    gap
        Which.
    imputed
        For some cells of the target; arcsinh units, of the source.
    quality
        How well the markers were predicted in cells of the source that were held out.
    n_novel
        How many cells of the target have no counterpart in the source; None where nobody looked.
    """

    gap: Gap
    imputed: Imputed
    quality: Quality
    n_novel: int | None


def run_summary(
    batches: Sequence[CellBatch], prepared: Prepared, config: AlignConfig, *, reference: str
) -> dict[str, Any]:
    """Say what was aligned to what, and how."""
    panel, decision = prepared.panel, prepared.decision
    notes = _same_cells(batches)
    notes += [f"{batch.name}: {note}" for batch in batches for note in batch.notes]
    return {
        "cellgan": cellgan.__version__,
        "format": FORMAT,
        "config": asdict(config) | {"markers": list(config.markers)},
        "versions": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
        "device": pick(config.device).type,
        "reference": reference,
        "inputs": [
            {
                "batch": batch.name,
                "path": str(batch.path) if batch.path else None,
                "format": batch.format,
                "sha256": batch.sha256,
                "n_cells": batch.n_cells,
                "n_channels": len(batch.markers),
            }
            for batch in batches
        ],
        "transform": {
            "name": decision.name,
            "cofactor": decision.cofactors.usual,
            "cofactors": dict(decision.cofactors.own),
            "reason": decision.reason,
            "warning": decision.warning,
        },
        "markers": {
            "aligned": list(panel.shared),
            "kept": [{"name": name, "kind": kind} for name, kind in panel.kept],
            "private": {name: list(markers) for name, markers in panel.private.items()},
        },
        "warnings": [note for note in (decision.warning, *panel.notes, *notes) if note],
    }


def batch_summary(
    learned: Learned, prepared: Prepared, *, view: View, units: Standardise, sample: Sample
) -> dict[str, Any]:
    """Say how well one batch was aligned.

    Parameters
    ----------
    learned
        Its mover and scores, and what they were learned from.
    prepared
        All batches.
    view
        A sample of cells before and after.
    units
        Standard units of the reference, for the markers of `view`.
    sample
        Some of its cells as mapped, and how many of all are novel.
    """
    pair, _, lesson = learned
    own, reference = (prepared.batch(side.batch.name) for side in (lesson.cells, lesson.reference))
    before, after = pair.scores[NOTHING], pair.scores[pair.chosen]
    gain = None if pair.response is None else np.exp(pair.response.log_gain)
    sd = np.median(sample.mapped.sd[:, prepared.columns(own).aligned], axis=0) / units.sd
    batch: dict[str, Any] = {
        "batch": own.name,
        "reference": reference.name,
        "n_cells": own.n_cells,
        "novel": sample.n_novel,
        "scale": prepared.decision.warning,
        "learned_from": {
            "source": lesson.source,
            "reference": len(lesson.reference.rows),
            "batch": len(lesson.cells.rows),
        },
        "held_out": dict(zip(("reference", "batch"), pair.held_out, strict=True)),
        "scores": [_row(method, scores, pair.chosen) for method, scores in pair.scores.items()],
        "evidence": {"answer": pair.evidence.answer}
        | {key: _number(value) for key, value in pair.evidence._asdict().items() if key != "answer"},
        "floor": {key: _number(value) for key, value in pair.floor.items()},
        "markers": [
            {
                "marker": marker,
                "emd_before": _number(before.emd_by_marker[i]),
                "emd_after": _number(after.emd_by_marker[i]),
                "moved": _number(after.moved_by_marker[i]),
                "sd": float(sd[i]),
                "gain": None if gain is None else float(gain[i]),
            }
            for i, marker in enumerate(view.markers)
        ],
        "clusters": populations(pair, view, units),
        "losses": {"rounds": pair.losses.rounds, "terms": pair.losses.terms},
    }
    verdict, warnings = judge_batch(batch)
    return batch | {"verdict": verdict, "warnings": warnings}


def about(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a report what AnnData keeps in ``uns``: numbers and text, with JSON for what is nested."""
    return {
        "version": report["cellgan"],
        "seed": report["config"]["seed"],
        "reference": report["reference"],
        "config": json.dumps(report["config"]),
        "inputs": json.dumps(report["inputs"]),
        "transform": json.dumps(report["transform"]),
        "scores": json.dumps({b["batch"]: b["scores"] for b in report["batches"]}),
        "verdicts": json.dumps({b["batch"]: b["verdict"] for b in report["batches"]}),
    }


def imputed_summary(filled: Sequence[Filled]) -> list[dict[str, Any]]:
    """Say which markers were imputed from what, and how well they are predicted where they were learned."""
    return [
        {
            "batch": gap.target,
            "source": gap.source,
            "predictors": list(gap.predictors),
            "novel": n_novel,
            "auc": _number(quality.auc),
            "markers": [
                {
                    "marker": marker,
                    "r": _number(r),
                    "coverage": _number(coverage),
                    "spread": _number(spread),
                    "level": (trust := trust_private(marker, r, {}, source=gap.source, spread=spread)).level,
                    "why": trust.text,
                }
                for marker, r, coverage, spread in zip(
                    gap.markers, quality.r, quality.coverage, quality.spread(imputed), strict=True
                )
            ],
        }
        for gap, imputed, quality, n_novel in filled
    ]


def say_imputed(say: Callable[[str], None], imputed: Sequence[Mapping[str, Any]]) -> None:
    """Say in a line for each batch how well markers were imputed; see `imputed_summary`."""
    for entry in imputed:
        doubtful = [marker["marker"] for marker in entry["markers"] if marker["level"] == "no"]
        said = f" ({WORDS['no'].lower()}: {listing(doubtful)})" if doubtful else ""
        n = len(entry["markers"])
        markers = f"{n} marker{'s' if n > 1 else ''}"
        say(
            f"{entry['batch']}: {markers} imputed from {entry['source']}{said}; use them with care until "
            "cellgan validate has tested them"
        )


def _same_cells(batches: Sequence[CellBatch]) -> list[str]:
    """Warn of batches that hold the very same cells, in the same order."""
    alike: list[list[CellBatch]] = []
    for batch in batches:
        for group in alike:
            if same_values(group[0].cells, batch.cells):
                group.append(batch)
                break
        else:
            alike.append([batch])
    return [
        f"{listing([batch.name for batch in group])} hold the same cells, value by value: was one of them "
        "copied, or given by mistake?"
        for group in alike
        if len(group) > 1
    ]


def _row(method: str, scores: Scores, chosen: str) -> dict[str, Any]:
    row: dict[str, Any] = {"method": method}
    row |= {key: _number(getattr(scores, key)) for key in ("emd", "auc", "neighbours", "moved")}
    return row | ({"chosen": True} if method == chosen else {})


def _number(value: float | np.floating[Any]) -> float | None:
    """Return a number that JSON knows: null where there were too few cells to measure one."""
    return float(value) if np.isfinite(value) else None
