import math

import pytest

from cellgan.cytof.verdict import judge_batch


def test_good(judged):
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
def test_both_sides_of_every_threshold(judged, changes, level):
    assert judged(**changes)[0] == level


def test_poor_says_why(judged):
    text = judged(cellgan_emd=0.7, cellgan_auc=0.97, cellgan_neighbours=0.1)[1]
    assert "farther from the reference than the cells as they came (0.70 against 0.60 SD)" in text
    assert "than where the alignment started (0.70 against 0.10 SD)" in text
    assert "AUC 0.97" in text
    assert "only 10 % of a cell's neighbours" in text


SETTLE = (
    " Control samples of both (--anchors) or cell types known in both (--correspondence labels:KEY) would "
    "settle it."
)


def test_nothing_to_align(unmoved):
    level, text, warnings = unmoved("nothing")
    assert (level, warnings) == ("nothing", [])
    assert text == (
        "Cells of day2 and day1 that correspond do not differ as measured, neither marker by marker nor to a "
        "classifier: there is no batch effect to remove. Use the values as measured."
    )


def test_no_difference_as_measured_and_made_worse(judged):
    worse = {"nothing_emd": 0.04, "nothing_auc": 0.5, "cellgan_emd": 0.08, "cellgan_auc": 0.5}
    level, text, _ = judged(evidence_answer="nothing", start_emd=0.08, **worse)
    assert level == "poor"
    assert text.startswith("Cells of day2 and day1 that correspond do not differ as measured")
    assert text.endswith(
        "there is no batch effect to remove, and they lie farther from the reference than the cells as they "
        "came (0.08 against 0.04 SD). Use the values as measured."
    )


def test_few_cells_tell_nothing(unmoved):
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
def test_unknown_says_why_and_what_would_settle_it(unmoved, evidence, why):
    level, text, warnings = unmoved("unknown", **evidence)
    assert (level, warnings) == ("poor", [])
    assert text == f"Values stay as measured: {why}{SETTLE}"


def test_unknown_names_the_populations_that_one_batch_has_alone(cluster, unmoved):
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
def test_who_asked_for_a_method_by_name_is_told_the_same(judged, answer):
    """Cells were moved; good scores do not make up for what is not known."""
    level, text, _ = judged(evidence_answer=answer, evidence_share=0.1)
    assert level == "poor"
    assert text.startswith("Cells were moved as asked, but ")
    assert "stay as measured" not in text


@pytest.mark.parametrize(("share", "level"), [(0.0099, "good"), (0.01, "poor")])
def test_a_population_that_was_changed_is_poor_whatever_the_scores_are(cluster, judged, share, level):
    changed = cluster(3, share, share, mapped=True) | {"changed": ["CD3", "CD4"]}
    rest = cluster(1, 0.9, 0.9, mapped=True)
    found, text, _ = judged(clusters=[rest, changed])
    assert found == level
    said = "cluster 3 (1.0 % of day2) was high in CD3 and CD4 as measured and is not after"
    assert (said in text) == (level == "poor")


def test_a_population_that_was_changed_is_poor_without_any_score(cluster, judged):
    changed = cluster(3, 0.2, 0.2, mapped=True) | {"changed": ["CD3"]}
    for unscored in ({"held_out": {"reference": 9, "batch": 9}}, {"cellgan_emd": None}):
        level, text, _ = judged(clusters=[changed], **unscored)
        assert level == "poor"
        assert "too few cells to score" not in text


def test_what_stays_as_measured_changed_nothing(cluster, unmoved):
    changed = cluster(3, 0.2, 0.2, mapped=True) | {"changed": ["CD3"]}
    assert unmoved("nothing", clusters=[changed])[0] == "nothing"


def test_few_cells_that_correspond_are_a_doubt(judged):
    level, text, warnings = judged(evidence_share=0.4)
    assert (level, warnings) == ("caution", [])
    assert "But only 40 % of day2's cells correspond to cells of day1." in text


def test_gains_that_differ_much_are_a_doubt_and_the_oddest_are_named(judged):
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


def test_a_scale_in_doubt_is_a_doubt(judged, unmoved):
    level, text, warnings = judged(scale="the values were taken as they are, but look like counts")
    assert (level, warnings) == ("caution", [])
    assert "But the scale is in doubt (the values were taken as they are, but look like counts)." in text
    # Of what was not moved, it is no news.
    assert "scale" not in unmoved("nothing", scale="they look like counts")[1]


def test_no_caveat_where_nothing_was_removed(judged):
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


def test_different_only_to_a_classifier(judged):
    text = judged(nothing_emd=0.045, nothing_auc=0.8, cellgan_emd=0.045, cellgan_auc=0.55)[1]
    assert "remains" not in text  # of a distance that was none
    assert "day2 and day1 lay as close to each other as chance allows" in text
    assert "AUC of 0.80 before, 0.55 after" in text


def test_without_a_start(good_batch):
    batch = good_batch()
    del batch["scores"][1:3]
    assert judge_batch(batch)[0]["level"] == "good"


@pytest.mark.parametrize("missing", [None, math.nan])
def test_what_cannot_be_scored_is_not_called_good(judged, missing):
    for key in ("cellgan_emd", "nothing_emd", "floor_emd"):
        level, text, _ = judged(**{key: missing})
        assert level == "caution"
        assert "too few cells to score" in text
    # A score beside the distance may be missing: the verdict rests on the rest.
    assert judged(cellgan_auc=missing, cellgan_neighbours=missing)[0] == "good"


def test_what_may_be_gone_depends_on_what_was_learned_from(judged):
    learned = {"source": "controls", "reference": 800, "batch": 700}
    text = judged(learned_from=learned)[1]
    assert "distance between the controls of day2 and day1 beyond chance" in text
    assert text.endswith("Only what the controls of day2 and day1 differ in was removed from all cells.")
    text = judged(learned_from=learned | {"source": "condition"})[1]
    assert "distance between day2 and day1 beyond chance" in text
    assert "Differences between conditions are left" in text
