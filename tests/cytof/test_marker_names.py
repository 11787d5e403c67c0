"""Marker names across spellings, and kinds of channels."""

from __future__ import annotations

import pytest

from cellgan.cytof.marker_names import column_kinds, isotope, kind_of, marker_key

SPELLINGS = {
    "CD19": ["CD19", "cd19", "142Nd_CD19", "Nd142Di_CD19", "CD19_Nd142Di", "CD19 (Nd142Di)", "CD19-142Nd"],
    "HLADR": ["HLA-DR", "HLADR", "HLA.DR", "hla_dr", "HLA DR", "174Yb_HLA-DR", "HLA-DR(Yb174)Dd"],
    "CD45RA": ["CD45RA", "CD45RA(Pr141)Dd", "141Pr-CD45RA", "Pr141Di :: CD45RA"],
    "TCRGD": ["TCRgd", "TCRγδ", "TCR-gd", "gdTCR", "152Sm_TCRgd"],
    "CD279": ["CD279", "PD-1", "PD1", "CD279_PD-1"],
    "IFNG": ["IFNg", "IFN-γ", "IFN-gamma"],
    "GRANZYMEB": ["Granzyme B", "GranzymeB", "GzB", "GZMB"],
    "ND142DI": ["Nd142Di", "(Nd142)Di", "Nd(142)Di", "142Nd", "Nd142"],
}


@pytest.mark.parametrize(("key", "name"), [(key, name) for key, names in SPELLINGS.items() for name in names])
def test_spellings_of_one_marker_share_a_key(key, name):
    assert marker_key(name) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CD45", "CD45RA"),
        ("CD4", "CD45"),
        ("CD1-6", "CD16"),
        ("CD235-61-7-15", "CD23561715"),
        ("CD112", "Cd112Di"),
        ("Nd142Di", "Nd143Di"),
        ("STAT3", "pSTAT3"),
        ("IL17_CD95", "CD95"),
        ("CD66a", "CD66b"),
        ("CD8", "CD8a"),
        ("CD3", "CD3e"),
    ],
)
def test_different_proteins_keep_different_keys(one, other):
    assert marker_key(one) != marker_key(other)


def test_mouse_proteins_are_not_cadmium():
    assert isotope("Cd163") == isotope("Cd112") == ""
    assert isotope("Cd112Di") == isotope("112Cd") == "Cd112"
    assert marker_key("Cd163_M") == "CD163M"


@pytest.mark.parametrize(
    ("channel", "marker", "kind"),
    [
        ("Nd142Di", "CD19", "marker"),
        ("", "CD19", "marker"),
        ("Pd104Di", "CD45", "marker"),
        ("Pt195Di", "CD8", "marker"),
        ("", "Tim3", "marker"),
        ("", "DNAM1", "marker"),
        ("", "BCL2", "marker"),
        ("", "BCMA", "marker"),
        ("", "cPARP", "marker"),
        ("", "PI16", "marker"),
        ("Time", "", "time"),
        ("", "Time (ms)", "time"),
        ("FSC-A", "", "scatter"),
        ("SSC-B-H", "", "scatter"),
        ("", "Violet SSC-A", "scatter"),
        ("Event_length", "", "event"),
        ("", "Cell_length", "event"),
        ("Residual", "", "event"),
        ("Ir191Di", "DNA1", "dna"),
        ("Ir193Di", "", "dna"),
        ("", "193Ir_DNA2", "dna"),
        ("beadDist", "beadDist", "bead"),
        ("Ce140Di", "140Ce_EQ_Beads", "bead"),
        ("Ce140Di", "", "bead"),
        ("Pd102Di", "BC1", "barcode"),
        ("Pd105Di", "", "barcode"),
        ("", "Barcode 3", "barcode"),
        ("Pt195Di", "Cisplatin", "viability"),
        ("Rh103Di", "", "viability"),
        ("", "Live/Dead", "viability"),
        ("", "LIVE_DEAD Aqua", "viability"),
        ("Yb176Di", "Viability", "viability"),
        ("", "7-AAD", "viability"),
        ("Dy161Di", "", "empty"),
        ("Ba138Di", "", "empty"),
        ("Os190Di", "190BCKG", "empty"),
    ],
)
def test_kinds_of_channels(channel, marker, kind):
    assert kind_of(channel, marker) == kind


def test_metals_without_any_marker_name_are_the_markers():
    names = ["Time", "Nd142Di", "Yb171Di", "Ir191Di", "Ba138Di", "Pd102Di"]
    expected = ["time", "marker", "marker", "dna", "empty", "barcode"]
    assert column_kinds(names, names) == expected
    assert column_kinds(names, [""] * 6) == expected


def test_metals_beside_named_ones_are_empty():
    assert column_kinds(["CD3", "Nd142Di"], ["Er170Di", "Nd142Di"]) == ["marker", "empty"]
    assert column_kinds(["CD3", "Nd142Di"], ["", ""]) == ["marker", "empty"]
