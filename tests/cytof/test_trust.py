"""Which words a marker gets, and what they rest on."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cellgan.cytof.trust import trust_held_out, trust_private

# r in the source, r in the other batch: a tenth is lost of all that are well predicted, nothing of the rest.
HELD_OUT = {
    "CD2": (0.99, 0.89),
    "CD5": (0.70, 0.60),
    "CD3": (0.95, 0.85),
    "CD4": (0.90, 0.80),
    "CD8": (0.85, 0.75),
    "CD19": (0.80, 0.70),
    "CD20": (0.75, 0.65),
    "CD25": (0.30, 0.30),
    "CD38": (0.25, 0.25),
    "CD45": (0.20, 0.20),
    "CD56": (0.15, 0.15),
    "CD57": (0.10, 0.10),
    "CD61": (0.35, 0.35),
    "CD62L": (0.40, 0.40),
}


@pytest.mark.parametrize(
    ("r", "level"), [(0.70, "trust"), (0.699, "care"), (0.50, "care"), (0.499, "no"), (-0.2, "no")]
)
def test_a_held_out_marker_is_judged_by_what_came_out(r, level):
    found = trust_held_out("CD3", r, 0.5, batch="b")
    assert found.level == level
    assert found.r_expected == r
    assert "CD3" in found.text
    assert "in b" in found.text


def test_a_marker_that_only_tells_populations_apart_is_said_to():
    words = "Within populations r is 0.10"
    assert words in trust_held_out("CD3", 0.9, 0.1, batch="b").text
    assert words not in trust_held_out("CD3", 0.4, 0.1, batch="b").text  # not to be used anyway
    for r_within in (0.3, float("nan")):
        assert "Within" not in trust_held_out("CD3", 0.9, r_within, batch="b").text


def test_a_private_marker_is_judged_by_the_markers_most_like_it():
    well = trust_private("CD16", 0.85, HELD_OUT, source="a")
    assert set(well.like) == {"CD2", "CD3", "CD4", "CD8", "CD19", "CD20", "CD5"}
    assert well.r_expected == pytest.approx(0.75)
    assert well.level == "trust"
    badly = trust_private("CD16", 0.22, HELD_OUT, source="a")
    assert set(badly.like) == {"CD25", "CD38", "CD45", "CD56", "CD57", "CD61", "CD62L"}
    assert badly.r_expected == pytest.approx(0.22)
    assert badly.level == "no"


def test_what_is_lost_between_batches_costs_the_word():
    assert trust_private("CD16", 0.78, HELD_OUT, source="a").level == "care"
    kept = {name: (r, r) for name, (r, _) in HELD_OUT.items()}
    assert trust_private("CD16", 0.78, kept, source="a").level == "trust"


@pytest.mark.parametrize(
    ("r_source", "lost", "r_low", "level"),
    [
        (0.9, 0.40, 0.50, "trust"),
        (0.9, 0.41, 0.49, "care"),
        (0.9, 0.51, 0.39, "no"),
        (0.6, 0.19, 0.41, "care"),
        (0.6, 0.21, 0.39, "no"),
    ],
)
def test_where_markers_like_it_fared_differently_the_word_is_lowered(r_source, lost, r_low, level):
    """Three of seven lost much, four nothing: the median is none."""
    losses = [0, 0, 0, 0, lost, lost, lost]
    across = {f"CD{i}": (r_source, r_source - loss) for i, loss in enumerate(losses)}
    found = trust_private("CD16", r_source, across, source="a")
    assert found.r_expected == pytest.approx(r_source)
    assert found.r_low == pytest.approx(r_low)
    assert found.level == level
    assert f"{r_low:.2f} or more in four cases of five" in found.text


def test_the_text_names_the_markers_and_their_numbers():
    text = trust_private("CD16", 0.85, HELD_OUT, source="a").text
    assert "In held-out cells of a it is predicted with r 0.85." in text
    for name in ("CD3 0.95 → 0.85", "CD20 0.75 → 0.65", "So r 0.75 is to be expected"):
        assert name in text
    assert "CD57" not in text


@pytest.mark.parametrize("n", [0, 1, 2])
def test_with_few_held_out_it_rests_on_the_source_alone(n):
    few = dict(list(HELD_OUT.items())[:n])
    found = trust_private("CD16", 0.95, few, source="a")
    assert found.level == "care"  # at most
    assert found.r_expected == 0.95
    assert "That is all that is known" in found.text
    assert trust_private("CD16", 0.4, few, source="a").level == "no"
    some = trust_private("CD16", 0.95, dict(list(HELD_OUT.items())[:6]), source="a")
    assert some.level == "care"
    assert "Only 6 markers were held out" in some.text
    assert trust_private("CD16", 0.95, dict(list(HELD_OUT.items())[:7]), source="a").level == "trust"


def test_a_marker_of_the_other_direction_is_not_trusted_untested():
    assert trust_private("CD16", 0.95, HELD_OUT, source="a").level == "trust"
    found = trust_private("CD16", 0.95, HELD_OUT, source="a", tested=False)
    assert found.level == "care"
    assert "swap the files" in found.text
    assert trust_private("CD16", 0.15, HELD_OUT, source="a", tested=False).level == "no"


def test_a_method_that_holds_nothing_out_is_judged_by_all_markers():
    across = {"CD3": (np.nan, 0.9), "CD4": (np.nan, 0.8), "CD8": (np.nan, 0.1)}
    found = trust_private("CD16", float("nan"), across, source="a")
    assert found.r_expected == 0.8
    assert found.level == "care"
    assert "not known with this method" in found.text


@pytest.mark.parametrize(
    ("r", "spread", "level"),
    [
        (0.95, 0.5, "trust"),
        (0.95, 0.499, "no"),
        (0.95, math.nan, "trust"),
        (0.95, 2.0, "trust"),
        (0.5, 0.1, "no"),
    ],
)
def test_what_varies_too_little_where_it_is_missing_is_not_trusted(r, spread, level):
    """However well it is predicted where it was measured, and whatever was held out."""
    found = trust_private("CD16", r, HELD_OUT, source="a", spread=spread)
    assert found.level == level
    if level == "no":
        assert found.text.startswith(f"Its expected values vary {spread:.2f} times as much as in a:")
        assert trust_private("CD16", r, {}, source="a", spread=spread).level == "no"


def test_a_marker_that_is_hardly_predicted_is_said_to_be_so_whatever_its_spread():
    found = trust_private("CD16", 0.3, {}, source="a", spread=0.1)
    assert found.level == "no"
    assert "it is predicted with r 0.30" in found.text
    assert "vary" not in found.text


def test_of_what_is_not_known_anywhere_nothing_is_promised():
    found = trust_private("CD16", math.nan, {}, source="a")
    assert found.level == "no"
    assert math.isnan(found.r_expected)
    assert found.text == "How well CD16 is predicted is not known with this method: cellgan validate tells."


def test_no_correlation_is_expected_beyond_what_there_can_be():
    gained = {"CD3": (0.5, 0.9), "CD4": (0.5, 0.9), "CD8": (0.5, 0.9)}
    assert trust_private("CD16", 0.8, gained, source="a").r_expected == 0.8
    lost = {"CD3": (0.9, 0.1), "CD4": (0.9, 0.1), "CD8": (0.9, 0.1)}
    assert trust_private("CD16", 0.5, lost, source="a").r_expected == 0
