"""The game against the paper's equations, and each guard switched on and off."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import logsigmoid

from cellgan.adaptation.adda import Adda
from cellgan.adaptation.config import PUBLISHED, AdaptConfig
from cellgan.adaptation.criterion import Look, choose, look
from cellgan.core import Batches, Match, play
from cellgan.core.randomness import seeded
from cellgan.errors import InputError

BARE = replace(PUBLISHED, rounds=5, size=8, sees="features")


def game_of(config):
    with seeded(3):
        return Adda.start(
            nn.Linear(4, 6), nn.Linear(6, 3), nn.Linear(6 if config.sees == "features" else 3, 1), config
        )


def batch_of(game):
    with seeded(4):
        batch = {"source": torch.randn(8, 4), "target": torch.randn(8, 4) + 1, "label": torch.arange(8) % 3}
    return batch | game.encode(batch)


def test_the_papers_equations():
    game = game_of(BARE)
    batch = batch_of(game)
    on = game.discriminator
    d_source, d_target = on(game.source_encoder(batch["source"])), on(game.target_encoder(batch["target"]))
    terms = game.discriminate(batch)
    assert terms["source"].item() == pytest.approx(-logsigmoid(d_source).mean().item())
    assert terms["target"].item() == pytest.approx(-logsigmoid(-d_target).mean().item())
    assert set(terms) == {"source", "target"}
    assert game.move(batch)["fool"].item() == pytest.approx(-logsigmoid(d_target).mean().item())


def test_pseudo_labels_are_learned_beside_the_adversary_or_without():
    both = replace(BARE, pseudo_label_weight=0.5)
    for config, names in (
        (both, {"fool", "pseudo-label"}),
        (replace(both, adversarial_weight=0.0), {"pseudo-label"}),
    ):
        game = game_of(config)
        batch = batch_of(game) | {"pseudo_label": torch.arange(8) % 2}
        terms = game.move(batch)
        assert set(terms) == names
        scores = game.head(game.target_encoder(batch["target"]))
        own = scores.log_softmax(1)[torch.arange(8), batch["pseudo_label"]]
        assert terms["pseudo-label"].item() == pytest.approx(-0.5 * own.mean().item())


def test_the_adversarial_weight_scales_the_pull_and_nothing_plays_no_discriminator():
    full, half = (game_of(replace(BARE, adversarial_weight=w)) for w in (1.0, 0.5))
    batch = batch_of(full)
    assert half.move(batch)["fool"].item() == pytest.approx(full.move(batch)["fool"].item() / 2)
    alone = game_of(replace(BARE, adversarial_weight=0.0, anchor_weight=1.0))
    assert [player.name for player in alone.players()] == ["target_encoder"]


def test_another_supervised_loss_serves_the_anchor():
    game = replace(
        game_of(replace(BARE, anchor_weight=2.0)), supervised=lambda scores, _: scores.square().mean()
    )
    batch = batch_of(game)
    expected = 2 * game.head(game.target_encoder(batch["source"])).square().mean()
    assert game.move(batch)["anchor"].item() == pytest.approx(expected.item())


def test_rates_that_fade_are_nothing_in_the_end():
    game = game_of(replace(BARE, fading=True, rounds=2))
    with seeded(5):
        data = {"source": torch.randn(32, 4), "target": torch.randn(32, 4) + 1}
    match, batches = Match(game, seed=0), Batches(data, size=8, seed=0)
    play(match, batches, rounds=2)
    before = game.target_encoder.weight.clone()
    play(match, batches, rounds=1)
    assert torch.equal(before, game.target_encoder.weight)


def test_the_discriminator_sees_raw_scores_or_features():
    assert batch_of(game_of(replace(BARE, sees="scores")))["target_seen"].shape == (8, 3)
    assert batch_of(game_of(BARE))["target_seen"].shape == (8, 6)


def played(config):
    game = game_of(config)
    before = {name: p.clone() for name, p in game.source_encoder.state_dict().items()}
    with seeded(5):
        data = {"source": torch.randn(32, 4), "target": torch.randn(32, 4) + 1, "label": torch.arange(32) % 3}
    play(Match(game, seed=0), Batches(data, size=8, seed=0), rounds=config.rounds)
    return game, before


def test_only_the_target_encoder_and_the_discriminator_move():
    game, before = played(BARE)
    assert all(torch.equal(before[name], p) for name, p in game.source_encoder.state_dict().items())
    assert not torch.equal(before["weight"], game.target_encoder.weight)


@pytest.mark.parametrize(("averaging", "same"), [(0.0, True), (0.9, False)])
def test_the_average_follows(averaging, same):
    game, _ = played(replace(BARE, averaging=averaging))
    assert torch.equal(game.averaged.weight, game.target_encoder.weight) is same


def test_the_average_is_the_one_of_the_equation():
    game, before = played(replace(BARE, averaging=0.9, rounds=1))
    expected = 0.9 * before["weight"] + 0.1 * game.target_encoder.weight
    assert torch.allclose(game.averaged.weight, expected)


@pytest.mark.parametrize(
    ("source", "target", "pull"),
    [
        ((1, 1, 1, 1), (1, 1, 1, 1), 0.0),
        ((1, 1, 1, 1), (-1, -1, -1, -1), 1.0),
        ((1, 1, 1, -1), (-1, -1, 1, 1), 0.625),
    ],
)
def test_the_encoder_waits_for_a_discriminator_that_can_tell(source, target, pull):
    scores = [torch.tensor(side, dtype=torch.float32) for side in (source, target)]
    guarded, published = game_of(replace(BARE, balance=0.5)), game_of(BARE)
    assert guarded.pull(*scores).item() == pytest.approx(pull)
    assert published.pull(*scores).item() == 1


def test_the_anchor_is_the_sources_own_cross_entropy():
    game = game_of(replace(BARE, anchor_weight=2.0))
    batch = batch_of(game)
    expected = nn.functional.cross_entropy(game.head(game.target_encoder(batch["source"])), batch["label"])
    assert game.move(batch)["anchor"].item() == pytest.approx(2 * expected.item())


def test_r1_is_there_when_weighted():
    assert "r1" in game_of(AdaptConfig()).discriminate(batch_of(game_of(AdaptConfig())))


def one_hot(labels):
    return nn.functional.one_hot(torch.tensor(labels), 4).float()


def test_information_in_closed_form():
    certain = look(1, one_hot([0, 1, 2, 3]), source_kept=1.0)
    collapsed = look(1, one_hot([2, 2, 2, 2]), source_kept=1.0)
    doubtful = look(1, torch.full((4, 4), 0.25), source_kept=1.0)
    halves = look(1, one_hot([0, 0, 1, 1]), source_kept=1.0)
    found = [each.information for each in (certain, collapsed, doubtful, halves)]
    assert found == pytest.approx([1, 0, 0, 0.5], abs=1e-6)
    assert doubtful.entropy == pytest.approx(1)
    assert collapsed.balance == pytest.approx(0, abs=1e-6)


def candidate(information, kept):
    return Look(1, information, 0.0, 1.0, kept)


@pytest.mark.parametrize(
    ("looks", "chosen"),
    [
        ([candidate(0.8, 0.95), candidate(0.9, 0.95)], 1),
        ([candidate(0.8, 0.95), candidate(0.7, 0.95)], 0),
        ([candidate(0.8, 0.95), candidate(0.8, 0.95)], 0),
        (
            [candidate(0.8, 0.95), candidate(0.99, 0.5), candidate(0.9, 0.93)],
            2,
        ),  # the best has lost the source
    ],
)
def test_the_choice(looks, chosen):
    assert choose(looks, tolerance=0.05) == chosen


def test_nothing_to_choose():
    with pytest.raises(InputError, match="no candidate"):
        choose([], tolerance=0.1)
