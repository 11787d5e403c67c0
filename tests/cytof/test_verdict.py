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
        "scale": "",
        "evidence": {"answer": "align", "share": 0.9, "auc_before": 0.95, "auc": 0.55, "strength": 0.2},
        "markers": [{"marker": "CD3", "emd_before": 0.5, "emd_after": 0.05, "moved": 0.5, "gain": 1.2}],
        "clusters": [
            {
                "cluster": 0,
                "share_reference": 0.4,
                "share_batch": 0.5,
                "mapped": True,
                "high": ["CD3", "CD4"],
                "high_before": ["CD3", "CD4"],
                "changed": [],
            },
            {
                "cluster": 1,
                "share_reference": 0.6,
                "share_batch": 0.5,
                "mapped": True,
                "high": [],
                "high_before": [],
                "changed": [],
            },
        ],
    }


def cluster(number: int, reference: float, batch: float, *, mapped: bool = False, high=("CD14",)) -> dict:
    return {
        "cluster": number,
        "share_reference": reference,
        "share_batch": batch,
        "mapped": mapped,
        "high": list(high),
        "high_before": list(high),
        "changed": [],
    }


def judged(**changes: object) -> tuple[str, str, list[str]]:
    """Judge the good batch with ``method_key``, ``floor_key``, ``evidence_key`` or ``key`` changed."""
    batch = good_batch()
    rows = {"nothing": 0, "quantiles": 1, "start": 2, "cellgan": 3}
    for key, value in changes.items():
        where, _, score = key.partition("_")
        if where in rows:
            batch["scores"][rows[where]][score] = value
        elif where in {"floor", "evidence"}:
            batch[where][score] = value
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
        # No difference as measured, whatever was made of it.
        (
            {"evidence_answer": "nothing", "nothing_emd": 0.05, "nothing_auc": 0.53, "cellgan_emd": 0.05},
            "nothing",
        ),
        ({"nothing_emd": 0.05, "nothing_auc": 0.53, "cellgan_emd": 0.05}, "caution"),
        # Half of the cells correspond; gains as those of instruments usually are.
        ({"evidence_share": 0.5}, "good"),
        ({"evidence_share": 0.499}, "caution"),
        ({"evidence_strength": 0.7}, "good"),
        ({"evidence_strength": 0.701}, "caution"),
        # Nobody looked, as where labels or nothing tie cells together.
        ({"evidence_share": None, "evidence_auc": None, "evidence_strength": None}, "good"),
        ({"evidence_share": math.nan, "evidence_strength": math.nan}, "good"),
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


STILL = {"method": "nothing", "emd": 0.60, "auc": 0.95, "neighbours": 1.0, "moved": 0.0, "chosen": True}


def unmoved(answer: str, **changes: object) -> tuple[str, str, list[str]]:
    """Judge a batch that stayed as measured, with values of ``evidence`` or of the batch changed."""
    batch = good_batch()
    batch["scores"] = [dict(STILL), batch["scores"][1]]
    batch["evidence"]["answer"] = answer
    for key, value in changes.items():
        (batch["evidence"] if key in batch["evidence"] else batch)[key] = value
    verdict, warnings = judge_batch(batch)
    return verdict["level"], verdict["text"], warnings


SETTLE = (
    " Control samples of both (--anchors) or cell types known in both (--correspondence labels:KEY) would "
    "settle it."
)


def test_nothing_to_align():
    level, text, warnings = unmoved("nothing")
    assert (level, warnings) == ("nothing", [])
    assert text == (
        "Cells of day2 and day1 that correspond do not differ as measured, neither marker by marker nor to a "
        "classifier: there is no batch effect to remove. Use the values as measured."
    )


def test_no_difference_as_measured_and_made_worse():
    worse = {"nothing_emd": 0.04, "nothing_auc": 0.5, "cellgan_emd": 0.08, "cellgan_auc": 0.5}
    level, text, _ = judged(evidence_answer="nothing", start_emd=0.08, **worse)
    assert level == "poor"
    assert text.startswith("Cells of day2 and day1 that correspond do not differ as measured")
    assert text.endswith(
        "there is no batch effect to remove, and they lie farther from the reference than the cells as they "
        "came (0.08 against 0.04 SD). Use the values as measured."
    )


