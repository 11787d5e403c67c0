import copy
import json
import math

import pytest

from cellgan.cytof.batch_warnings import is_worse
from cellgan.cytof.verdict import judge_batch


def good_batch() -> dict:
    """Give an alignment that deserves no doubt."""
    return {
        "batch": "day2",
        "reference": "day1",
        "n_cells": 5000,
        "novel": 0,
        "learned_from": {"source": "cells", "reference": 5000, "batch": 5000},
        "held_out": {"reference": 800, "batch": 800},
        "scores": [
            {"method": "nothing", "emd": 0.60, "auc": 0.95, "neighbours": 1.0, "moved": 0.0},
            {"method": "per-marker quantiles", "emd": 0.15, "auc": 0.64, "neighbours": 0.66, "moved": 0.6},
            {"method": "start", "emd": 0.10, "auc": 0.58, "neighbours": 0.62, "moved": 0.6},
            {"method": "cellgan", "emd": 0.06, "auc": 0.53, "neighbours": 0.6, "moved": 0.6, "chosen": True},
        ],
        "floor": {"emd": 0.04, "auc": 0.50},
        "alike": False,
        "markers": [{"marker": "CD3", "emd_before": 0.5, "emd_after": 0.05, "moved": 0.5}],
        "clusters": [
            {
                "cluster": 0,
                "share_reference": 0.4,
                "share_batch": 0.5,
                "mapped": True,
                "high": ["CD3", "CD4"],
            },
            {"cluster": 1, "share_reference": 0.6, "share_batch": 0.5, "mapped": True, "high": []},
        ],
    }


def judged(**changes: object) -> tuple[str, str, list[str]]:
    """Judge the good batch with some values changed: ``method_score``, ``floor_score``, or a key."""
    batch = good_batch()
    rows = {"nothing": 0, "quantiles": 1, "start": 2, "cellgan": 3}
    for key, value in changes.items():
        where, _, score = key.partition("_")
        if where in rows:
            batch["scores"][rows[where]][score] = value
        elif where == "floor":
            batch["floor"][score] = value
        else:
            batch[key] = value
    seen = copy.deepcopy(batch)
    verdict, warnings = judge_batch(batch)
    assert batch == seen
    json.dumps([verdict, warnings])
    assert set(verdict) == {"level", "text"}
    return verdict["level"], verdict["text"], warnings


def test_good():
    level, text, warnings = judged()
    assert level == "good"
    assert warnings == []
    # (.60 - .06) / (.60 - .04)
    assert text.startswith("96 % of the distance between day2 and day1 beyond chance was removed (0.60 SD")
    assert text.endswith("If day2 was also treated differently from day1, that difference is gone too.")


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        # Farther than the cells as they came, by more than a quarter of the floor (.01).
        ({"nothing_emd": 0.20, "start_emd": 0.30, "cellgan_emd": 0.209}, "caution"),
        ({"nothing_emd": 0.20, "start_emd": 0.30, "cellgan_emd": 0.211}, "poor"),
        # Farther than its own start.
        ({"start_emd": 0.06, "cellgan_emd": 0.069}, "good"),
        ({"start_emd": 0.06, "cellgan_emd": 0.071}, "poor"),
        # A larger floor is more noise: a quarter of .08 is .02.
        ({"start_emd": 0.06, "cellgan_emd": 0.079, "floor_emd": 0.08}, "good"),
        ({"start_emd": 0.06, "cellgan_emd": 0.081, "floor_emd": 0.08}, "poor"),
        # Told apart more easily than before.
        ({"nothing_auc": 0.60, "cellgan_auc": 0.629}, "good"),
        ({"nothing_auc": 0.60, "cellgan_auc": 0.631}, "poor"),
        # Still plainly told apart.
        ({"cellgan_auc": 0.649}, "good"),
        ({"cellgan_auc": 0.65}, "caution"),
        ({"cellgan_auc": 0.799}, "caution"),
        ({"cellgan_auc": 0.80}, "poor"),
        # Reshuffled.
        ({"cellgan_neighbours": 0.40}, "good"),
        ({"cellgan_neighbours": 0.399}, "caution"),
        ({"cellgan_neighbours": 0.25}, "caution"),
        ({"cellgan_neighbours": 0.249}, "poor"),
        # Half of the excess over the floor (.60 - .04) is .28.
        ({"start_emd": 0.4, "cellgan_emd": 0.319, "quantiles_emd": 0.4}, "good"),
        ({"start_emd": 0.4, "cellgan_emd": 0.321, "quantiles_emd": 0.4}, "caution"),
        # Fewer than 50 held-out cells are no score; nine tenths without counterpart are a mistake.
        ({"held_out": {"reference": 600, "batch": 49}}, "caution"),
        ({"held_out": {"reference": 600, "batch": 50}}, "good"),
        ({"novel": 4501, "held_out": {"reference": 9, "batch": 9}}, "poor"),
        ({"novel": 4500}, "caution"),
        # Alike as measured, whatever was made of it: `test_evaluate` has the thresholds.
        ({"alike": True, "nothing_emd": 0.05, "nothing_auc": 0.53, "cellgan_emd": 0.05}, "nothing"),
        ({"alike": False, "nothing_emd": 0.05, "nothing_auc": 0.53, "cellgan_emd": 0.05}, "caution"),
    ],
)
def test_both_sides_of_every_threshold(changes, level):
    assert judged(**changes)[0] == level


