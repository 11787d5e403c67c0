"""One verdict in words on an alignment, from its scores on held-out cells.

The thresholds, and why they stand where they do:

- Two scores differ only beyond the noise of the held-out cells. ``floor.emd``, the distance between two
  halves of the reference, is that noise: distances differ beyond a quarter of it, and at least .01 SD. AUCs
  differ beyond .03, two standard errors with 800 against 800 cells.
- *Nothing to align*: before, the batch lay no farther from the reference than its halves from each other,
  and a classifier told it from the reference no better than a guess, or than it told the halves apart.
- *Poor*: worse than the cells as they came, or than the alignment's own start; or an AUC of .80 and more
  after (the batches are still plainly apart); or less than a quarter of a cell's neighbours kept (cells were
  reshuffled).
- *Caution*: an AUC of .65 and more after; less than half of the distance above the floor removed; less than
  40 % of the neighbours kept (good alignments of replicates keep 50 to 85 %); or any warning.
- *Could not be scored*: fewer than 50 cells of a batch were held out; and *poor* if nine tenths of its cells
  have no counterpart, which is a mistake rather than biology.
- *Warnings*: see `cellgan.cytof.batch_warnings`.

Files hold the level, for programs; people read the same `WORDS` for it wherever they meet it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.cytof.batch_warnings import apart, chosen_and_before, known, scores_of, warnings_of
from cellgan.cytof.config import CONSENSUS
from cellgan.cytof.evaluate import AUC_SLACK
from cellgan.cytof.wording import called
from cellgan.report.numbers import count, decimal, listing, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS = {"good": "Good", "caution": "Look closer", "poor": "Do not use", "nothing": "Nothing to align"}
AUC_POOR, AUC_CAUTION = 0.80, 0.65
NEIGHBOURS_POOR, NEIGHBOURS_CAUTION = 0.25, 0.40
REMOVED_CAUTION = 0.5
FEW_HELD_OUT = 50  # of the smaller batch: with fewer, scores are chance
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
    chosen, before = chosen_and_before(batch)
    both = _both(batch)
    if batch["evidence"]["answer"] == "nothing" and chosen and chosen["method"] == "nothing":
        text = (
            f"As measured, {both} lie as close to each other as two halves of the reference do: there is no "
            "batch effect to remove. Use the values as measured."
        )
        return {"level": "nothing", "text": text}, warnings
    scored = chosen and before and known(chosen["emd"], before["emd"], batch["floor"]["emd"])
    if not scored or min(batch["held_out"].values()) < FEW_HELD_OUT or _lost(batch):
        return _without_scores(batch), warnings
    poor = _failures(chosen, before, scores_of(batch, "start"), batch)
    if batch["evidence"]["answer"] == "nothing":
        why = poor[0] if poor else "there was no batch effect to remove"
        text = f"Before, {both} were alike, and {why}. Use the values as measured."
        return {"level": "poor" if poor else "nothing", "text": text}, warnings
    if poor:
        text = f"The aligned values cannot be relied on: {listing(poor)}."
        return {"level": "poor", "text": text}, warnings
    doubts = _doubts(chosen, before, batch["floor"])
    gain = _gain(chosen, before, batch)
    if doubts or warnings:
        why = f"But {listing(doubts)}." if doubts else "Read the warnings before you use the values."
        return {"level": "caution", "text": f"{gain} {why} {_caveat(batch)}"}, warnings
    return {"level": "good", "text": f"{gain} {_caveat(batch)}"}, warnings


def _lost(batch: Mapping[str, Any]) -> bool:
    return bool(batch["novel"] > ALL_NOVEL * batch["n_cells"])


def _without_scores(batch: Mapping[str, Any]) -> dict[str, str]:
    """Judge where scores mean nothing."""
    if _lost(batch):
        reference = called(batch["reference"])
        text = f"The aligned values cannot be relied on: hardly any cell has a counterpart in {reference}."
        return {"level": "poor", "text": text}
    held = listing([count(n) for n in batch["held_out"].values()])
    text = f"There were too few cells to score this alignment: {held} were held out. Look at the plots."
    return {"level": "caution", "text": text}


def _both(batch: Mapping[str, Any]) -> str:
    """Name the two that were compared."""
    both = f"{batch['batch']} and {called(batch['reference'])}"
    return f"the controls of {both}" if batch["learned_from"]["source"] == "controls" else both


def _caveat(batch: Mapping[str, Any]) -> str:
    """Say what an alignment without fault may have removed besides the batch effect."""
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


def _failures(
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


def _doubts(chosen: Mapping[str, Any], before: Mapping[str, Any], floor: Mapping[str, Any]) -> list[str]:
    reasons = []
    if known(chosen["auc"]) and chosen["auc"] >= AUC_CAUTION:
        reasons.append(f"a classifier partly tells the batches apart still (AUC {decimal(chosen['auc'])})")
    there_was_some = apart(before["emd"], floor["emd"], floor["emd"])
    if there_was_some and _removed(chosen, before, floor) < REMOVED_CAUTION:
        reasons.append("more than half of the distance remains")
    if known(chosen["neighbours"]) and chosen["neighbours"] < NEIGHBOURS_CAUTION:
        reasons.append(
            f"only {percent(chosen['neighbours'])} of a cell's neighbours are still its neighbours"
        )
    return reasons