def test_few_cells_tell_nothing():
    learned = {"source": "cells", "reference": 5000, "batch": 49}
    held = {"reference": 1000, "batch": 9}
    level, text, _ = unmoved("few", share=None, auc=None, learned_from=learned, held_out=held)
    assert level == "poor"
    assert text == (
        "Values stay as measured: 49 cells of day2 and 5,000 of day1 could be learned "
        "from, and no batch effect can be told from fewer than 50."
    )


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        (
            {"share": 0.249, "auc": 0.9},
            (
                "only 25 % of day2's cells (about 1,245) correspond to cells of day1, too few to tell a "
                "batch effect from biology."
            ),
        ),
        (
            {"share": 0.25, "auc": 0.751},
            (
                "25 % of day2's cells (about 1,250) could correspond to cells of day1, but nothing that an "
                "instrument does makes them alike (a classifier still tells them apart, AUC 0.75)."
            ),
        ),
        (
            {"share": 0.4, "auc": 0.7, "strength": 1.1},
            (
                "40 % of day2's cells (about 2,000) correspond to cells of day1, but only by gains that "
                "differ between markers more than an instrument's usually do (CD3 times 1.20)."
            ),
        ),
    ],
)
def test_unknown_says_why_and_what_would_settle_it(evidence, why):
    level, text, warnings = unmoved("unknown", **evidence)
    assert (level, warnings) == ("poor", [])
    assert text == f"Values stay as measured: {why}{SETTLE}"


def test_unknown_names_the_populations_that_one_batch_has_alone():
    clusters = [
        cluster(1, 0.5, 0.0),
        cluster(2, 0.0, 0.2, high=("CD19", "CD20")),
        cluster(3, 0.03, 0.31),
        cluster(4, 0.0, 0.4, high=()),  # nothing to call it by
        cluster(5, 0.4, 0.09, high=("CD8",)),
    ]
    text = unmoved("unknown", share=0.09, clusters=clusters)[1]
    assert "day2 alone holds CD14+ (31 %) and CD19+ CD20+ (20 %)." in text
    assert "CD8" not in text
    many = [cluster(i, 0.0, 0.2, high=(f"CD{i}",)) for i in range(1, 6)]
    text = unmoved("unknown", share=0.01, clusters=many)[1]
    assert "day2 alone holds CD1+ (20 %), CD2+ (20 %) and CD3+ (20 %)." in text


@pytest.mark.parametrize("answer", ["few", "unknown"])
def test_who_asked_for_a_method_by_name_is_told_the_same(answer):
    """Cells were moved; good scores do not make up for what is not known."""
    level, text, _ = judged(evidence_answer=answer, evidence_share=0.1)
    assert level == "poor"
    assert text.startswith("Cells were moved as asked, but ")
    assert "stay as measured" not in text


@pytest.mark.parametrize(("share", "level"), [(0.0099, "good"), (0.01, "poor")])
def test_a_population_that_was_changed_is_poor_whatever_the_scores_are(share, level):
    changed = cluster(3, share, share, mapped=True) | {"changed": ["CD3", "CD4"]}
    rest = cluster(1, 0.9, 0.9, mapped=True)
    found, text, _ = judged(clusters=[rest, changed])
    assert found == level
    said = "cluster 3 (1.0 % of day2) was high in CD3 and CD4 as measured and is not after"
    assert (said in text) == (level == "poor")


def test_a_population_that_was_changed_is_poor_without_any_score():
    changed = cluster(3, 0.2, 0.2, mapped=True) | {"changed": ["CD3"]}
    for unscored in ({"held_out": {"reference": 9, "batch": 9}}, {"cellgan_emd": None}):
        level, text, _ = judged(clusters=[changed], **unscored)
        assert level == "poor"
        assert "too few cells to score" not in text


def test_what_stays_as_measured_changed_nothing():
    changed = cluster(3, 0.2, 0.2, mapped=True) | {"changed": ["CD3"]}
    assert unmoved("nothing", clusters=[changed])[0] == "nothing"


