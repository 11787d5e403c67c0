"""A segmenter carried to a site whose images are lit the other way round."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from cellgan.adaptation.adaptation import play_adaptation
from cellgan.adaptation.adda import Adda
from cellgan.adaptation.choice import Keep
from cellgan.adaptation.config import AdaptConfig
from cellgan.errors import ConfigError, InputError, ModelError
from cellgan.report.page import render
from cellgan.segmentation import candidates
from cellgan.segmentation.adapt_volumes import adapt_volumes
from cellgan.segmentation.adapted_volumes_page import adapted_volumes_page
from cellgan.segmentation.candidates import (
    Looker,
    doubt_of,
    kept_at_home,
    maps_of,
    masks_of,
    masks_of_size,
    mean_doubt,
    organ_size,
)
from cellgan.segmentation.cases import read_cases, read_image_cases
from cellgan.segmentation.model import load_model
from cellgan.segmentation.training_set import AugmentedSlices, read_training_set
from cellgan.segmentation.two_sites import TwoSites, read_targets, unchanged

GAME = AdaptConfig(
    rounds=4, size=2, anchor_weight=1.0, pseudo_label_weight=1.0, fading=True, checkpoints=2, tolerance=0.9
)


def ball(radius, n=8):
    x, y, z = np.mgrid[:n, :n, :n] - (n - 1) / 2
    return (x**2 + y**2 + z**2 < radius**2).astype(np.uint8)


def test_an_organs_size_is_a_geometric_mean_and_an_empty_mask_one_pixel():
    masks = [ball(2), ball(3), np.zeros((8, 8, 8), np.uint8)]
    expected = (ball(2).sum() * 2 * ball(3).sum() * 3 * 1 * 4) ** (1 / 3)
    assert organ_size(masks, [2.0, 3.0, 4.0]) == pytest.approx(expected)


def test_doubt_is_entropy_per_voxel_of_organ():
    maps = np.stack([np.full((2, 4, 4), 0.5), np.full((2, 4, 4), 0.5)]).astype(np.float32)
    assert doubt_of(maps) == pytest.approx(2.0)  # one bit a voxel, half of them organ
    sure = np.stack([1 - ball(2), ball(2)]).astype(np.float32)
    assert doubt_of(sure) == pytest.approx(0, abs=1e-6)


def test_what_is_known_of_a_candidate(sites):
    source, target, model = sites
    ours = read_training_set(read_cases(source), model.config)
    theirs = read_targets(model, read_image_cases(target))
    model = replace(model, network=deepcopy(model.network))  # whose head is changed below
    body = model.network.body
    given = []
    look_at = Looker(model, ours, theirs, relabel=given.append, seed=0)
    as_it_was = look_at(0, body)
    assert [mask.shape for mask in given[0]] == [(n, 32, 32) for n in theirs.lengths]
    assert as_it_was.entropy == pytest.approx(mean_doubt(maps_of(model, theirs)))
    assert as_it_was.source_kept == pytest.approx(kept_at_home(model.network, unchanged(ours, seed=0)))
    with torch.no_grad():
        for last in model.network.head:
            last.weight.zero_()
            last.bias.copy_(torch.tensor([3.0, -3.0]))
    assert look_at(1, body).balance < 0.01
    assert given[1][0].any()  # the masks to learn from have the size of those at home
    scattered = replace(model, whereabouts=(replace(model.whereabouts[0], one_piece=False),))
    Looker(scattered, ours, theirs, relabel=given.append, seed=0)(1, body)
    assert not given[2][0].any()


def test_from_the_first_odd_size_on_masks_to_learn_from_have_the_size_at_home(sites, monkeypatch):
    source, target, model = sites
    ours = read_training_set(read_cases(source), model.config)
    theirs = read_targets(model, read_image_cases(target))
    asked, given, body = [], [], model.network.body
    monkeypatch.setattr(candidates, "masks_of_size", lambda *made: asked.append(made) or ["at home"])
    monkeypatch.setattr(candidates, "organ_size", lambda masks, _gaps: sizes.pop(0))
    sizes = [100.0, 110.0, 140.0, 110.0]  # of experts' masks at home, then of three looks
    look_at = Looker(model, ours, theirs, relabel=given.append, seed=0)
    for number in range(3):
        look_at(number, body)
    assert [each == ["at home"] for each in given] == [False, True, True]
    assert [made[-1] for made in asked] == [100.0, 100.0]


def test_masks_to_learn_from_have_the_size_and_the_place_that_organs_have_at_home(sites):
    source, _, model = sites
    ours = read_training_set(read_cases(source), model.config)
    size = organ_size(ours.by_case(), ours.gaps)
    rng = np.random.default_rng(0)
    blind = [rng.uniform(0.02, 0.04, (n, 32, 32)) for n in ours.lengths]
    maps = [np.stack([1 - p, p]).astype(np.float32) for p in blind]
    assert not any(mask.any() for mask in masks_of(model, maps, ours.gaps))
    found = masks_of_size(model, maps, ours.gaps, size)
    assert 0.6 < organ_size(found, ours.gaps) / size < 1.5
    both = sum(int((a & b).sum()) for a, b in zip(found, ours.by_case(), strict=True))
    assert both > 0.6 * sum(int(mask.sum()) for mask in ours.by_case())
    as_they_are = [np.stack([1.0 - mask, mask]).astype(np.float32) for mask in ours.by_case()]
    assert organ_size(masks_of(model, as_they_are, ours.gaps), ours.gaps) == pytest.approx(size, rel=0.2)


def test_where_the_segmenter_is_sure_nothing_is_played(sites):
    source, target, model = sites
    given = (model, read_image_cases(target), read_cases(source), GAME)
    found = adapt_volumes(*given, least_doubt=1e6)
    assert found.model is model
    assert len(found.report["looks"]) == 1
    assert "kept as it was" in found.verdict
    text = render(adapted_volumes_page(found.report, model="old"))
    assert "is not adapted" in text
    assert "<svg" not in text.split("How it was chosen")[1]  # one point is no curve
    assert len(adapt_volumes(*given, least_doubt=0).report["looks"]) == 3
    with pytest.raises(ConfigError, match="0 or more"):
        adapt_volumes(*given, least_doubt=-1.0)


def test_masks_that_were_handed_on_are_in_the_next_mini_batch(sites):
    source, target, model = sites
    ours = read_training_set(read_cases(source), model.config)
    theirs = read_targets(model, read_image_cases(target))
    batches = TwoSites(ours, theirs, size=4, seed=0)
    before = batches[0]
    assert int(before["pseudo_label"].sum()) == 0
    batches.relabel([np.ones_like(mask) for mask in theirs.by_case()])
    assert float(batches[0]["pseudo_label"].float().mean()) > 0.5
    assert torch.equal(batches[0]["source"], before["source"])


def test_an_adapted_model_knows_both_sites(sites):
    source, target, model = sites
    last = replace(GAME, checkpoints=0)
    found = adapt_volumes(model, read_image_cases(target), read_cases(source), last, least_doubt=0)
    assert found.report["kept"] == "adapted"
    assert len(found.model.known.figures) == 4
    assert len(found.model.known.volumes) == 2


@pytest.mark.parametrize(("size", "alone", "members"), [(1.3, False, 2), (1.3, True, 1), (1.4, False, 1)])
def test_the_source_goes_on_deciding_where_it_is_not_plainly_lost(
    sites, tmp_path, monkeypatch, size, alone, members
):
    source, target, model = sites
    look = candidates.Looker.__call__

    def of_size(self, number, body):
        return replace(look(self, number, body), balance=size)

    monkeypatch.setattr(candidates.Looker, "__call__", of_size)
    last = replace(GAME, checkpoints=0)  # takes the last encoder
    given = (model, read_image_cases(target), read_cases(source), last)
    found = adapt_volumes(*given, least_doubt=0, adapted_alone=alone)
    assert found.report["members"] == ("both" if members == 2 else "adapted")
    assert ("together" in found.verdict) == (members == 2)
    text = render(adapted_volumes_page(found.report, model="m"))
    assert ("both decide together" in text) == (members == 2)
    before = len(model.network.head)
    assert len(found.model.network.head) == found.model.config.members == members * before
    found.model.save(tmp_path / "model")
    again = load_model(tmp_path / "model", device="cpu")
    ours = read_training_set(read_cases(source), model.config)
    theirs = read_targets(model, read_image_cases(target))
    image = TwoSites(ours, theirs, size=2, seed=0)[0]["target"]
    with torch.no_grad():
        p, was = (each.network(image).softmax(1) for each in (again, model))
        moved = [one.softmax(1) for one in again.network.each(image)][-before:]
    expected = sum(moved) / before if members == 1 else (was + sum(moved) / before) / 2
    assert torch.allclose(p, expected, atol=1e-5)


def test_the_source_model_is_left_alone_and_kept_where_adapting_hurts(sites):
    source, target, model = sites
    before = {name: p.clone() for name, p in model.network.state_dict().items()}
    wild = AdaptConfig(rounds=4, size=2, encoder_lr=0.5, anchor_weight=0.0, checkpoints=2, tolerance=0.0)
    found = adapt_volumes(model, read_image_cases(target), read_cases(source), wild, least_doubt=0)
    kept = [each["source_kept"] for each in found.report["looks"]]
    assert max(kept[1:]) < kept[0]
    assert found.report["kept"] == "source"
    assert found.model is model
    assert all(torch.equal(before[name], p) for name, p in model.network.state_dict().items())


def test_stopped_and_resumed_is_never_stopped(sites, tmp_path):
    source, target, model = sites
    given = (model, read_image_cases(target), read_cases(source), GAME)
    whole = adapt_volumes(*given, least_doubt=0)

    def stop(stage, done):
        if stage == "adapting" and done > 0.7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adapt_volumes(*given, least_doubt=0, keep=Keep(tmp_path / "kept"), progress=stop)
    kept = Keep(tmp_path / "kept", resume=True)
    with pytest.raises(ModelError, match=r"precision float32 \(now bfloat16\)"):
        adapt_volumes(*given, least_doubt=0, keep=kept, precision="bfloat16")
    resumed = adapt_volumes(*given, least_doubt=0, keep=kept)
    assert resumed.report == whole.report


def test_target_masks_are_never_looked_at(sites, site):
    *_, model = sites
    with_masks, without = site("away", sign=-1), site("away", sign=-1, masks=False)
    assert read_image_cases(with_masks) == read_image_cases(without)
    assert int(read_targets(model, read_image_cases(with_masks)).masks.sum()) == 0


def test_what_cannot_be_adapted(sites):
    source, target, model = sites
    with pytest.raises(InputError, match="no target cases"):
        adapt_volumes(model, [], read_cases(source), GAME)
    with pytest.raises(InputError, match="that of the source's case home0"):
        adapt_volumes(model, read_image_cases(source), read_cases(source), GAME)
    target.write_text("case,image\n1,x.nii.gz")
    with pytest.raises(InputError, match="site missing"):
        read_image_cases(target)


def test_all_is_played_on_the_device_of_the_model(sites, monkeypatch):
    source, target, model = sites
    elsewhere = torch.device("meta")
    seen = []

    class Noted(AugmentedSlices):
        def __init__(self, data, **named):
            seen.append(named["device"])
            super().__init__(data, **named)

    monkeypatch.setattr("cellgan.segmentation.two_sites.AugmentedSlices", Noted)
    ours = read_training_set(read_cases(source), model.config).on(elsewhere)
    TwoSites(ours, read_targets(model, read_image_cases(target)).on(elsewhere), size=2, seed=0)
    assert seen == [elsewhere] * 2

    class Stopped(Exception):
        pass

    def match(_game, *, device, **_):
        seen.append(device)
        raise Stopped

    monkeypatch.setattr("cellgan.adaptation.adaptation.Match", match)
    encoder, head = (torch.nn.Linear(2, 2, device=elsewhere) for _ in range(2))
    with pytest.raises(Stopped):
        play_adaptation(Adda.start(encoder, head, head, GAME), {}, None, settings={})
    assert seen[-1] == elsewhere
