"""The losses are those of the paper, and each of the mechanisms does its work."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from cellgan.core import Adam, Match, play, seeded
from cellgan.core.nets import Committee, patch_discriminator
from cellgan.errors import ConfigError
from cellgan.segmentation.config import SegmentConfig
from cellgan.segmentation.game import (
    LEARNER,
    AdversarialSegmentation,
    Supervised,
    as_sure_as,
    expert,
    game_of,
)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(6, 1, 32, 32, generator=generator)
    blobs = 9 * torch.nn.functional.avg_pool2d(noise, 9, 1, 4)
    return {"image": blobs + 0.3 * noise, "mask": (blobs[:, 0] > 0.5).long()}


class Same:
    def __init__(self, batch):
        self._batch = batch

    def __getitem__(self, index):
        return self._batch


def test_the_terms_are_the_papers(batch):
    game = game_of(
        SegmentConfig(loss="hybrid", adversarial_weight=1, width=4, members=1), n_channels=1, n_labels=2
    )
    assert isinstance(game, AdversarialSegmentation)
    game = replace(game, certainty=1.0)
    full = {**batch, **game.maps(batch)}
    p = full["scores"].softmax(1)
    d_real = game.discriminator(torch.cat([batch["image"], expert(batch["mask"], 2)], 1)).sigmoid()
    d_fake = game.discriminator(torch.cat([batch["image"], p], 1)).sigmoid()
    mce = -p.gather(1, batch["mask"][:, None]).log().mean()
    terms = game.segment(full) | game.discriminate(full)
    assert terms["cross-entropy"].item() == pytest.approx(mce.item() / 2, rel=1e-4)
    assert terms["fool"].item() == pytest.approx(-d_fake.log().mean().item(), rel=1e-4)
    assert terms["real"].item() == pytest.approx(-d_real.log().mean().item(), rel=1e-4)
    assert terms["fake"].item() == pytest.approx(-(1 - d_fake).log().mean().item(), rel=1e-4)


def test_the_expert_is_no_surer_than_the_network_and_never_unsure():
    labels = expert(torch.tensor([[[0, 0, 2]]]), 3)
    maps = torch.tensor([[0.98, 0.01, 0.01], [0.2, 0.6, 0.2], [0.5, 0.3, 0.2]]).T[None, :, None]
    found = as_sure_as(labels, maps, least=0.9)[0, :, 0].T
    expected = [[0.98, 0.01, 0.01], [0.9, 0.075, 0.025], [0.0625, 0.0375, 0.9]]
    assert found.tolist() == [pytest.approx(row, abs=1e-6) for row in expected]
    assert torch.allclose(as_sure_as(labels, maps, least=1.0), labels)


def test_each_loss_has_its_terms(batch):
    wanted = {
        "cross-entropy": {"cross-entropy"},
        "dice": {"cross-entropy", "dice"},
        "adversarial": {"fool"},
        "hybrid": {"fool", "cross-entropy"},
    }
    for loss, names in wanted.items():
        game = game_of(SegmentConfig(loss=loss, width=2), n_channels=1, n_labels=2)
        *others, segmenter = game.players()
        full = batch | (game.maps(batch) if others else {})
        assert set(segmenter.objective(full)) == names
        assert [player.name for player in others] == (["discriminator"] if "fool" in names else [])


def test_all_losses_start_from_the_same_segmenter():
    starts = [
        game_of(SegmentConfig(loss=loss, width=2, seed=3), n_channels=2, n_labels=3).segmenter.state_dict()
        for loss in ("cross-entropy", "adversarial")
    ]
    assert all(torch.equal(a, b) for a, b in zip(starts[0].values(), starts[1].values(), strict=True))


def test_each_member_learns_as_if_it_were_alone(batch):
    slopes = []
    for members in (1, 2):
        game = game_of(SegmentConfig(width=2, members=members), n_channels=1, n_labels=2)
        total = sum(game.segment(batch).values())
        slopes.append(torch.autograd.grad(total, list(game.segmenter.body[0].parameters())))
    for alone, beside in zip(*slopes, strict=True):  # Adam does not mind the factor
        torch.testing.assert_close(2 * beside, alone, rtol=1e-3, atol=1e-6)


def test_a_discriminator_judges_the_maps_of_all_members(batch):
    game = game_of(SegmentConfig(loss="hybrid", width=2, members=3), n_channels=1, n_labels=2)
    full = batch | game.maps(batch)
    assert full["scores"].shape == (18, 2, 32, 32)
    heads = list(game.segmenter.head.parameters())
    for terms in (game.discriminate(full), game.segment(full)):
        slopes = torch.autograd.grad(sum(terms.values()), heads, retain_graph=True)
        assert all(slope.abs().max() > 0 for slope in slopes)


def error(game, batch) -> float:
    with torch.no_grad():
        return (game.segmenter(batch["image"]).argmax(1) != batch["mask"]).float().mean().item()


def test_cross_entropy_learns(batch):
    config = SegmentConfig(loss="cross-entropy", width=4, learning_rate=5e-3)
    game = game_of(config, n_channels=1, n_labels=2)
    play(Match(game, seed=0), Same(batch), rounds=70)
    assert error(game, batch) < 0.13  # half of what no mask at all would give


def test_before_the_first_round_the_segmenter_believes_the_shares(batch):
    game = game_of(SegmentConfig(loss="dice", width=4), n_channels=1, n_labels=2, shares=[0.97, 0.03])
    believed = game.segmenter(batch["image"]).detach().softmax(1).mean((0, 2, 3))
    assert believed[1] == pytest.approx(0.03, abs=0.025)
    even = game_of(SegmentConfig(loss="dice", width=4), n_channels=1, n_labels=2)
    assert even.segmenter(batch["image"]).detach().softmax(1).mean((0, 2, 3))[1] > 0.2


class Blind(nn.Module):
    """A discriminator that sees the image and not the map: it can teach nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.net = patch_discriminator(1, width=8, halvings=3)

    def forward(self, x):
        return self.net(x[:, :1]) + 0 * x.sum()


def adversarial(discriminator, batch) -> float:
    with seeded(0):
        game = AdversarialSegmentation(
            Committee(1, 2, width=4),
            discriminator,
            cross_entropy_weight=0,
            optimizer=LEARNER,
            discriminator_optimizer=Adam(),
        )
    play(Match(game, seed=0), Same(batch), rounds=120)
    return error(game, batch)


def test_the_discriminator_alone_teaches_and_only_by_what_it_sees(batch):
    with seeded(1):
        seeing, blind = patch_discriminator(3, width=16, halvings=3), Blind()
    taught = adversarial(seeing, batch)
    untaught = adversarial(blind, batch)
    assert taught < 0.2
    assert untaught == pytest.approx(batch["mask"].float().mean().item())  # nothing but background


def test_settings_that_make_no_sense():
    for wrong in (
        {"loss": "focal"}, {"steps": 0}, {"size": 100}, {"size": 16}, {"pixel": 0.0}, {"neighbours": -1},
        {"learning_rate": 0.0}, {"width": 0}, {"slices": 0}, {"pixel": math.nan}, {"seed": -1},
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            SegmentConfig(**wrong)
    with pytest.raises(ConfigError, match="cross_entropy_weight is -1"):
        AdversarialSegmentation(Committee(1, 2), patch_discriminator(3), cross_entropy_weight=-1)
    assert Supervised(Committee(1, 2)).spectators() == {}
