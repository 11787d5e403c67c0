"""The whole adaptation, on a shift whose answer is known; and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from cellgan.adaptation.adaptation import DomainBatches, adapt, play_adaptation, probabilities
from cellgan.adaptation.adda import Adda
from cellgan.adaptation.choice import CANDIDATES, UNFINISHED, Keep
from cellgan.adaptation.classifier import Fit, fit_classifier
from cellgan.adaptation.config import AdaptConfig
from cellgan.adaptation.criterion import Look, right
from cellgan.adaptation.domains import Domains
from cellgan.core.nets import mlp
from cellgan.core.randomness import seeded
from cellgan.core.watch import every
from cellgan.errors import ConfigError, InputError, ModelError

CONFIG = AdaptConfig(
    rounds=150, size=64, encoder_lr=1e-3, discriminator_lr=1e-3, r1_weight=1.0, checkpoints=5
)


def three_types(n, seed):
    """Three types at the corners of a triangle; the other site sees them moved and stretched."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 3
    corners = torch.tensor([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])
    return corners[labels] + 0.35 * torch.randn(n, 2, generator=generator), labels


def elsewhere(rows):
    return rows * torch.tensor([1.2, 0.8]) + torch.tensor([2.2, 1.0])


@pytest.fixture(scope="module")
def trained():
    rows, labels = three_types(600, 0)
    with seeded(0):
        encoder, head = nn.Sequential(mlp(2, 16, hidden=(32,)), nn.ReLU()), nn.Linear(16, 3)
    fit_classifier(encoder, head, rows, labels, fit=Fit(rounds=150))
    moved, truth = three_types(600, 1)
    return encoder, head, Domains(rows, labels, elsewhere(moved)), truth


@pytest.fixture(scope="module")
def adapted(trained):
    encoder, head, domains, _ = trained
    return adapt(encoder, head, domains, CONFIG)


def score(found, target, truth):
    return right(found.probabilities(target), truth)


def test_target_labels_are_found_without_any(trained, adapted):
    encoder, head, domains, truth = trained
    before = right(probabilities(encoder, head, domains.target), truth)
    assert before < 0.9
    assert score(adapted, domains.target, truth) > 0.97
    assert adapted.kept == "adapted"


def test_without_the_adversary_nothing_is_gained(trained):
    encoder, head, domains, truth = trained
    # A discriminator that never tells the domains apart pulls nowhere: the balance is out of its reach.
    still = adapt(encoder, head, domains, replace(CONFIG, balance=0.99, rounds=20, discriminator_lr=1e-8))
    before = right(probabilities(encoder, head, domains.target), truth)
    assert score(still, domains.target, truth) == before


