"""Words that screen and page share: what the reference is called, and how many cells have no counterpart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.cytof.config import CONSENSUS
from cellgan.report.numbers import count, percent

if TYPE_CHECKING:
    from collections.abc import Mapping


def called(reference: str) -> str:
    """Return what a reference is called in a sentence: its name, or the consensus if no batch is one."""
    return "the consensus" if reference == CONSENSUS else reference


def legend_name(reference: str) -> str:
    """Return what a reference is called in a legend."""
    return "consensus of all batches" if reference == CONSENSUS else f"{reference} (reference)"


def novel_cells(batch: Mapping[str, Any]) -> str:
    """Say how many of a batch's cells have no counterpart, and which share of them that is."""
    if not batch["novel"]:
        return "none"
    return f"{count(batch['novel'])} ({percent(batch['novel'] / batch['n_cells'])})"
