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
- *Warnings*: fewer than 500 cells in a batch (2 % of them are ten cells); a marker more than .05 SD farther
  away than before; clusters of at least 1 % of one batch that are ten times rarer in the other; per-marker
  quantiles, the simplest rival, ahead on both scores.

Files hold the level, for programs; people read the same `WORDS` for it wherever they meet it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.cytof.evaluate import AUC_SLACK, EMD_SLACK, EMD_SLACK_FLOOR, alike
from cellgan.report.numbers import count, decimal, is_known, listing, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORDS = {"good": "Good", "caution": "Look closer", "poor": "Do not use", "nothing": "Nothing to align"}
FEW_CELLS = 500
AUC_POOR, AUC_CAUTION = 0.80, 0.65
NEIGHBOURS_POOR, NEIGHBOURS_CAUTION = 0.25, 0.40
REMOVED_CAUTION = 0.5
MARKER_WORSE = 0.05
CLUSTER_SHARE, CLUSTER_RATIO = 0.01, 10.0
CLUSTERS_TOLD = 3  # the largest; the table has the rest


def judge_batch(batch: Mapping[str, Any], *, n_cells_reference: int) -> tuple[dict[str, str], list[str]]:
    """Say in words whether one batch's alignment can be trusted.

    Parameters
    ----------
    batch
        One entry of the report's ``batches``: its names, cell count, scores, floor, markers and clusters.
    n_cells_reference
        Cells of the reference batch.

    Returns
    -------
    The verdict, ``{"level": "good" | "caution" | "poor" | "nothing", "text": ...}``, and the warnings.
    """
    warnings = _warnings(batch, n_cells_reference)
    scores = {row["method"]: row for row in batch["scores"]}
    chosen = next((row for row in batch["scores"] if row.get("chosen")), None)
    before = scores.get("nothing")
    if chosen is None or before is None or not _known(chosen["emd"], before["emd"], batch["floor"]["emd"]):
        text = "There were too few cells to score this alignment. Judge it by the figures below."
        return {"level": "caution", "text": text}, warnings
    name, reference = batch["batch"], batch["reference"]
    poor = _failures(chosen, before, scores.get("start"), batch)
    if _alike(before, batch["floor"]):
        if poor:
            text = f"{name} and {reference} were alike before, and {poor[0]}. Use the values as measured."
            return {"level": "poor", "text": text}, warnings
        text = (
            f"As measured, {name} lies as close to {reference} as two halves of {reference} lie to each "
            "other: there is no batch effect to remove. Use the values as measured."
        )
        return {"level": "nothing", "text": text}, warnings
    if poor:
        text = f"The aligned values cannot be relied on: {listing(poor)}."
        return {"level": "poor", "text": text}, warnings
    doubts = _doubts(chosen, before, batch["floor"])
    gain = _gain(chosen, before, batch)
    if doubts or warnings:
        why = f"But {listing(doubts)}." if doubts else "Read the warnings before you use the values."
        return {"level": "caution", "text": f"{gain} {why}"}, warnings
    caveat = f"If {name} was also treated differently from {reference}, that difference is gone too."
    return {"level": "good", "text": f"{gain} {caveat}"}, warnings


def is_worse(marker: Mapping[str, Any]) -> bool:
    """Say whether a marker lies farther from the reference after than before."""
    before, after = marker["emd_before"], marker["emd_after"]
    return _known(before, after) and after - before > MARKER_WORSE


def _known(*values: float | None) -> bool:
    return all(map(is_known, values))


def _apart(a: float, b: float, floor: float) -> bool:
    """Whether distance a is larger than b beyond the noise."""
    return a - b > max(EMD_SLACK, EMD_SLACK_FLOOR * floor)


def _alike(before: Mapping[str, Any], floor: Mapping[str, Any]) -> bool:
    return _known(before["auc"], floor["auc"]) and alike(before["emd"], before["auc"], floor)


def _removed(chosen: Mapping[str, Any], before: Mapping[str, Any], floor: Mapping[str, Any]) -> float:
    """Share of the distance above the floor that is gone, from 0 to 1; 1 where there was none."""
    excess = before["emd"] - floor["emd"]
    return min(1.0, max(0.0, (before["emd"] - chosen["emd"]) / excess)) if excess > 0 else 1.0


def _gain(chosen: Mapping[str, Any], before: Mapping[str, Any], batch: Mapping[str, Any]) -> str:
    name, reference, floor = batch["batch"], batch["reference"], batch["floor"]["emd"]
    if not _apart(before["emd"], floor, floor):
        return (
            f"Marker by marker, {name} lay as close to {reference} as chance allows; a classifier told "
            f"them apart with an AUC of {decimal(before['auc'])} before, {decimal(chosen['auc'])} after."
        )
    return (
        f"{percent(_removed(chosen, before, batch['floor']))} of the distance between {name} and {reference} "
        f"beyond chance was removed ({decimal(before['emd'])} SD before, {decimal(chosen['emd'])} after; two "
        f"halves of the reference show {decimal(floor)})."
    )