def test_the_source_is_left_alone(trained):
    encoder, head, domains, _ = trained
    before = [p.clone() for p in (*encoder.parameters(), *head.parameters())]
    adapt(encoder, head, domains, replace(CONFIG, rounds=5))
    after = [*encoder.parameters(), *head.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_dropout_is_off_and_the_mode_of_what_was_given_stays(trained):
    encoder, head, domains, _ = trained
    noisy = nn.Sequential(*encoder, nn.Dropout(0.9)).train()
    found = adapt(noisy, head, domains, replace(CONFIG, rounds=5))
    assert noisy.training
    assert found.looks[0].source_kept == right(probabilities(encoder, head, domains.source), domains.labels)


def test_an_encoder_that_broke_is_not_kept(trained):
    encoder, head, domains, truth = trained
    wild = replace(CONFIG, encoder_lr=0.5, rounds=30, balance=0.0)
    guarded = adapt(encoder, head, domains, wild)
    unguarded = adapt(encoder, head, domains, replace(wild, checkpoints=0))
    source_only = right(probabilities(encoder, head, domains.target), truth)
    assert score(unguarded, domains.target, truth) < source_only <= score(guarded, domains.target, truth)
    assert guarded.kept == "source"


def test_same_seed_same_result(trained, adapted):
    encoder, head, domains, _ = trained
    again = adapt(encoder, head, domains, CONFIG)
    assert again.looks == adapted.looks
    assert torch.equal(again.probabilities(domains.target), adapted.probabilities(domains.target))


def test_stopped_and_resumed_is_never_stopped(trained, adapted, tmp_path):
    encoder, head, domains, _ = trained
    folder = tmp_path / "run"

    def break_off(report):
        if report.round == 75:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adapt(encoder, head, domains, CONFIG, watchers=[every(1, break_off)], keep=Keep(folder))
    assert (folder / CANDIDATES).exists()
    with pytest.raises(ModelError, match=r"started with seed 0 \(now 1\); expected the same"):
        adapt(encoder, head, domains, replace(CONFIG, seed=1), keep=Keep(folder, resume=True))
    resumed = adapt(encoder, head, domains, CONFIG, keep=Keep(folder, resume=True))
    assert resumed.looks == adapted.looks
    assert torch.equal(resumed.probabilities(domains.target), adapted.probabilities(domains.target))
    assert not any((folder / name).exists() for name in (CANDIDATES, UNFINISHED))


def test_who_looks_sees_all_candidates_again_when_a_run_is_resumed(trained, tmp_path):
    encoder, head, domains, _ = trained
    seen = []

    def play(keep, watchers=()):
        def look_at(number, candidate):
            seen.append((number, probabilities(candidate, head, domains.target).sum(0).tolist()))
            return Look(number, float(number), 0.0, 1.0, 1.0)

        game = Adda.start(encoder, head, mlp(3, 1), CONFIG)
        batches = DomainBatches(domains, size=64, seed=0)
        return play_adaptation(game, batches, look_at, settings={}, watchers=watchers, keep=keep)

    def break_off(report):
        if report.round == 75:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play(Keep(tmp_path), [every(1, break_off)])
    first, seen = seen, []
    play(Keep(tmp_path, resume=True))
    assert [number for number, _ in first] == [0, 30, 60]
    assert seen[:3] == first
    assert [number for number, _ in seen[3:]] == [90, 120, 150]


def broken(domains, **changes):
    return domains._replace(**changes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"target": torch.zeros(0, 2)}, "the target has no rows"),
        ({"target": torch.full((4, 2), torch.nan)}, "NaN or infinite values in 4 of 4 rows"),
        ({"target": torch.zeros(4, 3)}, "expected one shape"),
        ({"labels": torch.zeros(600, dtype=torch.long)}, "at least two classes"),
        ({"labels": torch.arange(5)}, "expected one a row"),
    ],
)
def test_what_cannot_be_adapted(trained, change, words):
    encoder, head, domains, _ = trained
    with pytest.raises(InputError, match=words):
        adapt(encoder, head, broken(domains, **change), CONFIG)


def test_the_source_is_no_target(trained):
    encoder, head, domains, _ = trained
    with pytest.raises(InputError, match="the target is the source"):
        adapt(encoder, head, broken(domains, target=domains.source), CONFIG)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"sees": "pixels"}, "one of scores, features"),
        ({"rounds": 0}, "at least 1"),
        ({"encoder_lr": 0.0}, "more than 0"),
        ({"balance": 1.0}, "less than 1"),
        ({"r1_weight": -1.0}, "0 or more"),
        ({"pseudo_label_weight": -1.0}, "0 or more"),
        ({"adversarial_weight": 0.0}, "expected something to learn"),
        ({"rounds": 3, "checkpoints": 5}, "at most one a round"),
        ({"seed": -1}, "seed is -1; expected a whole number from 0 to 4294967295"),
        ({"seed": 2**32}, "from 0 to 4294967295"),
    ],
)
def test_settings_that_make_no_sense(setting, words):
    with pytest.raises(ConfigError, match=words):
        AdaptConfig(**setting)


def test_rows_without_pseudo_labels(trained):
    encoder, head, domains, _ = trained
    with pytest.raises(ConfigError, match="expected 0"):
        adapt(encoder, head, domains, AdaptConfig(pseudo_label_weight=1.0))
