"""What to know of one batch besides its verdict."""

import pytest

from cellgan.cytof.batch_warnings import is_worse


@pytest.mark.parametrize(
    ("source", "what"),
    [("cells", "cells"), ("controls", "control cells"), ("condition", "cells to learn from")],
)
def test_few_cells_to_learn_from(judged, source, what):
    # What counts is what was learned from, not how many cells the batch has.
    enough = {"source": source, "reference": 500, "batch": 500}
    assert judged(learned_from=enough, n_cells=400)[2] == []
    level, text, warnings = judged(learned_from=enough | {"batch": 499, "reference": 60})
    assert level == "caution"
    assert "Read the warnings" in text
    assert [w.split(":")[0] for w in warnings] == [f"day2 has 499 {what}", f"day1 has 60 {what}"]


def test_no_batch_is_blamed_for_the_consensus(cluster, judged):
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


def test_a_marker_that_got_worse(judged):
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
def test_cluster_of_one_batch(cluster, judged, reference, batch, warned):
    level, _, warnings = judged(clusters=[cluster(7, reference, batch)])
    assert level == ("caution" if warned else "good")
    assert len(warnings) == bool(warned)
    if warned:
        assert warnings[0].startswith(
            f"Cluster 7 (CD14+; {warned}: a population of one batch, or not matched."
        )
        assert ("Its cells were not given a map" in warnings[0]) == (batch > reference)


def test_clusters_of_one_batch_are_one_sentence_a_batch_the_largest_first(cluster, judged):
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


def test_quantiles_ahead(judged):
    level, _, warnings = judged(quantiles_emd=0.049, quantiles_auc=0.499)
    assert level == "caution"
    assert warnings == [
        "Per-marker quantile matching scores better on these batches: see the table of scores."
    ]
    assert judged(quantiles_emd=0.051, quantiles_auc=0.499)[2] == []
    assert judged(quantiles_emd=0.049, quantiles_auc=0.501)[2] == []


def test_cells_without_counterpart(judged):
    assert judged(novel=49)[2] == []
    level, _, warnings = judged(novel=50)
    assert level == "caution"
    (warning,) = warnings
    assert warning == (
        "50 (1.0 %) of day2's cells have no counterpart in day1. Such cells were moved by the map that all "
        'cells of day2 share: look at them before you compare them between batches (obs["cellgan_novel"]).'
    )


def test_cells_without_counterpart_and_clusters_of_one_batch_are_one_warning(cluster, judged):
    clusters = [cluster(3, 0.0, 0.08), cluster(2, 0.10, 0.0)]
    ours, theirs = judged(clusters=clusters, novel=400)[2]
    assert ours.startswith(
        "400 (8.0 %) of day2's cells have no counterpart in day1. Cluster 3 (CD14+; 8.0 % of day2, none of "
        "day1) is almost only in day2. Such cells were moved by the map that all cells of day2 share: look at"
    )
    assert "of their own" not in ours
    assert theirs.startswith("Cluster 2 ")
    assert "counterpart" not in theirs


def test_cells_without_counterpart_that_were_not_moved(unmoved):
    level, _, (warning,) = unmoved("nothing", novel=400)
    assert level == "nothing"
    assert "moved" not in warning
    assert 'in day1. Look at them before you compare them between batches (obs["cellgan_novel"]).' in warning


def test_of_cells_that_stayed_no_warning_speaks_of_maps_or_methods(good_batch, cluster, judged, unmoved):
    own = cluster(3, 0.0, 0.08)
    assert "not given a map" in judged(clusters=[own])[2][0]
    batch = good_batch()
    ahead = batch["scores"][1] | {"emd": 0.01, "auc": 0.4}
    for answer in ("nothing", "unknown"):
        warnings = unmoved(answer, clusters=[own], scores=[batch["scores"][0] | {"chosen": True}, ahead])[2]
        assert warnings == [
            (
                "Cluster 3 (CD14+; 8.0 % of day2, none of day1) is almost only in day2: a population of one "
                "batch, or not matched."
            )
        ]
