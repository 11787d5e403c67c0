"""From a table of cases to masks, by way of a model in a folder."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from cellgan.errors import ConfigError, InputError, ModelError
from cellgan.segmentation.cases import read_cases
from cellgan.segmentation.config import SegmentConfig
from cellgan.segmentation.crossval import cross_validate, folds_of
from cellgan.segmentation.evaluation import evaluate
from cellgan.segmentation.metrics import score
from cellgan.segmentation.model import load_model
from cellgan.segmentation.prediction import predict
from cellgan.segmentation.training import UNFINISHED, train
from cellgan_cli.main import cli

QUICK = SegmentConfig(steps=90, size=32, pixel=2.0, width=4, slices=6, learning_rate=5e-3)
N_CASES = 5


def phantom(number: int, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give an image with a bright ball, in a unit of its own."""
    rng = np.random.default_rng(number)
    x, y, z = place - place.mean((1, 2, 3), keepdims=True)
    centre = rng.uniform(-5, 5, 2)
    ball = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 + z**2 < rng.uniform(9, 12) ** 2
    image = rng.normal(100, 12, x.shape) + 50 * ball
    return (image * 10 ** rng.uniform(-1, 1)).astype(np.float32), ball.astype(np.uint8)


@pytest.fixture
def table(tmp_path, save, affine_of, world):
    lines = ["case,site,image,mask"]
    for number in range(N_CASES):
        flip = (-1, 1, 1) if number % 2 else (1, 1, 1)
        matrix = affine_of((1.8, 1.6 + 0.2 * number, 4.0), flip=flip, angles=(0.1 * number, 0, 0))
        image, mask = phantom(number, world(matrix, (36, 34, 8)))
        save(f"{number}.nii.gz", image, matrix)
        save(f"{number}_m.nii.gz", mask, matrix)
        lines.append(f"p{number},{'AB'[number % 2]},{number}.nii.gz,{number}_m.nii.gz")
    (tmp_path / "CASES.csv").write_text("\n".join(lines))
    return tmp_path / "CASES.csv"


def run(*words):
    return CliRunner().invoke(cli, ["segment", *map(str, words)])


def flags(config: SegmentConfig) -> list[str]:
    return [
        f"--{name.replace('_', '-')}={getattr(config, name)}"
        for name in ("steps", "size", "pixel", "width", "slices", "loss", "learning_rate")
    ]


def test_a_model_finds_in_a_new_case_what_it_was_shown_in_others(table):
    cases = read_cases(table)
    model = train(cases[:4], QUICK)
    new = predict(model, cases[4].images)
    truth = np.asanyarray(nib.load(cases[4].mask).dataobj) == 1
    dice = score(new.mask == 1, truth, new.volume.affine)["dice"]
    untrained = predict(
        train(cases[:4], SegmentConfig(steps=1, size=32, pixel=2.0, width=4)), cases[4].images
    )
    assert dice > 0.75
    assert score(untrained.mask == 1, truth, new.volume.affine)["dice"] < 0.5


def test_a_table_of_cases_is_never_written_over(table, tmp_path):
    mine = table.with_name("trained_on.csv")
    mine.write_bytes(table.read_bytes())
    done = run("train", mine, "-o", table.parent, "--overwrite", "--steps=1", "--size=32", "--width=2")
    assert done.exit_code == 1, done.output
    assert mine.read_bytes() == table.read_bytes()


def test_from_table_to_scores_on_the_command_line(table, tmp_path):
    model, out = tmp_path / "model", tmp_path / "out"
    done = run("train", table, "-o", model, *flags(QUICK))
    assert done.exit_code == 0, done.output
    written = ["losses.json", "model.json", "model.safetensors", "trained_on.csv"]
    assert sorted(done.stdout.split()) == [f"{model}/{name}" for name in written]
    assert sorted(path.name for path in model.iterdir()) == written
    assert json.loads((model / "model.json").read_text())["config"]["steps"] == 90
    cases = read_cases(table)
    assert [case.name for case in read_cases(model / "trained_on.csv")] == [case.name for case in cases]
    images = [case.images[0] for case in cases]
    done = run("predict", model, *images, "-o", out, "--uncertainty")
    assert done.exit_code == 0, done.output
    assert len(done.stdout.split()) == 4 * N_CASES
    for image in images:
        a, b = (nib.load(p) for p in (image, out / f"{image.name[:-7]}_mask.nii.gz"))
        for name in ("dim", "pixdim", "sform_code", "qform_code", "srow_x", "quatern_b", "xyzt_units"):
            assert a.header[name].tobytes() == b.header[name].tobytes(), name
    p, u = (
        np.asanyarray(nib.load(out / f"0_{kind}.nii.gz").dataobj) for kind in ("probability", "uncertainty")
    )
    mask = np.asanyarray(nib.load(out / "0_mask.nii.gz").dataobj)
    np.testing.assert_array_equal(mask == 1, p > 0.5)
    assert u[np.abs(p - 0.5) < 0.01].min(initial=1) > 0.99
    assert 0 <= u.min() < u.max() - 0.3
    assert u.max() <= 1
    found = evaluate(out, table)
    assert found.sites[-1].mean["dice"] > 0.75
    assert set(found.calibration) == {case.name for case in read_cases(table)}
    assert all(0 < calibration.error < 0.5 for calibration in found.calibration.values())
    assert f"of {N_CASES} cases" in run("evaluate", out, table).stdout
    again = run("predict", model, images[0], "-o", out)
    assert again.exit_code == 1
    assert "--overwrite" in again.stderr


