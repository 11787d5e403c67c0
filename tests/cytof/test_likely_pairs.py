"""Names that may mean one protein are found, and names that certainly do not are left alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from cellgan.cytof.likely_pairs import likely_notes, likely_pairs, look_alike
from cellgan.cytof.marker_names import column_kinds, marker_key
from cellgan.cytof.panel_table import PanelTable


def table(batch: str, *names: str) -> PanelTable:
    keys = tuple(map(marker_key, names))
    return PanelTable(batch, names, keys, tuple(column_kinds(names, [""] * len(names))), Counter(keys))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CD8", "CD8a"),
        ("CD3e", "CD3"),
        ("142Nd_CD16", "CD16b"),
        ("IL-17", "IL17A"),
        ("Granzyme B", "GranzymB"),
        ("Perforin", "Perforine"),
        ("FceRI", "FceRIa"),
    ],
)
def test_names_that_may_be_one_protein(one, other):
    assert look_alike(marker_key(one), marker_key(other))
    assert look_alike(marker_key(other), marker_key(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CD4", "CD45"),
        ("CD45", "CD45RA"),
        ("CD45RA", "CD45RO"),
        ("CD66a", "CD66b"),
        ("HLA-DR", "HLA-DQ"),
        ("GranzymeA", "GranzymeB"),
        ("Interferon-a", "Interferon-b"),
        ("STAT3", "pSTAT3"),
        ("PARP", "cPARP"),
        ("IL2", "IL2R"),
        ("CD40", "CD40L"),
        ("GM-CSF", "GM-CSF-R"),
        ("KIR2DL1", "KIR2DS1"),
        ("Siglec7", "Siglec8"),
        ("CD16", "CD161"),
        ("CD8", "CD8"),
    ],
)
def test_names_that_are_not(one, other):
    assert not look_alike(marker_key(one), marker_key(other))
    assert not look_alike(marker_key(other), marker_key(one))


def test_only_what_was_not_matched_and_is_a_protein():
    one = table("a", "CD8", "CD4", "CD3", "Time", "CD8a")
    assert likely_pairs(one, table("b", "CD8a", "CD3e", "cd4", "Times")) == [("CD3", "CD3e")]


def test_one_note_for_a_pair_of_names_whoever_has_it():
    tables = [table("a", "CD8"), table("b", "CD8a"), table("c", "CD8"), table("d, e", "CD8a", "CD8b")]
    told = "may be one protein; if so, tell it with --rename:"
    assert likely_notes(tables) == [
        f'CD8 (a and c) and CD8a (b and d, e) {told} lines b,CD8a,CD8 and "d, e",CD8a,CD8',
        f'CD8 (a and c) and CD8b (d, e) {told} a line "d, e",CD8b,CD8',
    ]


def test_the_name_of_the_first_batch_is_kept():
    (note,) = likely_notes([table("a", "CD8a"), table("b", "CD8")])
    assert note.endswith("a line b,CD8,CD8a")
    assert likely_notes([table("a", "CD8a", "CD3"), table("b", "CD3", "CD8a")]) == []


def test_the_page_shows_what_is_said():
    page = (Path(__file__).parents[2] / "docs/align.md").read_text(encoding="utf-8")
    (note,) = likely_notes([table("monday", "CD8"), table("tuesday", "CD8a")])
    assert f"> {note}\n" in page
