"""Which columns of several batches correspond."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from cellgan.cytof.marker_names import column_kinds, marker_key
from cellgan.cytof.panel import match_panels, only, without
from cellgan.cytof.read_write import CellBatch, InMemory, read_batches
from cellgan.errors import ConfigError, PanelError


def batch(name: str, *markers: str, channels: tuple[str, ...] = ()) -> CellBatch:
    var = pd.DataFrame({"channel": channels or [""] * len(markers)}, index=list(markers))
    obs = pd.DataFrame(index=["a", "b"])
    return CellBatch(
        name=name, cells=InMemory(ad.AnnData(np.zeros((2, len(markers)), np.float32), obs=obs, var=var))
    )


def test_columns_are_matched_across_spelling_and_order():
    a = batch("a", "CD3", "HLA-DR", "CD19", "Time", "CD99")
    b = batch("b", "142Nd_CD19", "Time", "DNA1", "hladr", "CD3", "CD1c")
    panel = match_panels([a, b], reference="a")
    assert panel.shared == ("CD3", "HLA-DR", "CD19")
    assert panel.columns == {"a": {"CD3": 0, "HLA-DR": 1, "CD19": 2}, "b": {"CD3": 4, "HLA-DR": 3, "CD19": 0}}
    assert panel.kept == (("Time", "time"), ("DNA1", "dna"))
    assert panel.private == {"a": ("CD99",), "b": ("CD1c",)}
    assert panel.notes == ("b: matched under other spellings: hladr = HLA-DR, 142Nd_CD19 = CD19",)


def test_the_reference_gives_names_and_order_wherever_it_stands():
    a, b = batch("a", "CD3", "HLA-DR"), batch("b", "hladr", "cd3")
    assert match_panels([a, b], reference="b").shared == ("hladr", "cd3")
    with pytest.raises(ConfigError, match="'c', but the batches are a, b"):
        match_panels([a, b], reference="c")


def test_three_batches_share_with_the_reference_pair_by_pair():
    panel = match_panels(
        [batch("a", "CD3", "CD4", "CD8"), batch("b", "CD8", "cd4", "CD5"), batch("c", "CD19", "CD3", "CD4")],
        reference="a",
    )
    assert panel.shared == ("CD3", "CD4", "CD8")
    assert panel.columns == {
        "a": {"CD3": 0, "CD4": 1, "CD8": 2},
        "b": {"CD4": 1, "CD8": 0},
        "c": {"CD3": 1, "CD4": 2},
    }
    assert list(panel.columns["b"]) == ["CD4", "CD8"]  # in the reference's order
    assert panel.private == {"a": (), "b": ("CD5",), "c": ("CD19",)}
    assert panel.notes == ("b: matched under other spellings: cd4 = CD4",)


def test_what_the_reference_lacks_has_one_name_in_all_other_batches():
    panel = match_panels(
        [
            batch("a", "CD3", "CD4", "CD99"),
            batch("b", "CD3", "CD4", "PD-1", "HLA-DR", "Time"),
            batch("c", "hladr", "CD4", "CD3", "CD279", "CD5"),
            batch("d", "cd5", "CD3", "Pd1", "CD4", "CD279_PD-1"),
        ],
        reference="a",
    )
    assert panel.shared == ("CD3", "CD4")
    assert panel.proteins == {
        "a": {"CD3": 0, "CD4": 1, "CD99": 2},
        "b": {"CD3": 0, "CD4": 1, "PD-1": 2, "HLA-DR": 3},
        "c": {"CD3": 2, "CD4": 1, "PD-1": 3, "HLA-DR": 0, "CD5": 4},
        # Two columns might be PD-1, so neither is.
        "d": {"CD5": 0, "CD3": 1, "Pd1": 2, "CD4": 3, "CD279_PD-1": 4},
    }


def test_each_batch_needs_two_markers_of_the_reference_whatever_the_others_share():
    """Here b and c share three markers with one another, which does not help."""
    a = batch("a", "CD3", "CD4", "CD8")
    b, c = batch("b", "CD3", "CD4", "CD5"), batch("c", "CD3", "CD5", "cd99")
    match_panels([a, b], reference="a")
    with pytest.raises(PanelError, match="only one marker, 'CD3', is shared by 'a' and 'c'") as stopped:
        match_panels([a, b, c], reference="a")
    assert "  b: " not in str(stopped.value)


def test_the_channel_does_not_tell_which_protein_it_is():
    a = batch("a", "CD3", "CD8", "144Nd_CD4", channels=("Er170Di", "Nd146Di", "Nd144Di"))
    b = batch("b", "CD4", "CD8", "CD3", channels=("Er170Di", "Yb171Di", "Nd144Di"))
    assert match_panels([a, b], reference="a").columns["b"] == {"CD3": 2, "CD8": 1, "144Nd_CD4": 0}


def test_a_chain_is_not_the_complex_without_being_told():
    a, b = batch("a", "CD4", "CD8", "CD19"), batch("b", "CD4", "146Nd_CD8a", "CD19")
    panel = match_panels([a, b], reference="a")
    assert panel.shared == ("CD4", "CD19")
    (note,) = panel.notes
    assert note.startswith("CD8 (a) and 146Nd_CD8a (b) may be one protein")
    assert note.endswith("with --rename: a line b,146Nd_CD8a,CD8")
    with pytest.raises(PanelError, match=r"'CD8' is not in batch 'b'; did you mean 146Nd_CD8a, .*--rename"):
        match_panels([a, b], reference="a", markers=("CD4", "CD8"))
    with pytest.raises(PanelError, match=r"only one marker(.|\n)*a line b,146Nd_CD8a,CD8\n"):
        match_panels([a, batch("b", "CD4", "146Nd_CD8a")], reference="a")


def test_fewer_markers_stand_in_the_order_of_the_panel():
    panel = match_panels(
        [batch("a", "CD3", "CD4", "CD8"), batch("b", "CD8", "CD4", "CD3"), batch("c", "CD3", "CD8")],
        reference="a",
    )
    fewer = only(panel, ["CD8", "CD4"])
    assert fewer.shared == ("CD4", "CD8")
    assert fewer.columns == {"a": {"CD4": 1, "CD8": 2}, "b": {"CD4": 1, "CD8": 0}, "c": {"CD8": 1}}
    assert fewer.proteins == panel.proteins


FAILED = "(a stain that failed?): kept as measured"


def three_panels():
    return match_panels(
        [
            batch("a", "CD3", "CD4", "CD8", "Time"),
            batch("b", "CD8", "CD4", "CD3"),
            batch("c", "CD3", "CD8", "CD4"),
        ],
        reference="a",
    )


def test_what_says_nothing_in_a_batch_is_taken_out_there():
    panel = three_panels()
    left = without(panel, {"CD4": ["b"]}, reference="a")
    assert left.shared == ("CD3", "CD4", "CD8")
    assert left.columns == panel.columns | {"b": {"CD3": 2, "CD8": 0}}
    assert left.kept == panel.kept == (("Time", "time"),)
    # It was measured there, so it is no gap to be filled.
    assert left.proteins == panel.proteins
    assert left.private == panel.private
    (note,) = left.notes
    assert note == f"CD4 hardly varies in b {FAILED} there, not aligned and not matched by"
    assert without(panel, {}, reference="a") == panel


@pytest.mark.parametrize(
    ("batches", "where"),
    [(["a"], "a"), (["a", "c"], "a, c"), (["b", "c"], "b, c"), (["a", "b", "c"], "a, b, c")],
)
def test_what_says_nothing_in_the_reference_or_in_all_others_is_aligned_in_none(batches, where):
    left = without(three_panels(), {"CD4": batches}, reference="a")
    assert left.shared == ("CD3", "CD8")
    assert left.columns == {"a": {"CD3": 0, "CD8": 2}, "b": {"CD3": 2, "CD8": 0}, "c": {"CD3": 0, "CD8": 1}}
    assert left.kept == (("Time", "time"), ("CD4", "marker"))
    (note,) = left.notes
    there = "" if "a" in batches else " there"
    assert note == f"CD4 hardly varies in {where} {FAILED}{there}, not aligned and not matched by"


def test_two_markers_must_be_left_in_every_batch():
    panel = three_panels()
    assert len(without(panel, {"CD4": ["b"], "CD8": ["c"]}, reference="a").shared) == 3
    for silent in ({"CD4": ["b"], "CD8": ["b"]}, {"CD4": ["a"], "CD8": ["b"]}):
        with pytest.raises(
            PanelError, match=r"fewer than two shared markers are left to align: CD4 .*; CD8 "
        ):
            without(panel, silent, reference="a")


def test_a_marker_that_some_share_and_nobody_chose_is_kept():
    batches = [batch("a", "CD3", "CD4", "CD8"), batch("b", "CD8", "CD4", "CD3"), batch("c", "CD3", "CD4")]
    panel = match_panels(batches, reference="a", markers=("CD3", "CD4"))
    assert panel.kept == (("CD8", "marker"),)
    assert panel.private == {"a": (), "b": (), "c": ()}


def test_markers_with_several_columns_are_matched_by_name_or_not_at_all():
    a = batch("a", "CD3", "CD4", "CD45 (Y89Di)", "CD45 (Cd112Di)")
    b = batch("b", "CD3", "CD4", "CD45 (Cd112Di)", "CD45 (Y89Di)")
    assert match_panels([a, b], reference="a").columns["b"]["CD45 (Y89Di)"] == 3
    panel = match_panels([a, batch("c", "CD3", "CD4", "CD45")], reference="a")
    assert panel.shared == ("CD3", "CD4")
    assert panel.private["c"] == ("CD45",)
    assert panel.notes == ("c: measured by several columns, so not aligned: CD45 (Y89Di), CD45 (Cd112Di)",)


def test_chosen_markers_in_any_spelling():
    a, b = batch("a", "CD3", "HLA-DR", "CD19", "DNA1"), batch("b", "CD3", "HLADR", "CD19", "DNA1", "CD5")
    panel = match_panels([a, b], reference="a", markers=("hladr", "CD3"))
    assert panel.shared == ("CD3", "HLA-DR")
    assert panel.kept == (("DNA1", "dna"), ("CD19", "marker"))
    assert panel.private == {"a": (), "b": ("CD5",)}
    assert match_panels([a, b], reference="a", markers=("CD3", "DNA1")).shared == ("CD3", "DNA1")


def test_a_chosen_marker_that_a_batch_lacks_is_named_with_the_closest_names():
    a, b = batch("a", "CD3", "CD45RA", "CD19"), batch("second", "CD3", "CD45RO", "CD19")
    with pytest.raises(PanelError, match=r"'CD45RA' is not in batch 'second'.*CD45RO"):
        match_panels([a, b], reference="a", markers=("CD3", "CD45RA"))
    with pytest.raises(PanelError, match=r"'CD44RA' is not in batch 'a'.*CD45RA"):
        match_panels([a, b], reference="a", markers=("CD3", "CD44RA"))
    with pytest.raises(PanelError, match="only one marker"):
        match_panels([a, b], reference="a", markers=("CD3", "cd3"))


@pytest.mark.parametrize(
    ("markers", "start"),
    [(("CD45RO", "CD8"), "no marker is shared"), (("CD3", "CD45RO"), "only one marker, 'CD3', is")],
)
def test_too_few_shared_markers_show_both_panels_and_the_closest_names(markers, start):
    with pytest.raises(PanelError) as stopped:
        match_panels([batch("a", "CD3", "CD45RA", "Time"), batch("b", *markers)], reference="a")
    message = str(stopped.value)
    assert message.startswith(start)
    assert "a: CD3, CD45RA\n" in message
    assert f"b: {', '.join(markers)}\n" in message
    assert "CD45RA ~ CD45RO" in message


def test_every_column_of_the_real_tables_is_a_marker(real_cells):
    for path in sorted(real_cells.glob("*.h5ad")):
        adata = read_batches([path])[0].adata
        kinds = column_kinds(list(adata.var_names), list(adata.var["channel"]))
        assert set(kinds) == {"marker"}, path
        assert len(set(map(marker_key, adata.var_names))) == adata.n_vars, path


def test_real_panels_share_what_their_names_share(real_cells):
    a, b = read_batches([real_cells / "panelA_pbmc.h5ad", real_cells / "panelB_pbmc.h5ad"])
    panel = match_panels([a, b], reference="panelA_pbmc")
    assert panel.shared == tuple(m for m in a.adata.var_names if m in b.adata.var_names)
    assert len(panel.shared) == 24


def test_real_fcs_channels(real_cells):
    paths = sorted(real_cells.glob("Gates_*.fcs"))
    batches = read_batches(paths)
    panel = match_panels(batches, reference=batches[0].name)
    assert len(panel.shared) == 37
    assert {"CD3", "CD19", "HLADR", "p38"} <= set(panel.shared)
    assert dict(panel.kept) == {
        "Time": "time",
        "Event_length": "event",
        **{f"BC{i}": "barcode" for i in range(1, 7)},
        **dict.fromkeys(("Y89Di", "I127Di", "Ba138Di", "Dy161Di", "Dy163Di"), "empty"),
        **dict.fromkeys(("Ce140Di", "beadDist"), "bead"),
        **dict.fromkeys(("DNA1", "DNA2"), "dna"),
        "Pt195Di": "viability",
    }
    table = read_batches([real_cells / "controls_volunteer1.h5ad"])
    assert match_panels([*batches, *table], reference=batches[0].name).shared == panel.shared
