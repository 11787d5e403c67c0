"""Columns: markers found under any spelling, and what is never transformed."""

from __future__ import annotations

import pytest

from cellgan.cytof.columns import Columns
from cellgan.errors import PanelError

NAMES = ["Time", "142Nd_CD19", "Event_length", "HLA.DR", "DNA1", "CD3", "FSC-A", "CD45"]
CHANNELS = ["Time", "Nd142Di", "Event_length", "Yb174Di", "Ir191Di", "Er170Di", "FSC-A", "Y89Di"]


def find(*markers: str, names=NAMES, channels=CHANNELS) -> Columns:
    return Columns.find(names, channels, markers=markers, batch="day2")


def test_markers_are_found_under_other_spellings_in_the_models_order():
    assert find("CD3", "HLA-DR", "CD19").aligned.tolist() == [5, 3, 1]


def test_a_columns_own_name_goes_before_what_it_might_mean():
    names = ["CD3", "141Pr_CD3", "CD19"]
    assert find("141Pr_CD3", "CD19", names=names, channels=[""] * 3).aligned.tolist() == [1, 2]


def test_time_scatter_and_event_length_are_no_ion_counts():
    counted = [NAMES[i] for i in find("CD3", "CD45").counts]
    assert counted == ["142Nd_CD19", "HLA.DR", "DNA1", "CD3", "CD45"]


def test_what_is_aligned_is_counted_whatever_it_is_called():
    assert 0 in Columns.at([0, 5], NAMES, CHANNELS).counts
    assert 0 not in Columns.at([5], NAMES, CHANNELS).counts


def test_columns_have_names_as_they_stand_in_the_file():
    found = find("CD3", "HLA-DR")
    assert found.names == NAMES


def test_every_missing_marker_is_named_with_the_closest_and_the_batch():
    with pytest.raises(PanelError) as caught:
        find("CD45", "CD45RA", "Granzyme B")
    told = str(caught.value)
    assert "the model of batch 'day2' aligns 3 markers, and 2 of them" in told
    assert "CD45RA (closest: CD45)" in told
    assert "Granzyme B" in told
    assert "CD45, " not in told.split("columns:")[1]


def test_a_marker_that_could_be_two_columns_is_refused():
    with pytest.raises(PanelError, match="CD3"):
        find("CD3", "CD19", names=["141Pr_CD3", "142Nd_CD3", "CD19"], channels=[""] * 3)
