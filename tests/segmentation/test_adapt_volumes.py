"""A segmenter carried to a site whose images are lit the other way round."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from cellgan.adaptation.choice import Keep
from cellgan.adaptation.config import AdaptConfig
from cellgan.errors import InputError
from cellgan.segmentation.adapt_volumes import adapt_volumes, put_together, read_targets, taken_apart
from cellgan.segmentation.cases import read_cases, read_image_cases
from cellgan.segmentation.config import SegmentConfig
from cellgan.segmentation.model import load_model
from cellgan.segmentation.prediction import predict
from cellgan.segmentation.training import train
from cellgan_cli.main import cli

QUICK = SegmentConfig(steps=12, size=32, pixel=2.0, width=2, slices=4)
GAME = AdaptConfig(rounds=4, size=2, anchor_weight=1.0, checkpoints=2, tolerance=0.9)


@pytest.fixture
def site(tmp_path, save, affine_of, world):
    """Write cases of a site, bright or dark balls, and give the table."""

    def write(name, *, sign, masks=True):
        lines = ["case,site,image,mask" if masks else "case,site,image"]
        for number in range(2):
            matrix = affine_of((2.0, 2.0, 5.0))
            x, y, z = (each - each.mean() for each in world(matrix, (30, 30, 6)))
            ball = (x**2 + y**2 + z**2 < (10 + number) ** 2).astype(np.uint8)
            noise = np.random.default_rng(number + 10 * (sign > 0)).normal(100, 8, ball.shape)
            save(f"{name}{number}.nii.gz", (noise + sign * 40.0 * ball).astype(np.float32), matrix)
            save(f"{name}{number}_m.nii.gz", ball, matrix)
            mask = f",{name}{number}_m.nii.gz" if masks else ""
            lines.append(f"{name}{number},{name},{name}{number}.nii.gz{mask}")
        (tmp_path / f"{name}.csv").write_text("\n".join(lines))
        return tmp_path / f"{name}.csv"

    return write


@pytest.fixture
def sites(site):
    source, target = site("home", sign=1), site("away", sign=-1, masks=False)
    return source, target, train(read_cases(source), QUICK, device="cpu")


def test_taken_apart_and_put_together_is_the_same_network(sites):
    *_, model = sites
    image = torch.randn(2, next(model.network.parameters()).shape[1], 32, 32)
    body, head = taken_apart(model.network)
    expected = model.network(image)
    assert torch.equal(head(body(image)), expected)
    assert torch.equal(put_together(body, head)(image), expected)


def test_from_the_command_line_to_a_model_that_predicts(sites, tmp_path):
    source, target, model = sites
    model.save(tmp_path / "model")
    out = tmp_path / "adapted"
    words = [
        "adapt",
        "volumes",
        tmp_path / "model",
        target,
        "--source",
        source,
        "-o",
        out,
        "--rounds=4",
        "-q",
    ]
    done = CliRunner().invoke(cli, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    report = json.loads((out / "report.json").read_text())
    assert report["targets"] == ["away0", "away1"]
    assert len(report["looks"]) == 5
    masks = predict(load_model(out), read_image_cases(target)[0].images)
    assert masks.mask.shape == (30, 30, 6)
    again = CliRunner().invoke(cli, [str(word) for word in words])
    assert again.exit_code == 1
    assert "exists already" in again.output
    (tmp_path / "half").mkdir()
    (tmp_path / "half/unfinished.safetensors").write_text("another run's")
    words[words.index(out)] = tmp_path / "half"
    assert "unfinished" in CliRunner().invoke(cli, [str(word) for word in words]).output


def test_the_source_model_is_left_alone_and_kept_where_adapting_hurts(sites):
    source, target, model = sites
    before = {name: p.clone() for name, p in model.network.state_dict().items()}
    wild = AdaptConfig(rounds=4, size=2, encoder_lr=0.5, anchor_weight=0.0, checkpoints=2, tolerance=0.0)
    found = adapt_volumes(model, read_image_cases(target), read_cases(source), wild)
    kept = [each["source_kept"] for each in found.report["looks"]]
    assert max(kept[1:]) < kept[0]
    assert found.report["kept"] == "source"
    assert found.model is model
    assert all(torch.equal(before[name], p) for name, p in model.network.state_dict().items())


def test_stopped_and_resumed_is_never_stopped(sites, tmp_path):
    source, target, model = sites
    given = (model, read_image_cases(target), read_cases(source), GAME)
    whole = adapt_volumes(*given)

    def stop(stage, done):
        if stage == "adapting" and done > 0.7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adapt_volumes(*given, keep=Keep(tmp_path / "kept"), progress=stop)
    resumed = adapt_volumes(*given, keep=Keep(tmp_path / "kept", resume=True))
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
    with pytest.raises(InputError, match="among the source cases"):
        adapt_volumes(model, read_image_cases(source), read_cases(source), GAME)
    target.write_text("case,image\n1,x.nii.gz")
    with pytest.raises(InputError, match="site missing"):
        read_image_cases(target)