def test_poor_says_why():
    text = judged(cellgan_emd=0.7, cellgan_auc=0.97, cellgan_neighbours=0.1)[1]
    assert "farther from the reference than the cells as they came (0.70 against 0.60 SD)" in text
    assert "than where the alignment started (0.70 against 0.10 SD)" in text
    assert "AUC 0.97" in text
    assert "only 10 % of a cell's neighbours" in text


def test_alike_before_and_made_worse():
    level, text, _ = judged(
        alike=True, nothing_emd=0.04, nothing_auc=0.5, cellgan_emd=0.08, cellgan_auc=0.5, start_emd=0.08
    )
    assert level == "poor"
    assert text.startswith("Before, day2 and day1 were alike, and they lie farther")
    assert "Use the values as measured" in text


def test_different_only_to_a_classifier():
    text = judged(nothing_emd=0.045, nothing_auc=0.8, cellgan_emd=0.045, cellgan_auc=0.55)[1]
    assert "remains" not in text  # of a distance that was none
    assert "day2 and day1 lay as close to each other as chance allows" in text
    assert "AUC of 0.80 before, 0.55 after" in text


def test_without_a_start():
    batch = good_batch()
    del batch["scores"][1:3]
    assert judge_batch(batch)[0]["level"] == "good"


@pytest.mark.parametrize("missing", [None, math.nan])
def test_what_cannot_be_scored_is_not_called_good(missing):
    for key in ("cellgan_emd", "nothing_emd", "floor_emd"):
        level, text, _ = judged(**{key: missing})
        assert level == "caution"
        assert "too few cells to score" in text
    # A score beside the distance may be missing: the verdict rests on the rest.
    assert judged(cellgan_auc=missing, cellgan_neighbours=missing)[0] == "good"


@pytest.mark.parametrize(
    ("source", "what"),
    [("cells", "cells"), ("controls", "control cells"), ("condition", "cells to learn from")],
)
def test_few_cells_to_learn_from(source, what):
    # What counts is what was learned from, not how many cells the batch has.
    enough = {"source": source, "reference": 500, "batch": 500}
    assert judged(learned_from=enough, n_cells=400)[2] == []
    level, text, warnings = judged(learned_from=enough | {"batch": 499, "reference": 60})
    assert level == "caution"
    assert "Read the warnings" in text
    assert [w.split(":")[0] for w in warnings] == [f"day2 has 499 {what}", f"day1 has 60 {what}"]


def test_what_may_be_gone_depends_on_what_was_learned_from():
    learned = {"source": "controls", "reference": 800, "batch": 700}
    text = judged(learned_from=learned)[1]
    assert "distance between the controls of day2 and day1 beyond chance" in text
    assert text.endswith("Only what the controls of day2 and day1 differ in was removed from all cells.")
    text = judged(learned_from=learned | {"source": "condition"})[1]
    assert "distance between day2 and day1 beyond chance" in text
    assert "Differences between conditions are left" in text


def test_no_batch_is_blamed_for_the_consensus():
    few = {"source": "cells", "reference": 300, "batch": 5000}
    clusters = [cluster(1, 0.30, 0.0), cluster(2, 0.0, 0.30)]
    _, text, warnings = judged(reference="consensus", learned_from=few, clusters=clusters, novel=100)
    assert "distance between day2 and the consensus beyond chance" in text
    assert warnings[0].startswith("the consensus has 300 cells:")
    assert "of day2's cells have no counterpart in the consensus." in warnings[1]
    assert warnings[2].endswith(
        "almost only in the consensus: a population of other batches, or not matched."
    )
    text = judged(reference="consensus")[1]
    assert "treated differently from the other batches" in text