def test_few_cells_that_correspond_are_a_doubt():
    level, text, warnings = judged(evidence_share=0.4)
    assert (level, warnings) == ("caution", [])
    assert "But only 40 % of day2's cells correspond to cells of day1." in text


def test_gains_that_differ_much_are_a_doubt_and_the_oddest_are_named():
    row = {"emd_before": 0.5, "emd_after": 0.05, "moved": 0.5}
    gains = {"CD3": 1.0, "CD4": 1.1, "CD8": 0.2, "CD19": 6.0, "CD20": 0.9, "CD45": 1.05, "CD7": None}
    markers = [row | {"marker": marker, "gain": gain} for marker, gain in gains.items()]
    level, text, _ = judged(evidence_strength=0.9, markers=markers)
    assert level == "caution"
    # By how far they lie from the usual one, up or down alike.
    assert (
        "But gains differ between markers more than an instrument's usually do (CD19 times 6.00, CD8 times "
        "0.20 and CD20 times 0.90)."
    ) in text
    text = judged(evidence_strength=0.9, markers=[row | {"marker": "CD3", "gain": None}])[1]
    assert "more than an instrument's usually do." in text


def test_a_scale_in_doubt_is_a_doubt():
    level, text, warnings = judged(scale="the values were taken as they are, but look like counts")
    assert (level, warnings) == ("caution", [])
    assert "But the scale is in doubt (the values were taken as they are, but look like counts)." in text
    # Of what was not moved, it is no news.
    assert "scale" not in unmoved("nothing", scale="they look like counts")[1]


def test_no_caveat_where_nothing_was_removed():
    level, text, _ = judged(nothing_emd=0.048, nothing_auc=0.55, cellgan_emd=0.045, cellgan_auc=0.53)
    assert level == "caution"
    assert text == (
        "What was removed of the difference between day2 and day1 is within the noise of the scores. But "
        "cells were moved all the same. Use the values as measured, or look at the markers."
    )
    # Beyond the noise of either score something is gone, and the caveat is back.
    noise = {"nothing_emd": 0.048, "nothing_auc": 0.55, "cellgan_emd": 0.045, "cellgan_auc": 0.53}
    for some in ({"nothing_emd": 0.058}, {"nothing_auc": 0.57}):
        text = judged(**noise | some)[1]
        assert text.endswith("treated differently from day1, that difference is gone too.")
        assert "all the same" not in text


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
        "50 (1.0 %) of day2's cells have no counterpart in day1. Such cells were moved by the map that all "
        'cells of day2 share: look at them before you compare them between batches (obs["cellgan_novel"]).'
    )


def test_cells_without_counterpart_and_clusters_of_one_batch_are_one_warning():
    clusters = [cluster(3, 0.0, 0.08), cluster(2, 0.10, 0.0)]
    ours, theirs = judged(clusters=clusters, novel=400)[2]
    assert ours.startswith(
        "400 (8.0 %) of day2's cells have no counterpart in day1. Cluster 3 (CD14+; 8.0 % of day2, none of "
        "day1) is almost only in day2. Such cells were moved by the map that all cells of day2 share: look at"
    )
    assert "of their own" not in ours
    assert theirs.startswith("Cluster 2 ")
    assert "counterpart" not in theirs


def test_cells_without_counterpart_that_were_not_moved():
    level, _, (warning,) = unmoved("nothing", novel=400)
    assert level == "nothing"
    assert "moved" not in warning
    assert 'in day1. Look at them before you compare them between batches (obs["cellgan_novel"]).' in warning


def test_of_cells_that_stayed_no_warning_speaks_of_maps_or_methods():
    own = cluster(3, 0.0, 0.08)
    assert "not given a map" in judged(clusters=[own])[2][0]
    batch = good_batch()
    ahead = batch["scores"][1] | {"emd": 0.01, "auc": 0.4}
    for answer in ("nothing", "unknown"):
        warnings = unmoved(answer, clusters=[own], scores=[dict(STILL), ahead])[2]
        assert warnings == [
            (
                "Cluster 3 (CD14+; 8.0 % of day2, none of day1) is almost only in day2: a population of one "
                "batch, or not matched."
            )
        ]