def test_same_seed_same_bytes_and_a_saved_model_is_the_model(table, tmp_path):
    short = SegmentConfig(steps=3, size=32, width=2, slices=4)
    for name in ("a", "b"):
        train(table, short, folder=tmp_path / name)
    a, b = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("a", "b"))
    assert a == b
    model = train(table, short)
    image = read_cases(table)[0].images
    back = predict(load_model(tmp_path / "a"), image)
    np.testing.assert_array_equal(back.probabilities, predict(model, image).probabilities)
    np.testing.assert_allclose(back.probabilities.sum(0), 1, atol=1e-5)


@pytest.mark.parametrize("loss", ["dice", "hybrid"])
def test_a_training_that_was_stopped_goes_on_to_the_same_bytes(table, tmp_path, monkeypatch, loss):
    config = SegmentConfig(loss=loss, steps=5, size=32, width=2, slices=4)
    train(table, config, folder=tmp_path / "whole")
    monkeypatch.setattr("cellgan.segmentation.training._SAVE_EVERY", 2)

    def stopped(stage: str, done: float) -> None:
        if stage == "training" and done > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(table, config, folder=tmp_path / "parts", progress=stopped)
    assert (tmp_path / "parts" / UNFINISHED).exists()
    seen = []
    train(table, config, folder=tmp_path / "parts", resume=True, progress=lambda _, done: seen.append(done))
    assert min(seen[1:]) == pytest.approx(3 / 5)  # and not from the start
    for name in ("model.safetensors", "losses.json"):
        whole, parts = ((tmp_path / n / name).read_bytes() for n in ("whole", "parts"))
        assert whole == parts
    assert load_model(tmp_path / "parts").losses.rounds == (1, 2, 3, 4, 5)


def test_only_the_same_training_is_resumed(table, tmp_path, monkeypatch):
    monkeypatch.setattr("cellgan.segmentation.training._SAVE_EVERY", 1)

    def stopped(stage: str, done: float) -> None:
        if done > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(table, SegmentConfig(steps=3, size=32, width=2), folder=tmp_path / "m", progress=stopped)
    with pytest.raises(ModelError, match=r"started with steps 3 \(now 4\); expected the same"):
        train(table, SegmentConfig(steps=4, size=32, width=2), folder=tmp_path / "m", resume=True)
    mask = nib.load(tmp_path / "0_m.nii.gz")
    corrected = np.asanyarray(mask.dataobj).copy()
    corrected[15:20, 15:20] = 0
    nib.save(nib.Nifti1Image(corrected, mask.affine, mask.header), tmp_path / "0_m.nii.gz")
    with pytest.raises(ModelError, match="started with other data; expected"):
        train(table, SegmentConfig(steps=3, size=32, width=2), folder=tmp_path / "m", resume=True)
    done = run("train", table, "-o", tmp_path / "m", "--steps=4", "--size=32", "--width=2")
    assert done.exit_code == 1
    assert "unfinished.safetensors exists already" in done.stderr
    assert "--resume" in done.stderr


def test_stopped_on_the_command_line_it_says_how_to_go_on(table, tmp_path, monkeypatch):
    def progress(_screen, stage, done):
        if stage == "training" and done > 0.5:
            raise KeyboardInterrupt

    words = ("train", table, "-o", tmp_path / "m", "--steps=4", "--size=32", "--width=2")
    with monkeypatch.context() as patch:
        patch.setattr("cellgan_cli.screen.Screen.progress", progress)
        done = run(*words)
        assert done.exit_code == 130
        assert "--resume" not in done.stderr  # nothing was kept so soon
        patch.setattr("cellgan.segmentation.training._SAVE_EVERY", 1)
        done = run(*words)
    assert done.exit_code == 130
    assert "unfinished.safetensors keeps what was done: the same command with --resume goes on" in done.stderr
    assert run(*words, "--resume").exit_code == 0


