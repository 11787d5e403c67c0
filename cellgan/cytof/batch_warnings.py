"""What a person must know of one batch's alignment besides its verdict.

- *Few cells*: fewer than 500 on a side to learn from (2 % of them are ten cells).
- *In one batch only*: at least 1 % of the batch's cells have no counterpart in the reference; or clusters of
  at least 1 % of one batch are ten times rarer in the other.
- *A marker got worse*: it lies more than .05 SD farther away than before.
- *A simpler method is ahead*: per-marker quantiles score better, on both scores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.cytof.config import CONSENSUS
from cellgan.cytof.evaluate import AUC_SLACK, EMD_SLACK, EMD_SLACK_FLOOR
from cellgan.cytof.wording import called, novel_cells
from cellgan.report.numbers import count, decimal, is_known, listing, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Row = Mapping[str, Any]

FEW_CELLS = 500
NOVEL_SHARE = 0.01
MARKER_WORSE = 0.05
CLUSTER_SHARE, CLUSTER_RATIO = 0.01, 10.0
CLUSTERS_TOLD = 3  # the largest; the table has the rest
LEARNED = {"cells": "cells", "controls": "control cells", "condition": "cells to learn from"}


def warnings_of(batch: Mapping[str, Any]) -> list[str]:
    """Return what to know of one batch, one sentence or two each.

    Parameters
    ----------
    batch
        One entry of the report's ``batches``.
    """
    return [*_few_cells(batch), *_in_one_only(batch), *_worse(batch), *_quantiles_ahead(batch)]


def is_worse(marker: Mapping[str, Any]) -> bool:
    """Say whether a marker lies farther from the reference after than before."""
    before, after = marker["emd_before"], marker["emd_after"]
    return known(before, after) and after - before > MARKER_WORSE


def chosen_and_before(batch: Mapping[str, Any]) -> tuple[Row, Row]:
    """Find the scores of what was used, and of the cells as measured; empty where there are none."""
    used: Row = next((row for row in batch["scores"] if row.get("chosen")), {})
    return used, scores_of(batch, "nothing")


def scores_of(batch: Mapping[str, Any], method: str) -> Row:
    """Find the scores of a method; empty where there are none."""
    return next((row for row in batch["scores"] if row["method"] == method), {})


def known(*values: float | None) -> bool:
    """Say whether all values were measured."""
    return all(map(is_known, values))


def apart(a: float, b: float, floor: float) -> bool:
    """Say whether distance a is larger than b beyond the noise."""
    return a - b > max(EMD_SLACK, EMD_SLACK_FLOOR * floor)


def _few_cells(batch: Mapping[str, Any]) -> list[str]:
    learned = batch["learned_from"]
    found = []
    for side, who in (("batch", batch["batch"]), ("reference", called(batch["reference"]))):
        if learned[side] < FEW_CELLS:
            few = f"{who} has {count(learned[side])} {LEARNED[learned['source']]}"
            found.append(f"{few}: with fewer than {FEW_CELLS}, small populations cannot be matched.")
    return found


def _worse(batch: Mapping[str, Any]) -> list[str]:
    worse = sorted(filter(is_worse, batch["markers"]), key=lambda m: m["emd_before"] - m["emd_after"])
    names = [f"{m['marker']} ({decimal(m['emd_before'])} to {decimal(m['emd_after'])} SD)" for m in worse]
    what = "This marker lies" if len(names) == 1 else "These markers lie"
    return [f"{what} farther from the reference than before: {listing(names)}."] if names else []


def _quantiles_ahead(batch: Mapping[str, Any]) -> list[str]:
    quantiles = scores_of(batch, "per-marker quantiles")
    chosen, _ = chosen_and_before(batch)
    if not quantiles or not chosen or _still(batch):  # then agreement is not what counts
        return []
    if not known(*(row[key] for row in (quantiles, chosen) for key in ("emd", "auc"))):
        return []
    floor = batch["floor"]["emd"] if known(batch["floor"]["emd"]) else 0.0
    ahead = apart(chosen["emd"], quantiles["emd"], floor) and chosen["auc"] - quantiles["auc"] > AUC_SLACK
    said = "Per-marker quantile matching scores better on these batches: see the table of scores."
    return [said] if ahead else []


def _in_one_only(batch: Mapping[str, Any]) -> list[str]:
    """Warn of what one side has almost alone: a warning for the batch, one for the reference."""
    name, reference = batch["batch"], called(batch["reference"])
    mine = alone(batch["clusters"], "share_batch", "share_reference")
    theirs = alone(batch["clusters"], "share_reference", "share_batch")
    found = []
    if batch["novel"] >= NOVEL_SHARE * batch["n_cells"]:
        said = [f"{novel_cells(batch)} of {name}'s cells have no counterpart in {reference}."]
        said += [f"{_listed(mine, name, reference, 'share_batch', 'share_reference')}."] if mine else []
        found.append(" ".join([*said, _what_became(batch)]))
    elif mine:
        where = _listed(mine, name, reference, "share_batch", "share_reference")
        found.append(f"{where}: {_kind(mine, 'one batch')}.{_without_map(mine, still=_still(batch))}")
    if theirs:
        where = _listed(theirs, reference, name, "share_reference", "share_batch")
        whose = "other batches" if batch["reference"] == CONSENSUS else "one batch"
        found.append(f"{where}: {_kind(theirs, whose)}.")
    return found


def alone(clusters: Sequence[Row], own: str, other: str) -> list[Row]:
    """Return the clusters that one side has almost alone, its largest first."""
    alone = [row for row in clusters if row[own] >= CLUSTER_SHARE and row[own] >= CLUSTER_RATIO * row[other]]
    return sorted(alone, key=lambda row: -row[own])


def _listed(alone: Sequence[Row], here: str, there: str, own: str, other: str) -> str:
    """Say which clusters these are, and in which batch."""
    told = []
    for row in alone[:CLUSTERS_TOLD]:
        high = f"{'+ '.join(row['high'])}+; " if row.get("high") else ""
        rest = f"{percent(row[other])} of {there}" if row[other] else f"none of {there}"
        told.append(f"{row['cluster']} ({high}{percent(row[own])} of {here}, {rest})")
    more = len(alone) - len(told)
    which = f"{', '.join(told)} and {more} more" if more else listing(told)
    what, verb = ("Cluster", "is") if len(alone) == 1 else ("Clusters", "are")
    return f"{what} {which} {verb} almost only in {here}"


def _kind(alone: Sequence[Row], whose: str) -> str:
    noun = "a population" if len(alone) == 1 else "populations"
    return f"{noun} of {whose}, or not matched"


def _still(batch: Mapping[str, Any]) -> bool:
    """Say whether cells stayed where they were."""
    return bool(chosen_and_before(batch)[0].get("method") == "nothing")


def _what_became(batch: Mapping[str, Any]) -> str:
    """Say what was done with cells that have no counterpart, and where to find them."""
    look = 'look at them before you compare them between batches (obs["cellgan_novel"]).'
    if _still(batch):
        return look.capitalize()
    return f"Such cells were moved by the map that all cells of {batch['batch']} share: {look}"


def _without_map(clusters: Sequence[Row], *, still: bool) -> str:
    """Say which of the batch's own clusters were moved along with their neighbours, if cells were moved."""
    without = [str(row["cluster"]) for row in clusters if not row["mapped"]]
    if not without or still:
        return ""
    if len(without) < len(clusters):
        return f" The cells of {listing(without)} were not given a map of their own."
    whose = "Its cells were" if len(clusters) == 1 else "Their cells were"
    return f" {whose} not given a map of their own."