def test_a_marker_that_got_worse():
    marker = {"marker": "CD4", "emd_before": 0.10, "emd_after": 0.149, "moved": 0.1}
    assert judged(markers=[marker])[0] == "good"
    assert not is_worse(marker)
    marker["emd_after"] = 0.151
    assert is_worse(marker)
    level, _, warnings = judged(markers=[marker, {**marker, "marker": "CD8", "emd_after": 0.5}])
    assert level == "caution"
    # The worst first.
    assert len(warnings) == 1
    assert warnings[0].endswith("than before: CD8 (0.10 to 0.50 SD) and CD4 (0.10 to 0.15 SD).")


def cluster(number: int, reference: float, batch: float, *, mapped: bool = False, high=("CD14",)) -> dict:
    return {
        "cluster": number,
        "share_reference": reference,
        "share_batch": batch,
        "mapped": mapped,
        "high": list(high),
    }


@pytest.mark.parametrize(
    ("reference", "batch", "warned"),
    [
        (0.20, 0.021, None),
        (0.20, 0.019, "20 % of day1, 1.9 % of day2) is almost only in day1"),
        (0.0, 0.0099, None),
        (0.0, 0.0101, "1.0 % of day2, none of day1) is almost only in day2"),
    ],
)
def test_cluster_of_one_batch(reference, batch, warned):
    level, _, warnings = judged(clusters=[cluster(7, reference, batch)])
    assert level == ("caution" if warned else "good")
    assert len(warnings) == bool(warned)
    if warned:
        assert warnings[0].startswith(
            f"Cluster 7 (CD14+; {warned}: a population of one batch, or not matched."
        )
        assert ("Its cells were not given a map" in warnings[0]) == (batch > reference)


def test_clusters_of_one_batch_are_one_sentence_a_batch_the_largest_first():
    clusters = [
        cluster(5, 0.0, 0.02, high=()),
        cluster(2, 0.10, 0.0, mapped=True),
        cluster(3, 0.0, 0.08, high=("CD3", "CD4")),
        cluster(1, 0.30, 0.29, mapped=True),
        cluster(4, 0.0, 0.04, mapped=True),
        cluster(6, 0.0, 0.015),
        cluster(7, 0.0, 0.012),
    ]
    ours, theirs = judged(clusters=clusters)[2]
    assert ours == (
        "Clusters 3 (CD3+ CD4+; 8.0 % of day2, none of day1), 4 (CD14+; 4.0 % of day2, none of day1), "
        "5 (2.0 % of day2, none of day1) and 2 more are almost only in day2: populations of one batch, or "
        "not matched. The cells of 3, 5, 6 and 7 were not given a map of their own."
    )
    assert theirs == (
        "Cluster 2 (CD14+; 10 % of day1, none of day2) is almost only in day1: a population of one batch, "
        "or not matched."
    )
    mapped = [row | {"mapped": True} for row in clusters]
    assert not any("map of" in warning for warning in judged(clusters=mapped)[2])


def test_quantiles_ahead():
    level, _, warnings = judged(quantiles_emd=0.049, quantiles_auc=0.499)
    assert level == "caution"
    assert warnings == [
        "Per-marker quantile matching scores better on these batches: see the table of scores."
    ]
    assert judged(quantiles_emd=0.051, quantiles_auc=0.499)[2] == []
    assert judged(quantiles_emd=0.049, quantiles_auc=0.501)[2] == []


def test_cells_without_counterpart():
    assert judged(novel=49)[2] == []
    level, _, warnings = judged(novel=50)
    assert level == "caution"
    (warning,) = warnings
    assert warning == (
        "50 (1.0 %) of day2's cells have no counterpart in day1. Such cells were moved as day2's other cells "
        'are: look at them before you compare them between batches (obs["cellgan_novel"]).'
    )


def test_cells_without_counterpart_and_clusters_of_one_batch_are_one_warning():
    clusters = [cluster(3, 0.0, 0.08), cluster(2, 0.10, 0.0)]
    ours, theirs = judged(clusters=clusters, novel=400)[2]
    assert ours.startswith(
        "400 (8.0 %) of day2's cells have no counterpart in day1. Cluster 3 (CD14+; 8.0 % of day2, none of "
        "day1) is almost only in day2. Such cells were moved as day2's other cells are"
    )
    assert "of their own" not in ours
    assert theirs.startswith("Cluster 2 ")
    assert "counterpart" not in theirs


def test_cells_without_counterpart_that_were_not_moved():
    batch = good_batch() | {"novel": 400, "alike": True}
    batch["scores"] = [batch["scores"][0] | {"emd": 0.04, "auc": 0.5, "chosen": True}]
    verdict, warnings = judge_batch(batch)
    assert verdict["level"] == "nothing"
    assert "moved" not in warnings[0]
    assert (
        'in day1. Look at them before you compare them between batches (obs["cellgan_novel"]).' in warnings[0]
    )
