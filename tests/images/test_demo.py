"""The frame of the demos: what is measured, played, drawn and written."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from cellgan.errors import ConfigError
from cellgan.images.demo import Measure
from cellgan.images.demo_page import as_json, as_page, said
from cellgan.images.demos import TITLES, find
from cellgan.images.demos.optimal_discriminator import DEMO
from cellgan.images.image_data import digits


def test_a_measure_knows_whether_it_keeps_its_bound():
    assert Measure("a", 0.5, "", at_least=0.5).passed
    assert not Measure("a", 0.49, "", at_least=0.5).passed
    assert Measure("a", 0.5, "", at_most=0.5).passed
    assert not Measure("a", 0.51, "", at_most=0.5).passed
    assert not Measure("a", float("nan"), "", at_least=0.5).passed
    assert not Measure("a", float("nan"), "", at_most=0.5).passed
    assert Measure("a", 0.5, "").passed
    assert not Measure("a", 0.5, "").tested
    with pytest.raises(ConfigError, match="both bounds"):
        Measure("a", 0.5, "", at_least=0, at_most=1)


def test_the_same_seed_gives_the_same_demo_and_leaves_the_callers_stream_alone():
    state = torch.get_rng_state()
    first, again, other = (DEMO.run(seed=seed, rounds=20) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert as_page("optimal-discriminator", first) == as_page("optimal-discriminator", again)
    assert first.result.measures == again.result.measures != other.result.measures
    assert len(first.result.played.samples) == 6
    assert list(first.result.played.rounds) == list(range(1, 21))


def test_the_page_says_what_was_measured_and_shows_formula_and_code():
    run = DEMO.run(rounds=20)
    page = as_page("optimal-discriminator", run)
    kept = sum(measure.passed for measure in run.result.measures if measure.tested)
    assert f"{kept} of 2 bounds kept, in a game of your own" in page
    assert "The bounds are meant for 600 rounds" in page
    verdict = as_page("optimal-discriminator", replace(run, rounds=DEMO.rounds))
    assert ("It passed its test" in verdict) == run.result.passed
    assert ("It did not pass its test" in verdict) != run.result.passed
    assert "2 JSD(p, q) − log 4" in page
    assert "def best_value() -&gt; float:" in page
    assert page.count("<svg") >= 6 + 2  # samples and losses
    report = json.loads(as_json("optimal-discriminator", run))
    assert report["passed"] == run.result.passed
    assert [m["value"] for m in report["measures"]] == [m.value for m in run.result.measures]
    assert len(report["losses"]["discriminator/real"]) == 20


def test_bounds_are_told_in_full():
    assert said(Measure("a", 0.0, "", at_most=1e-6)) == "at most 1e-06"
    assert said(Measure("a", 0.0, "", at_most=0.0063)) == "at most 0.0063"
    assert said(Measure("a", 0.0, "", at_least=7)) == "at least 7"


def test_a_demo_says_what_it_cannot_use():
    with pytest.raises(ConfigError, match="rounds is 0"):
        DEMO.run(rounds=0)
    with pytest.raises(ConfigError, match="takes no images"):
        DEMO.run(images=digits())
    with pytest.raises(ConfigError, match="no demo 'magic'"):
        find("magic")


@pytest.mark.parametrize("name", TITLES)
def test_every_demo_of_the_list_is_there_with_paper_and_formula(name):
    demo = find(name)
    assert demo.objectives
    assert "(" in demo.paper
    assert demo.idea.endswith(".")
    assert all(callable(of) for _, of in demo.objectives)


def test_a_demo_on_images_takes_any_number_of_classes_and_channels():
    own = digits()
    kept, held = own.y < 3, own.y_test < 3
    colour = replace(
        own,
        x=own.x[kept].expand(-1, 3, -1, -1),
        y=own.y[kept],
        x_test=own.x_test[held].expand(-1, 3, -1, -1),
        y_test=own.y_test[held],
        names=("0", "1", "2"),
    )
    for name in ("conditional-gan", "vae"):
        run = find(name).run(rounds=3, images=colour)
        assert len(run.result.measures) > 3
        assert "data:image/png" in as_page(name, run)
        assert ", on scikit-learn" in as_page(name, run)


@pytest.mark.parametrize("name", ["adversarial-autoencoder", "conditional-vae", "progressive"])
def test_one_round_is_enough_for_a_page(name):
    run = find(name).run(rounds=1)
    assert "bounds kept, in a game of your own" in as_page(name, run)
    assert not run.as_meant
