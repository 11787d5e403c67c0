"""What a person must know of types that were carried from one centre to another, besides what was done.

- *The alignment*: it came first, and was not judged good.
- *Other types*: at least 1 % of the target's cells look like no labelled one.
- *Missing markers*: the source measured proteins that the target did not.
- *Hard to tell*: in cross-validation on the source, less than nine tenths of a type's cells were found.
- *Not found*: no cell of the target was given a type.
- *Few cells*: fewer than 500 on a side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.cytof.batch_warnings import FEW_CELLS, NOVEL_SHARE
from cellgan.cytof.verdict import WORDS
from cellgan.report.numbers import count, listing, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

LEAST_FOUND = 0.9
GOOD = ("good", "nothing")


def warnings_of(report: Mapping[str, Any]) -> list[str]:
    """Return what to know, one sentence or two each, given the report of `AdaptedCells` so far."""
    return [
        *_alignment(report),
        *_novel(report),
        *_missing(report),
        *_hard_to_tell(report),
        *_not_found(report),
        *_few(report),
    ]


def _alignment(report: Mapping[str, Any]) -> list[str]:
    alignment = report["alignment"]
    if alignment is None or alignment["verdict"]["level"] in GOOD:
        return []
    verdict = alignment["verdict"]
    said = " ".join([verdict["text"], *alignment["warnings"]])
    return [f"The alignment that came first is judged “{WORDS[verdict['level']]}”. {said}"]


def _novel(report: Mapping[str, Any]) -> list[str]:
    n, total = report["novel"], report["n_cells"][1]
    if n < NOVEL_SHARE * total:
        return []
    most = sorted(report["each_type"], key=lambda each: -each["novel"])
    named = listing([f"{each['type']} ({count(each['novel'])})" for each in most if each["novel"]], limit=3)
    what = "were dropped" if report["cells"]["novel_unknown"] else "stay unless you give --novel-unknown"
    said = (
        f"{count(n)} of {report['target']}’s cells ({percent(n / total)}) look like no labelled cell of "
        f"{report['source']}, which may lack their type. However sure the classifier was, it took them for "
        f'{named}. These names {what}; the cells are marked in obs["cellgan_novel"].'
    )
    return [said]


def _missing(report: Mapping[str, Any]) -> list[str]:
    source, target = report["source"], report["target"]
    missing = report["missing"][source]
    if not missing:
        return []
    n = len(report["markers"])
    said = f"{target} did not measure {len(missing)} of {source}’s markers: {listing(missing)}."
    return [f"{said} Types are told by the {n} that both measured: {listing(report['markers'], limit=12)}."]


def _hard_to_tell(report: Mapping[str, Any]) -> list[str]:
    hard = [each for each in report["each_type"] if each["found_at_home"] < LEAST_FOUND]
    if not hard:
        return []
    named = listing([f"{each['type']} ({percent(each['found_at_home'])})" for each in hard])
    said = f"With these markers not all types can be told apart, even among {report['source']}’s own cells."
    return [f"{said} In cross-validation only so many were found: {named}."]


def _not_found(report: Mapping[str, Any]) -> list[str]:
    lost = [each["type"] for each in report["each_type"] if not each["given"]]
    return [f"No cell of {report['target']} was taken for {listing(lost)}."] if lost else []


def _few(report: Mapping[str, Any]) -> list[str]:
    sides = (
        (report["source"], report["n_labelled"], "labelled cell"),
        (report["target"], report["n_cells"][1], "cell"),
    )
    return [
        f"{name} has {count(n)} {what}{'s' if n > 1 else ''}: with fewer than {FEW_CELLS}, much is chance."
        for name, n, what in sides
        if n < FEW_CELLS
    ]
