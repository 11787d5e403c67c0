"""Markers of two batches that look like one protein, which only the user can know.

``CD8`` and ``CD8a`` mean the same in most panels and not in all. They are not matched without being told;
but nobody shall have to find them in two lists of forty names.
"""

from __future__ import annotations

import csv
import io
import re
from difflib import SequenceMatcher
from itertools import combinations
from typing import TYPE_CHECKING

from cellgan.report.numbers import listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cellgan.cytof.panel_table import PanelTable

LEAST_ALIKE = 0.9  # of difflib's ratio: one letter more in a name of six, or another one in a name of ten
# The receptor of IL2 is IL2R, the ligand of CD40 is CD40L: certainly other proteins.
OTHER_PROTEIN = frozenset("RL")


def look_alike(one: str, other: str) -> bool:
    """Tell whether two keys of `marker_key` may mean one protein, though they are not the same.

    The first letter and all digits agree (``pSTAT3`` is not ``STAT3``, ``CD45`` not ``CD4``). Beyond that,
    either one has a letter after its last digit that the other leaves out, as chains of a complex have
    (``CD8a``), or they are spelled almost alike. Where both have such a letter, it tells proteins apart
    (``CD66a`` and ``CD66b``, ``HLA-DR`` and ``HLA-DQ``).
    """
    short, long = sorted((one, other), key=len)
    if one == other or one[:1] != other[:1] or re.sub(r"\D", "", one) != re.sub(r"\D", "", other):
        return False
    if long[:-1] == short and (short[-1].isdigit() or long[-1] in OTHER_PROTEIN):
        return long[-1] not in OTHER_PROTEIN
    return one[:-1] != other[:-1] and SequenceMatcher(None, one, other).ratio() >= LEAST_ALIKE


def likely_pairs(one: PanelTable, other: PanelTable) -> list[tuple[str, str]]:
    """Return names of columns, of `one` and of `other`, that may be one protein but were not matched."""
    ours = [i for i in one.proteins if other.find(one, i) is None]
    theirs = [j for j in other.proteins if one.find(other, j) is None]
    return [
        (one.names[i], other.names[j]) for i in ours for j in theirs if look_alike(one.keys[i], other.keys[j])
    ]


def likely_notes(tables: Sequence[PanelTable]) -> list[str]:
    """Say which markers of any two batches may be one protein, and how to tell if they are.

    Parameters
    ----------
    tables
        The columns of all batches, the one first whose names are to be kept.

    Returns
    -------
    list[str]
        One note for each pair of names, whatever the number of batches that have them.
    """
    found: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}
    for one, other in combinations(tables, 2):
        for pair in likely_pairs(one, other):
            sides = one.batch, other.batch
            known, batches = (pair, sides) if pair[::-1] not in found else (pair[::-1], sides[::-1])
            for seen, batch in zip(found.setdefault(known, ({}, {})), batches, strict=True):
                seen[batch] = None
    notes = []
    for (name, spelled), (first, second) in found.items():
        lines = [_line(batch, spelled, name) for batch in second]
        notes.append(
            f"{name} ({listing(list(first))}) and {spelled} ({listing(list(second))}) may be one protein; "
            f"if so, tell it with --rename: {'a line' if len(lines) == 1 else 'lines'} {listing(lines)}"
        )
    return notes


def _line(*values: str) -> str:
    """Return values as a line of a .csv table."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(values)
    return out.getvalue()
