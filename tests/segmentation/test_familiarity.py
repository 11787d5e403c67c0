"""Cases that are unlike the training cases are told, and those that are like them are not."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from cellgan.core.nets import Committee
from cellgan.errors import InputError
from cellgan.segmentation.config import SegmentConfig
from cellgan.segmentation.evaluation import evaluate
from cellgan.segmentation.familiarity import Familiarity, KnownCases, Sight, known_cases
from cellgan.segmentation.model import load_model
from cellgan.segmentation.prediction import predict
from cellgan.segmentation.sidecar import read_sidecar, sidecar_of
from cellgan.segmentation.training import train

USUAL = {"area": 4.0, "gap": 3.0}


def mask(n: int, *, label: int = 1, at: int = 8) -> np.ndarray:
    """Give a mask of 2n pixels on a grid of 6 slices."""
    found = np.zeros((6, 32, 32), np.uint8)
    found[2:4, 12, at : at + n] = label
    return found


def known(n_cases: int = 20, n_figures: int = 8, *, seed: int = 0) -> KnownCases:
    draw = np.random.default_rng(seed)
    figures = draw.normal(0, np.linspace(0.5, 3, n_figures), (n_cases, n_figures))
    masks = [mask(n) for n in draw.integers(6, 12, n_cases)]
    return known_cases(list(figures), masks, n_labels=2, area=4.0, gaps=[3.0] * n_cases)


def test_of_usual_cases_few_are_unusual_and_of_strange_ones_all():
    usual, strange = [], []
    for seed in range(10):
        cases = known(seed=seed)
        draw = np.random.default_rng(1000 + seed)
        for _ in range(10):
            new = draw.normal(0, np.linspace(0.5, 3, 8))
            usual.append(cases.distance(new))
            strange.append(cases.distance(new + 5 * np.linspace(0.5, 3, 8)))
    assert 0.01 < np.mean(np.array(usual) > 1) < 0.12  # 1 in 20 by its definition
    assert min(strange) > 1.5


def test_the_reasons_are_the_plain_ones():
    cases, middle = known(), np.zeros(8)
    said = cases.judge(middle, mask(9), **USUAL)
    assert said.trusted
    assert said.distance < 1
    for labels, where, words in (
        (mask(0), USUAL, "the mask is empty"),
        (mask(2), USUAL, "holds 0.048 ml; in the training cases 0.144 to 0.264 ml"),
        (mask(9, at=0), USUAL, "cut off by the edge"),
        (mask(9), {"area": 4.0, "gap": 6.0}, "its slices lie 6 mm apart; those of the training cases 3 mm"),
    ):
        (reason,) = cases.judge(middle, labels, **where).reasons
        assert words in reason
    (reason,) = cases.judge(middle + 50, mask(9), **USUAL).reasons
    assert "unlike the training cases (distance" in reason


def test_labels_are_judged_one_by_one():
    masks = [mask(9) + mask(n, label=2, at=20) for n in (0, 5, 6, 6, 7)]
    cases = known_cases(list(np.eye(5)), masks, n_labels=3, area=4.0, gaps=[3.0] * 5)
    assert cases.judge(np.full(5, 0.2), mask(9), **USUAL).trusted  # a training case, too, lacks label 2
    (reason,) = cases.judge(np.full(5, 0.2), mask(6, label=2), **USUAL).reasons
    assert reason == "label 1 is empty; no training case’s is"


def test_of_few_cases_no_distance_is_told():
    assert known(4).distance(np.full(8, 1e6)) is None
    assert known(4).judge(np.full(8, 1e6), mask(9), **USUAL) is None
    assert known(4).judge(np.full(8, 1e6), mask(0), **USUAL) == Familiarity(
        None, ("the mask is empty; no training case’s is",)
    )


def test_what_is_seen_does_not_depend_on_the_pieces_it_is_seen_in():
    network = Committee(1, 2, width=2, members=2).eval()
    image = torch.randn(6, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    seen = []
    for pieces in ([6], [4, 2]):
        with Sight(network) as sight, torch.no_grad():
            for part in torch.split(image, pieces):
                network(part)
        seen.append(sight.figures())
    np.testing.assert_allclose(*seen, rtol=1e-4)
    assert seen[0].shape == (2 * 8,)
    network(image)
    np.testing.assert_array_equal(sight.figures(), seen[1])  # nothing is looked at after the block


@pytest.fixture
def study(tmp_path, save, affine_of, world):
    """Give a table of six cases and a model of them."""
    lines = ["case,site,image,mask"]
    for number in range(6):
        matrix, draw = affine_of((1.8, 1.8, 4.0)), np.random.default_rng(number)
        x, y, z = (axis - axis.mean() for axis in world(matrix, (32, 32, 6)))
        ball = x**2 + y**2 + z**2 < draw.uniform(9, 11) ** 2
        image = (draw.normal(100, 12, ball.shape) + 50 * ball).astype(np.float32)
        save(f"{number}.nii.gz", image, matrix)
        save(f"{number}_m.nii.gz", ball.astype(np.uint8), matrix)
        lines.append(f"p{number},A,{number}.nii.gz,{number}_m.nii.gz")
    # Smooth from end to end, where all the others are grainy.
    save("smooth.nii.gz", (x + y + 0.01 * z).astype(np.float32), matrix)
    (tmp_path / "CASES.csv").write_text("\n".join(lines))
    config = SegmentConfig(steps=25, size=32, pixel=2.0, width=2, slices=6)
    train(tmp_path / "CASES.csv", config, folder=tmp_path / "model")
    return tmp_path


def test_a_strange_volume_is_flagged_beside_its_mask_and_in_the_scores(study):
    model, out = load_model(study / "model"), study / "out"
    out.mkdir()
    found = {name: predict(model, study / f"{name}.nii.gz") for name in (*"012345", "smooth")}
    distances = {name: one.familiarity.distance for name, one in found.items()}
    assert distances["smooth"] > 1
    assert distances["smooth"] > 1.5 * max(distances[name] for name in "012345")
    for one in found.values():
        one.write(out)
    note = read_sidecar(out / "smooth_mask.nii.gz")
    assert note.familiarity == found["smooth"].familiarity
    assert not note.familiarity.trusted
    assert note.about["model"]["cases"] == [f"p{k}" for k in range(6)]
    assert note.about["model"]["losses"]["rounds"][-1] == 25
    scores = evaluate(out, study / "CASES.csv")
    assert scores.familiarity["p0"] == found["0"].familiarity
    assert scores.as_json()["familiarity"]["p0"]["trusted"] == found["0"].familiarity.trusted


def test_sidecars_of_others_and_broken_ones(tmp_path):
    path = tmp_path / "X_mask.nii.gz"
    assert sidecar_of(path) == tmp_path / "X_mask.json"
    assert read_sidecar(path) is None
    sidecar_of(path).write_text('{"Sources": ["bids::X.nii.gz"]}')
    assert read_sidecar(path) is None
    for text, words in (('{"cellgan"', "cannot read"), (json.dumps({"cellgan": "9"}), "KeyError")):
        sidecar_of(path).write_text(text)
        with pytest.raises(InputError, match=rf"X_mask\.json.*{words}|{words}.*X_mask\.json"):
            read_sidecar(path)
