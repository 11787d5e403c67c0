"""What a validation found: a report as JSON can hold it, a table, and a page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cellgan.atomic import atomic
from cellgan.cytof.baselines import BASELINES
from cellgan.cytof.hold_out import OWN
from cellgan.cytof.trust import Trust, trust_held_out, trust_private
from cellgan.cytof.validation_verdict import judge_validation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

SCORES = ("r", "r_within", "nrmse", "emd", "sd_ratio", "corr", "coverage")
COLUMNS = ("marker", "method", "measured_in", *SCORES, "r_source", "r_expected", "trust", "why")
METHODS = (OWN, *BASELINES)


@dataclass(frozen=True, eq=False)
class Validation:
    """Markers that were held out, and what that says of those that were not measured.

    Attributes
    ----------
    report
        As JSON can hold it: see docs/validate.md.
    views
        By name of a held-out marker: some cells as ``measured`` (in the reference's frame), ``expected`` and
        ``drawn``, arcsinh units.
    """

    report: Mapping[str, Any]
    views: Mapping[str, Mapping[str, Sequence[float]]]

    def table(self) -> pd.DataFrame:
        """Return one row a held-out marker and method, and one row a marker that only one batch measured.

        Returns
        -------
        DataFrame
            ``marker``, ``method``, ``measured_in``; scores (see docs/validate.md), NaN where there are
            none; for our method ``r_source``, ``r_expected``, ``trust`` (``trust``, ``care`` or ``no``) and
            ``why``.
        """
        import pandas as pd

        both = ",".join(entry["batch"] for entry in self.report["inputs"])
        rows = []
        for entry in self.report["held_out"]:
            judged = {"r_source": entry["r_source"], "r_expected": entry["r_expected"]}
            judged |= {"trust": entry["level"], "why": entry["text"]}
            for scores in entry["methods"]:
                own = judged if scores["method"] == OWN else {}
                rows.append({"marker": entry["marker"], "measured_in": both, **scores, **own})
        for entry in self.report["private"]:
            told = {name: entry[name] for name in ("marker", "measured_in", "r_source", "r_expected")}
            rows.append(told | {"method": OWN, "trust": entry["level"], "why": entry["text"]})
        table = pd.DataFrame(rows, columns=list(COLUMNS))
        words = ["trust", "why"]
        numbers = [*SCORES, "r_source", "r_expected"]
        return table.astype(dict.fromkeys(numbers, float)).fillna(dict.fromkeys(words, ""))

    def write_report(self, path: Path) -> list[Path]:
        """Write the page, and the report as JSON beside it; each whole or not at all.

        Parameters
        ----------
        path
            The page, ending in ``.html``.

        Returns
        -------
        list[Path]
            What was written.
        """
        from cellgan.cytof.validation_page import validation_page
        from cellgan.report.page import render

        text = render(validation_page(self.report, self.views))
        numbers = json.dumps(self.report, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        files = [path, path.with_suffix(".json")]
        for target, content in zip(files, (text, numbers), strict=True):
            with atomic(target) as part:
                part.write_text(content, encoding="utf-8", newline="\n")
        return files


def summarise(
    about: Mapping[str, Any],
    parts: Sequence[Mapping[str, Any]],
    private: Mapping[str, Mapping[str, float]],
    *,
    batch: str,
) -> Validation:
    """Put all that was found together, and judge it.

    Parameters
    ----------
    about
        What was validated, and how.
    parts
        One result a marker, see `hold_out`.
    private
        By name of batch, the markers that only it measured, and how well each is predicted there.
    batch
        Name of the batch in which markers were hidden.
    """
    held_out = [_held_out(part, batch) for part in parts]
    across = {part["marker"]: (part["r_source"], part["methods"][OWN]["r"]) for part in parts}
    names = list(private)
    judged = [
        {
            "marker": marker,
            "measured_in": source,
            "imputed_in": next(name for name in names if name != source),
            "r_source": _known(r),
            **_said(trust_private(marker, r, across, source=source, tested=source != batch)),
        }
        for source, markers in private.items()
        for marker, r in markers.items()
    ]
    report = {
        **about,
        "batch": batch,
        "held_out": held_out,
        "mean": [_mean(held_out, method) for method in METHODS],
        "private": judged,
    }
    verdict, warnings = judge_validation(report)
    report |= {"verdict": verdict, "warnings": [*about["warnings"], *warnings]}
    return Validation(report, {part["marker"]: part["view"] for part in parts})


def _held_out(part: Mapping[str, Any], batch: str) -> dict[str, Any]:
    own = part["methods"][OWN]
    return {
        "marker": part["marker"],
        "n_learned": part["n_learned"],
        "n_scored": part["n_scored"],
        "r_source": _known(part["r_source"]),
        **_said(trust_held_out(part["marker"], own["r"], own["r_within"], batch=batch)),
        "methods": [
            {"method": method} | {name: _known(value) for name, value in part["methods"][method].items()}
            for method in METHODS
        ],
    }


def _said(trust: Trust) -> dict[str, Any]:
    return {
        "r_expected": _known(trust.r_expected),
        "r_low": _known(trust.r_low),
        "level": trust.level,
        "text": trust.text,
        "like": list(trust.like),
    }


def _mean(held_out: Sequence[Mapping[str, Any]], method: str) -> dict[str, Any]:
    """Return the mean of every score over the markers in which it is known."""
    rows = [next(row for row in entry["methods"] if row["method"] == method) for entry in held_out]
    found: dict[str, Any] = {"method": method}
    for name in rows[0]:
        known = [row[name] for row in rows if row[name] is not None]
        if name != "method":
            found[name] = float(np.mean(known)) if known else None
    return found


def _known(value: float) -> float | None:
    """Return a number that JSON knows."""
    return float(value) if np.isfinite(value) else None
