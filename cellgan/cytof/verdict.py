"""One verdict in words on an alignment: from its scores on held-out cells, and from what speaks for it.

Scores measure agreement with the reference, and pressing everything onto the reference agrees best. So a
verdict asks three things: how many cells correspond (`cellgan.cytof.evidence`), whether populations are still
what they were, and only then the scores. The thresholds, and why they stand where they do:

- *Poor, and nothing was moved*: too few cells correspond for anything to be known, or there are few at all.
- *Nothing to align*: cells that correspond do not differ as measured.
- *Poor*: a population is no longer high in what it was high in; or worse than the cells as they came, or than
  the alignment's own start; or an AUC of .80 and more after (the batches are still plainly apart); or less
  than a quarter of a cell's neighbours kept (cells were reshuffled); or nine tenths of the cells have no
  counterpart, which is a mistake rather than biology.
- *Caution*: fewer than half of the cells correspond; gains that differ between markers more than those of
  instruments usually do; an AUC of .65 and more after; no distance above the floor before, or less than half
  of it removed; less than 40 % of the neighbours kept (good alignments of replicates keep 50 to 85 %); fewer
  than 50 cells held out; or any warning, see `cellgan.cytof.batch_warnings`.
- Two scores differ only beyond the noise of the held-out cells. ``floor.emd``, the distance between two
  halves of the reference, is that noise: distances differ beyond a quarter of it, and at least .01 SD. AUCs
  differ beyond .03, two standard errors with 800 against 800 cells.

Files hold the level, for programs; people read the same `WORDS` for it wherever they meet it.
"""

from __future__ import annotations

from math import log
from statistics import median
from typing import TYPE_CHECKING, Any

from cellgan.cytof.batch_warnings import alone, apart, chosen_and_before, known, scores_of, warnings_of
from cellgan.cytof.config import CONSENSUS
from cellgan.cytof.evaluate import AUC_SLACK
from cellgan.cytof.evidence import FEW_CELLS, LEAST_SHARE, MANY, MOST_AUC, USUAL_STRENGTH
from cellgan.cytof.wording import called
from cellgan.report.numbers import count, decimal, listing, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORDS = {"good": "Good", "caution": "Look closer", "poor": "Do not use", "nothing": "Nothing to align"}
AUC_POOR, AUC_CAUTION = 0.80, 0.65
NEIGHBOURS_POOR, NEIGHBOURS_CAUTION = 0.25, 0.40
REMOVED_CAUTION = 0.5
FEW_HELD_OUT = 50  # of the smaller batch: with fewer, scores are chance
CHANGED_SHARE = 0.01  # of the batch's cells, for a population to count
ALL_NOVEL = 0.9  # of a batch's cells: that is no population of its own, but a mistake


