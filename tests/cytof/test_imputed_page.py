"""What the report says of imputed markers: words, numbers and their order."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cellgan.cytof import imputed_page
from cellgan.cytof.imputed_page import sections
from cellgan.cytof.trust import WORDS
from cellgan.cytof.views import ImputedView, Views
from cellgan.report import page

MARKERS = [
    {"marker": "CD4", "r": 0.62, "coverage": 0.91, "spread": 0.9, "level": "care", "why": ""},
    {"marker": "CD8", "r": 0.94, "coverage": 0.886, "spread": 1.02, "level": "care", "why": ""},
    {"marker": "CD7", "r": None, "coverage": None, "spread": None, "level": "no", "why": ""},
    {"marker": "CD14", "r": 0.31, "coverage": 0.9, "spread": 0.8, "level": "no", "why": ""},
]
ORDER = ["CD8", "CD4", "CD14", "CD7"]


def entry(**changes: object) -> dict:
    made = {
        "batch": "day2",
        "source": "day1",
        "predictors": ["CD3", "CD19", "CD45"],
        "auc": 0.534,
        "novel": 0,
    }
    return made | {"markers": MARKERS} | changes


def views(*n_markers: int) -> Views:
    rng = np.random.default_rng(0)
    made = [ImputedView(*rng.gamma(2, size=(3, 50, n))) for n in n_markers]
    return Views(("CD3", "CD19", "CD45"), np.zeros((1, 3)), {}, imputed=tuple(made))


def blocks(one: dict, kind: type) -> list:
    (section,) = sections([one], views(len(one["markers"])))
    return [block for block in section.blocks if isinstance(block, kind)]


@pytest.mark.parametrize("level", ["trust", "care", "no"])
def test_the_word_is_that_of_the_report_whatever_the_numbers_are(level):
    one = entry(markers=[row | {"level": level} for row in MARKERS])
    (table,), (gallery,) = blocks(one, page.Table), blocks(one, page.Gallery)
    assert {row[-1].shown for row in table.rows} == {WORDS[level]}
    assert {figure.flag for figure in gallery.figures} == ({"Do not trust"} if level == "no" else {""})


def test_the_table_has_the_best_first_and_dashes_where_nothing_is_known():
    (table,) = blocks(entry(), page.Table)
    assert table.caption == "Markers of day1, in held-out cells"
    assert [column.title for column in table.columns] == [
        "Marker",
        "r",
        "Within the 90 % interval",
        "Spread",
        "Verdict",
    ]
    assert [[cell.shown for cell in row] for row in table.rows] == [
        ["CD8", "0.94", "89 %", "1.02", "With care"],
        ["CD4", "0.62", "91 %", "0.90", "With care"],
        ["CD14", "0.31", "90 %", "0.80", "Do not trust"],
        ["CD7", "–", "–", "–", "Do not trust"],
    ]
    assert [row[1].key for row in table.rows] == [0.94, 0.62, 0.31, None]


def test_markers_are_drawn_in_the_same_order_and_bad_ones_flagged():
    (gallery,) = blocks(entry(), page.Gallery)
    assert [figure.title for figure in gallery.figures] == ORDER
    assert [figure.caption for figure in gallery.figures] == ["r 0.94", "r 0.62", "r 0.31", "r –"]
    assert [figure.flag for figure in gallery.figures] == ["", "", "Do not trust", "Do not trust"]


def test_each_marker_is_drawn_from_its_own_column(monkeypatch):
    drawn = {}

    def draw(values, *, alt):
        drawn[re.match(r"Densities of (\w+): measured in day1, expected and drawn in day2", alt)[1]] = values
        return ""

    monkeypatch.setattr(imputed_page, "three_densities", draw)
    cells = views(4)
    sections([entry()], cells)
    assert list(drawn) == ORDER
    for i, row in enumerate(MARKERS):
        for values, whole in zip(drawn[row["marker"]], cells.imputed[0], strict=True):
            np.testing.assert_array_equal(values, whole[:, i])


def test_words_say_from_what_it_was_learned_and_what_a_critic_found():
    (text,) = blocks(entry(), page.Text)
    assert text.text.startswith(
        "day2 did not measure these markers. They were learned from day1, which did, by way of 3 markers "
        "that both measured."
    )
    assert "AUC of 0.53, held-out cells of day1; 0.5 is a guess." in text.text
    (without,) = blocks(entry(auc=None), page.Text)
    assert "AUC" not in without.text


def test_of_magan_nothing_is_known_and_nothing_is_claimed():
    unknown = {"r": None, "coverage": None, "spread": None, "level": "no"}
    one = entry(auc=None, markers=[row | unknown for row in MARKERS])
    (text,) = blocks(one, page.Text)
    assert "MAGAN" in text.text
    assert "They were learned from" not in text.text
    assert blocks(one, page.Table) == []
    (gallery,) = blocks(one, page.Gallery)
    assert [figure.title for figure in gallery.figures] == [row["marker"] for row in MARKERS]
    assert {figure.caption for figure in gallery.figures} == {"r –"}


def test_a_marker_with_a_single_value_is_not_magans():
    """It has no correlation, though it was learned as others are."""
    one = entry(auc=None, markers=[MARKERS[2] | {"coverage": 1.0}])
    (text,) = blocks(one, page.Text)
    assert "They were learned from day1" in text.text
    (table,) = blocks(one, page.Table)
    assert [cell.shown for cell in table.rows[0]] == ["CD7", "–", "100 %", "–", "Do not trust"]


def test_the_legend_says_who_is_who():
    (legend,) = blocks(entry(), page.Legend)
    assert [words for _, words in legend.entries] == ["day1, measured", "day2, expected", "day2, drawn"]


def test_every_gap_has_a_section_with_its_own_cells():
    two = [entry(), entry(batch="day3", markers=MARKERS[:2])]
    found = sections(two, views(4, 2))
    assert [section.title for section in found] == ["Imputed in day2", "Imputed in day3"]
    assert [len(section.blocks[-1].figures) for section in found] == [4, 2]
    assert sections([], views()) == []
    with pytest.raises(ValueError, match="zip"):
        sections(two, views(4))