def test_several_channels(table, tmp_path, save, affine_of):
    other = np.random.default_rng(0).random((40, 40, 9)).astype(np.float32)
    lines = table.read_text().splitlines()
    for number in range(N_CASES):
        save(f"{number}_adc.nii.gz", other, nib.load(tmp_path / f"{number}.nii.gz").affine)
    table.write_text(
        "\n".join([lines[0] + ",image_adc", *(f"{row},{k}_adc.nii.gz" for k, row in enumerate(lines[1:]))])
    )
    model = train(table, SegmentConfig(steps=2, size=32, width=2), folder=tmp_path / "m")
    assert model.n_channels == 2
    first = read_cases(table)[0]
    assert predict(model, first.images).mask.shape == (36, 34, 8)
    with pytest.raises(InputError, match="takes 2 images a case; got 1"):
        predict(model, first.images[0])
    done = run("predict", tmp_path / "m", first.images[0], "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert "takes 2 volumes a case; got 1" in done.stderr
    done = run("predict", tmp_path / "m", *first.images, "-o", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0_mask.json", "0_mask.nii.gz"]


def test_cross_validation_holds_whole_cases_out(table, tmp_path, monkeypatch):
    trained = []

    def noted(cases, config, **others):
        trained.append({case.name for case in cases})
        return train(cases, config, **others)

    monkeypatch.setattr("cellgan.segmentation.crossval.train", noted)
    cases = read_cases(table)
    config = SegmentConfig(steps=2, size=32, width=2)
    found = cross_validate(cases, config, folds=2, folder=tmp_path / "cv")
    fold = folds_of(cases, 2, seed=config.seed)
    for k in range(2):
        assert trained[k] == {case.name for case, at in zip(cases, fold, strict=True) if at != k}
    assert [row.case for row in found.cases] == [case.name for case in cases]
    assert len(list((tmp_path / "cv").iterdir())) == 4 * N_CASES


def test_folds_share_the_sites_evenly(table):
    cases = read_cases(table) * 4
    fold = folds_of(cases, 4, seed=0)
    for site in "AB":
        counts = np.bincount(
            [f for f, case in zip(fold, cases, strict=True) if case.site == site], minlength=4
        )
        assert counts.max() - counts.min() <= 1
    assert fold == folds_of(cases, 4, seed=0) != folds_of(cases, 4, seed=1)
    for wrong in (1, 21):
        with pytest.raises(ConfigError, match="folds is"):
            folds_of(cases, wrong, seed=0)


def test_cross_validation_on_the_command_line(table, tmp_path):
    config = SegmentConfig(steps=2, size=32, width=2, pixel=2.0, loss="adversarial")
    done = run("crossval", table, "-o", tmp_path / "cv", "--folds=2", *flags(config))
    assert done.exit_code == 0, done.output
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["site", "A", "B", "all"]
    assert len(json.loads((tmp_path / "cv/scores.json").read_text())["cases"]) == N_CASES


def test_wrong_usage_and_broken_models(table, tmp_path, monkeypatch):
    monkeypatch.setattr("cellgan.core.device.available", lambda: ("cpu",))
    assert run("train", table, "-o", tmp_path / "m", "--steps=0").exit_code == 2
    assert run("train", table, "-o", tmp_path / "m", "--loss=focal").exit_code == 2
    for command in (("train", table), ("crossval", table), ("predict", tmp_path, tmp_path / "0.nii.gz")):
        done = run(*command, "-o", tmp_path / "m", "--device=mps")
        assert done.exit_code == 2
        assert "no 'mps'" in done.stderr
    assert not (tmp_path / "m").exists()
    assert run("predict", tmp_path, "a/X.nii.gz", "b/X.nii.gz", "-o", tmp_path / "o").exit_code == 2
    done = run("predict", tmp_path / "none", tmp_path / "0.nii.gz", "-o", tmp_path / "o")
    assert done.exit_code == 1
    assert "model.safetensors" in done.stderr
    assert not (tmp_path / "o").exists()
    train(table, SegmentConfig(steps=1, size=32, width=2), folder=tmp_path / "m")
    content = bytearray((tmp_path / "m/model.safetensors").read_bytes())
    content[-5] ^= 1
    (tmp_path / "m/model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        load_model(tmp_path / "m")


def test_all_pieces_are_kept_on_request(table, tmp_path):
    model = train(table, SegmentConfig(steps=5, size=32, width=2), folder=tmp_path / "m")
    image = read_cases(table)[0].images[0]
    assert [place.one_piece for place in model.whereabouts] == [True]
    for pieces in ("as-trained", "all"):
        done = run("predict", tmp_path / "m", image, "-o", tmp_path / pieces, f"--pieces={pieces}")
        assert done.exit_code == 0
        written = np.asanyarray(nib.load(tmp_path / pieces / "0_mask.nii.gz").dataobj)
        np.testing.assert_array_equal(written, predict(model, image, pieces=pieces).mask)


def test_predicting_leaves_the_callers_random_numbers_alone(table):
    model = train(table, SegmentConfig(steps=1, size=32, width=2))
    before = torch.get_rng_state()
    predict(model, read_cases(table)[0].images)
    assert torch.equal(before, torch.get_rng_state())