def _failures(
    chosen: Mapping[str, Any],
    before: Mapping[str, Any],
    start: Mapping[str, Any] | None,
    batch: Mapping[str, Any],
) -> list[str]:
    reasons = []
    rivals = [("they lie farther from the reference than the cells as they came", before)]
    rivals += (
        [("they lie farther from the reference than where the alignment started", start)] if start else []
    )
    for words, rival in rivals:
        if _known(rival["emd"]) and _apart(chosen["emd"], rival["emd"], batch["floor"]["emd"]):
            reasons.append(f"{words} ({decimal(chosen['emd'])} against {decimal(rival['emd'])} SD)")
    if _known(chosen["auc"], before["auc"]) and chosen["auc"] - before["auc"] > AUC_SLACK:
        auc = f"AUC {decimal(chosen['auc'])} against {decimal(before['auc'])}"
        reasons.append(f"they are told from the reference more easily than the cells as they came ({auc})")
    elif _known(chosen["auc"]) and chosen["auc"] >= AUC_POOR:
        reasons.append(f"a classifier still tells them from the reference (AUC {decimal(chosen['auc'])})")
    if _known(chosen["neighbours"]) and chosen["neighbours"] < NEIGHBOURS_POOR:
        reasons.append(
            f"only {percent(chosen['neighbours'])} of a cell's neighbours are still its neighbours"
        )
    return reasons


def _doubts(chosen: Mapping[str, Any], before: Mapping[str, Any], floor: Mapping[str, Any]) -> list[str]:
    reasons = []
    if _known(chosen["auc"]) and chosen["auc"] >= AUC_CAUTION:
        reasons.append(f"a classifier partly tells the batches apart still (AUC {decimal(chosen['auc'])})")
    if _removed(chosen, before, floor) < REMOVED_CAUTION:
        reasons.append("more than half of the distance remains")
    if _known(chosen["neighbours"]) and chosen["neighbours"] < NEIGHBOURS_CAUTION:
        reasons.append(
            f"only {percent(chosen['neighbours'])} of a cell's neighbours are still its neighbours"
        )
    return reasons


def _warnings(batch: Mapping[str, Any], n_cells_reference: int) -> list[str]:
    name, reference = batch["batch"], batch["reference"]
    found = []
    for who, n_cells in ((name, batch["n_cells"]), (reference, n_cells_reference)):
        if n_cells < FEW_CELLS:
            few = f"{who} has {count(n_cells)} cells"
            found.append(f"{few}: with fewer than {FEW_CELLS}, small populations cannot be matched.")
    found += _one_batch_only(batch["clusters"], name, reference)
    worse = sorted(filter(is_worse, batch["markers"]), key=lambda m: m["emd_before"] - m["emd_after"])
    names = [f"{m['marker']} ({decimal(m['emd_before'])} to {decimal(m['emd_after'])} SD)" for m in worse]
    if names:
        what = "This marker lies" if len(names) == 1 else "These markers lie"
        found.append(f"{what} farther from the reference than before: {listing(names)}.")
    scores = {row["method"]: row for row in batch["scores"]}
    quantiles = scores.get("per-marker quantiles")
    chosen = next((row for row in batch["scores"] if row.get("chosen")), None)
    if quantiles and chosen and _known(*(row[key] for row in (quantiles, chosen) for key in ("emd", "auc"))):
        floor = batch["floor"]["emd"] if _known(batch["floor"]["emd"]) else 0.0
        closer = _apart(chosen["emd"], quantiles["emd"], floor)
        if closer and chosen["auc"] - quantiles["auc"] > AUC_SLACK:
            found.append(
                "Per-marker quantile matching scores better on these batches: see the table of scores."
            )
    return found


def _one_batch_only(clusters: Sequence[Mapping[str, Any]], name: str, reference: str) -> list[str]:
    """Warn of clusters that one batch has almost alone: a sentence for the batch, one for the reference."""
    found = []
    for own, other, here, there in (
        ("share_batch", "share_reference", name, reference),
        ("share_reference", "share_batch", reference, name),
    ):
        alone = [
            row for row in clusters if row[own] >= CLUSTER_SHARE and row[own] >= CLUSTER_RATIO * row[other]
        ]
        if not alone:
            continue
        alone.sort(key=lambda row: -row[own])
        told = []
        for row in alone[:CLUSTERS_TOLD]:
            high = f"{'+ '.join(row['high'])}+; " if row.get("high") else ""
            rest = f"{percent(row[other])} of {there}" if row[other] else f"none of {there}"
            told.append(f"{row['cluster']} ({high}{percent(row[own])} of {here}, {rest})")
        more = len(alone) - len(told)
        which = f"{', '.join(told)} and {more} more" if more else listing(told)
        what = "Cluster" if len(alone) == 1 else "Clusters"
        verb, noun = ("is", "a population") if len(alone) == 1 else ("are", "populations")
        found.append(
            f"{what} {which} {verb} almost only in {here}: {noun} of one batch, or not matched."
            + (_without_map(alone) if here == name else "")
        )
    return found


def _without_map(clusters: Sequence[Mapping[str, Any]]) -> str:
    """Say which of the batch's own clusters were moved along with their neighbours."""
    without = [str(row["cluster"]) for row in clusters if not row["mapped"]]
    if not without:
        return ""
    if len(without) < len(clusters):
        return f" The cells of {listing(without)} were not given a map of their own."
    whose = "Its cells were" if len(clusters) == 1 else "Their cells were"
    return f" {whose} not given a map of their own."