def judge_batch(batch: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Say in words whether one batch's alignment can be trusted.

    Parameters
    ----------
    batch
        One entry of the report's ``batches``, without what is returned here.

    Returns
    -------
    The verdict, ``{"level": "good" | "caution" | "poor" | "nothing", "text": ...}``, and the warnings.
    """
    warnings = warnings_of(batch)
    level, text = _judged(batch, warnings)
    return {"level": level, "text": text}, warnings


def _judged(batch: Mapping[str, Any], warnings: Sequence[str]) -> tuple[str, str]:
    """Return level and text."""
    answer, both = batch["evidence"]["answer"], _both(batch)
    chosen, before = chosen_and_before(batch)
    moved = chosen.get("method") != "nothing"
    if answer in {"few", "unknown"}:
        why = _few(batch) if answer == "few" else _unknown(batch)
        became = "Cells were moved as asked, but" if moved else "Values stay as measured:"
        return "poor", f"{became} {why}"
    poor = _failures(chosen, before, batch) if moved else []
    if answer == "nothing":
        alike = (
            f"Cells of {both} that correspond do not differ as measured, neither marker by marker nor to a "
            "classifier: there is no batch effect to remove"
        )
        why = f", and {listing(poor)}" if poor else ""
        return "poor" if poor else "nothing", f"{alike}{why}. Use the values as measured."
    if poor:
        return "poor", f"The aligned values cannot be relied on: {listing(poor)}."
    if not _scored(chosen, before, batch):
        held = listing([count(n) for n in batch["held_out"].values()])
        return "caution", f"There were too few cells to score this alignment: {held} were held out."
    doubts = _doubts(chosen, before, batch)
    why = f"But {listing(doubts)}." if doubts else "Read the warnings before you use the values."
    said = [_gain(chosen, before, batch), *([why] if doubts or warnings else []), _caveat(batch)]
    return "caution" if doubts or warnings else "good", " ".join(said)


def _scored(chosen: Mapping[str, Any], before: Mapping[str, Any], batch: Mapping[str, Any]) -> bool:
    """Say whether scores mean anything."""
    measured = chosen and before and known(chosen["emd"], before["emd"], batch["floor"]["emd"])
    return bool(measured and min(batch["held_out"].values()) >= FEW_HELD_OUT)


def _few(batch: Mapping[str, Any]) -> str:
    """Say that there are too few cells to learn from."""
    learned, reference = batch["learned_from"], called(batch["reference"])
    return (
        f"{count(learned['batch'])} cells of {batch['batch']} and {count(learned['reference'])} of "
        f"{reference} could be learned from, and no batch effect can be told from fewer than {FEW_CELLS}."
    )


def _unknown(batch: Mapping[str, Any]) -> str:
    """Say why nothing can be known: which cells do not correspond, and what would settle it."""
    evidence, name, reference = batch["evidence"], batch["batch"], called(batch["reference"])
    n_cells = count(round(evidence["share"] * batch["n_cells"]))
    some = f"{percent(evidence['share'])} of {name}'s cells (about {n_cells})"
    if evidence["share"] < LEAST_SHARE:
        why = f"only {some} correspond to cells of {reference}, too few to tell a batch effect from biology"
    elif evidence["share"] < MANY and evidence["auc"] > MOST_AUC:
        why = (
            f"{some} could correspond to cells of {reference}, but nothing that an instrument does makes "
            f"them alike (a classifier still tells them apart, AUC {decimal(evidence['auc'])})"
        )
    else:
        why = f"{some} correspond to cells of {reference}, but only by gains that {_gains(batch)}"
    own = alone(batch["clusters"], "share_batch", "share_reference")
    told = [f"{'+ '.join(row['high'])}+ ({percent(row['share_batch'])})" for row in own if row["high"]]
    only = f" {name} alone holds {listing(told[:3])}." if told else ""
    return (
        f"{why}.{only} Control samples of both (--anchors) or cell types known in both "
        "(--correspondence labels:KEY) would settle it."
    )


def _gains(batch: Mapping[str, Any]) -> str:
    """Say which markers' gains differ most from the others'."""
    rows = [row for row in batch["markers"] if known(row.get("gain"))]
    usual = median(log(row["gain"]) for row in rows) if rows else 0.0
    rows.sort(key=lambda row: -abs(log(row["gain"]) - usual))
    told = [f"{row['marker']} times {decimal(row['gain'])}" for row in rows[:3]]
    named = f" ({listing(told)})" if told else ""
    return f"differ between markers more than an instrument's usually do{named}"


def _changed(batch: Mapping[str, Any]) -> list[str]:
    """Name populations that are no longer high in what they were high in."""
    return [
        f"cluster {row['cluster']} ({percent(row['share_batch'])} of {batch['batch']}) was high in "
        f"{listing(row['changed'])} as measured and is not after"
        for row in batch["clusters"]
        if row.get("changed") and row["share_batch"] >= CHANGED_SHARE
    ]


def _both(batch: Mapping[str, Any]) -> str:
    """Name the two that were compared."""
    both = f"{batch['batch']} and {called(batch['reference'])}"
    return f"the controls of {both}" if batch["learned_from"]["source"] == "controls" else both


def _something(chosen: Mapping[str, Any], before: Mapping[str, Any], floor: Mapping[str, Any]) -> bool:
    """Say whether any difference was removed, beyond the noise."""
    nearer = apart(before["emd"], chosen["emd"], floor["emd"])
    return nearer or (known(before["auc"], chosen["auc"]) and before["auc"] - chosen["auc"] > AUC_SLACK)


def _caveat(batch: Mapping[str, Any]) -> str:
    """Say what an alignment without fault may have removed besides the batch effect, if it removed any."""
    chosen, before = chosen_and_before(batch)
    if not _something(chosen, before, batch["floor"]):
        return "Use the values as measured, or look at the markers."
    name, reference = batch["batch"], batch["reference"]
    others = "the other batches" if reference == CONSENSUS else reference
    return {
        "cells": f"If {name} was also treated differently from {others}, that difference is gone too.",
        "controls": f"Only what the controls of {name} and {reference} differ in was removed from all cells.",
        "condition": f"Differences between conditions are left; whatever else {name} and {reference} differ "
        "in is gone.",
    }[batch["learned_from"]["source"]]


def _removed(chosen: Mapping[str, Any], before: Mapping[str, Any], floor: Mapping[str, Any]) -> float:
    """Share of the distance above the floor that is gone, from 0 to 1; 1 where there was none."""
    excess = before["emd"] - floor["emd"]
    return min(1.0, max(0.0, (before["emd"] - chosen["emd"]) / excess)) if excess > 0 else 1.0


def _gain(chosen: Mapping[str, Any], before: Mapping[str, Any], batch: Mapping[str, Any]) -> str:
    both, floor = _both(batch), batch["floor"]["emd"]
    if not _something(chosen, before, batch["floor"]):
        return f"What was removed of the difference between {both} is within the noise of the scores."
    if not apart(before["emd"], floor, floor):
        return (
            f"Marker by marker, {both} lay as close to each other as chance allows; a classifier told them "
            f"apart with an AUC of {decimal(before['auc'])} before, {decimal(chosen['auc'])} after."
        )
    return (
        f"{percent(_removed(chosen, before, batch['floor']))} of the distance between {both} "
        f"beyond chance was removed ({decimal(before['emd'])} SD before, {decimal(chosen['emd'])} after; two "
        f"halves of the reference show {decimal(floor)})."
    )


def _failures(chosen: Mapping[str, Any], before: Mapping[str, Any], batch: Mapping[str, Any]) -> list[str]:
    """Say what makes aligned values useless."""
    reasons = _changed(batch)
    if batch["novel"] > ALL_NOVEL * batch["n_cells"]:
        reasons.append(f"hardly any cell has a counterpart in {called(batch['reference'])}")
    if _scored(chosen, before, batch):
        reasons += _bad_scores(chosen, before, scores_of(batch, "start"), batch)
    return reasons


def _bad_scores(
    chosen: Mapping[str, Any],
    before: Mapping[str, Any],
    start: Mapping[str, Any],
    batch: Mapping[str, Any],
) -> list[str]:
    reasons = []
    rivals = [("they lie farther from the reference than the cells as they came", before)]
    rivals += (
        [("they lie farther from the reference than where the alignment started", start)] if start else []
    )
    for words, rival in rivals:
        if known(rival["emd"]) and apart(chosen["emd"], rival["emd"], batch["floor"]["emd"]):
            reasons.append(f"{words} ({decimal(chosen['emd'])} against {decimal(rival['emd'])} SD)")
    if known(chosen["auc"], before["auc"]) and chosen["auc"] - before["auc"] > AUC_SLACK:
        auc = f"AUC {decimal(chosen['auc'])} against {decimal(before['auc'])}"
        reasons.append(f"they are told from the reference more easily than the cells as they came ({auc})")
    elif known(chosen["auc"]) and chosen["auc"] >= AUC_POOR:
        reasons.append(f"a classifier still tells them from the reference (AUC {decimal(chosen['auc'])})")
    if known(chosen["neighbours"]) and chosen["neighbours"] < NEIGHBOURS_POOR:
        reasons.append(
            f"only {percent(chosen['neighbours'])} of a cell's neighbours are still its neighbours"
        )
    return reasons


def _doubts(chosen: Mapping[str, Any], before: Mapping[str, Any], batch: Mapping[str, Any]) -> list[str]:
    evidence, floor = batch["evidence"], batch["floor"]
    reasons = []
    if batch.get("scale"):
        reasons.append(f"the scale is in doubt ({batch['scale']})")
    if not _something(chosen, before, floor):
        reasons.append("cells were moved all the same")
    if known(evidence["share"]) and evidence["share"] < MANY:
        who = f"{percent(evidence['share'])} of {batch['batch']}'s cells"
        reasons.append(f"only {who} correspond to cells of {called(batch['reference'])}")
    if known(evidence["strength"]) and evidence["strength"] > USUAL_STRENGTH:
        reasons.append(f"gains {_gains(batch)}")
    if known(chosen["auc"]) and chosen["auc"] >= AUC_CAUTION:
        reasons.append(f"a classifier partly tells the batches apart still (AUC {decimal(chosen['auc'])})")
    if _something(chosen, before, floor) and not apart(before["emd"], floor["emd"], floor["emd"]):
        reasons.append("so small a difference is known too badly for values to gain much by its removal")
    elif apart(before["emd"], floor["emd"], floor["emd"]) and (
        _removed(chosen, before, floor) < REMOVED_CAUTION
    ):
        reasons.append("more than half of the distance remains")
    if known(chosen["neighbours"]) and chosen["neighbours"] < NEIGHBOURS_CAUTION:
        reasons.append(
            f"only {percent(chosen['neighbours'])} of a cell's neighbours are still its neighbours"
        )
    return reasons
