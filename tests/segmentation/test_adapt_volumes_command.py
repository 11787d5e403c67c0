"""`cellgan adapt volumes` as a person meets it: what it writes, and what it says."""

from __future__ import annotations

import json
import re

import nibabel as nib
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from cellgan.adaptation.criterion import Look
from cellgan.segmentation.adapt_volumes import default_game
from cellgan.segmentation.adapted_outlines import MOST, agreement, draw_changes
from cellgan.segmentation.cases import read_cases, read_image_cases, write_cases
from cellgan.segmentation.doubts import Doubts, doubt_warnings
from cellgan.segmentation.model import load_model
from cellgan.segmentation.prediction import predict
from cellgan_cli.adapt_volumes import WRITTEN
from cellgan_cli.main import cli
from cellgan_cli.screen import Screen

LOOSE = ("--rounds=3", "--least-doubt=0")


@pytest.fixture
def table(sites, tmp_path):
    """Give the target's table; the model lies in ``model/``, as a training leaves it."""
    source, target, model = sites
    model.save(tmp_path / "model")
    write_cases(tmp_path / "model/trained_on.csv", read_cases(source))
    return target


@pytest.fixture
def adapt(table, tmp_path):
    def run(*words, model=tmp_path / "model", targets=table, out="out"):
        given = ["adapt", "volumes", model, targets, "-o", tmp_path / out, *words]
        return CliRunner().invoke(cli, [str(word) for word in given])

    return run


@pytest.fixture
def stopped(monkeypatch):
    """Stop the game after its second look."""

    def progress(_screen, stage, done):
        if stage == "adapting" and done > 0.9:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Screen, "progress", progress)
        yield patch


def test_from_the_command_line_to_a_model_that_predicts(adapt, table, tmp_path):
    done = adapt(*LOOSE)
    assert done.exit_code == 0, done.output
    out = tmp_path / "out"
    assert done.stdout.splitlines() == [str(out / name) for name in WRITTEN]
    assert {path.name for path in out.iterdir()} == set(WRITTEN)
    report = json.loads((out / "report.json").read_text())
    assert report["targets"] == ["away0", "away1"]
    assert (report["model"], report["source"]) == ("model", ["home0", "home1"])
    assert len(report["looks"]) == 4  # three rounds have three looks, not four
    assert predict(load_model(out), read_image_cases(table)[0].images).mask.shape == (30, 30, 6)
    assert read_cases(out / "trained_on.csv") == read_cases(tmp_path / "model/trained_on.csv")
    again = adapt(*LOOSE)
    assert again.exit_code == 1
    assert "exists already" in again.stderr


def test_a_game_of_few_rounds_is_looked_at_in_each():
    assert [default_game(rounds=n).checkpoints for n in (1, 3, 4, 240)] == [1, 3, 4, 4]


def test_stopped_it_says_how_to_go_on(adapt, stopped, tmp_path):
    done = adapt(*LOOSE)
    assert done.exit_code == 130
    kept = tmp_path / "out/unfinished.safetensors"
    assert done.stderr.splitlines()[-2:] == [
        "Stopped by Ctrl-C; no half-written file is left behind.",
        f"{kept} keeps what was done: the same command with --resume goes on from there.",
    ]
    again = adapt(*LOOSE)
    assert again.exit_code == 1
    assert "unfinished.safetensors exists already" in again.stderr
    assert "--resume" in again.stderr
    stopped.undo()
    other = adapt("--rounds=4", "--least-doubt=0", "--seed=1", "--resume")
    assert "started with rounds 3 (now 4), checkpoints 3 (now 4), seed 0 (now 1)" in other.stderr
    went_on = adapt(*LOOSE, "--resume")
    assert went_on.exit_code == 0, went_on.output
    assert not kept.exists()
    assert adapt(*LOOSE, out="whole").exit_code == 0
    whole, parts = (tmp_path / place / "model.safetensors" for place in ("whole", "out"))
    assert whole.read_bytes() == parts.read_bytes()


def test_stopped_before_anything_is_kept_it_names_nothing_to_resume(adapt, monkeypatch):
    def progress(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Screen, "progress", progress)
    assert adapt(*LOOSE).stderr == "Stopped by Ctrl-C; no half-written file is left behind.\n"


@pytest.mark.parametrize(
    "what", ["weights of the model", "images or masks of the source", "images of the target"]
)
def test_only_the_same_is_resumed(adapt, stopped, tmp_path, save, what):
    assert adapt(*LOOSE).exit_code == 130
    stopped.undo()
    if what == "weights of the model":
        model = load_model(tmp_path / "model", device="cpu")
        with torch.no_grad():
            model.network.head[0].bias += 1
        model.save(tmp_path / "model")
    else:
        path = tmp_path / ("home0_m.nii.gz" if "source" in what else "away1.nii.gz")
        volume = nib.load(path)
        save(path.name, np.roll(np.asanyarray(volume.dataobj), 3, 0), volume.affine)
    done = adapt(*LOOSE, "--resume")
    assert done.exit_code == 1
    assert f"was started with other {what}; expected the same" in done.stderr


def test_settings_that_cannot_be_used(adapt, tmp_path, monkeypatch):
    monkeypatch.setattr("cellgan.core.device.available", lambda: ("cpu",))
    for words, message in (
        (["--seed=-1"], "seed is -1; expected a whole number from 0 to 4294967295"),
        (["--rounds=0"], "rounds is 0; expected at least 1"),
        (["--device=mps"], "no 'mps'"),
    ):
        done = adapt(*words)
        assert done.exit_code == 2
        assert message in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_not_there(adapt, table, tmp_path):
    (tmp_path / "empty").mkdir()
    for model, found in (
        ("empty", "holds no model.safetensors"),
        ("none", "is no folder"),
        (table, "is no folder"),
    ):
        done = adapt(model=tmp_path / model)
        assert done.exit_code == 1
        assert (
            f"{tmp_path / model} {found}; expected a folder that `cellgan segment train` wrote" in done.stderr
        )


def test_a_training_whose_files_are_not_known(adapt, tmp_path):
    noted = tmp_path / "model/trained_on.csv"
    moved = noted.read_text().replace("home0.nii.gz", "gone.nii.gz")
    noted.unlink()
    done = adapt()
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: there is no file {noted}, which tells where the images and masks")
    assert "--source CASES.csv" in done.stderr
    assert "Errno" not in done.stderr
    noted.write_text(moved)
    assert "give --source" in adapt().stderr
    done = adapt("--source", tmp_path / "home.csv")
    assert done.exit_code == 0, done.stderr


def test_an_image_of_the_source_is_told_by_its_case(adapt, tmp_path):
    table = tmp_path / "zz.csv"
    table.write_text("case,site,image\nzz,C,home1.nii.gz\n")
    done = adapt(targets=table)
    assert done.exit_code == 1
    assert "the target case zz has the image" in done.stderr
    assert "that of the source's case home1" in done.stderr


def test_what_makes_the_verdict_say_little_is_said_everywhere(adapt, save, affine_of, tmp_path):
    draw = np.random.default_rng(0).integers(0, 3, (30, 30, 6)).astype(np.int16)
    save("labels.nii.gz", draw, affine_of((2.0, 2.0, 5.0)))
    table = tmp_path / "two.csv"
    table.write_text("case,site,image\na,A,away0.nii.gz\nb,B,labels.nii.gz\n")
    done = adapt(*LOOSE, targets=table)
    assert done.exit_code == 0, done.stderr
    warnings = json.loads((tmp_path / "out/report.json").read_text())["warnings"]
    for words in ("of 2 sites, A and B", "bad on its own cases", "labels.nii.gz looks like a mask"):
        assert sum(words in line for line in warnings) == 1
    assert [line for line in done.stderr.splitlines() if line.startswith("warning: ")] == [
        f"warning: {line}" for line in warnings
    ]
    text = (tmp_path / "out/report.html").read_text()
    assert "look closer" in text
    assert "of 2 sites, A and B" in text
    assert '"banner good"' not in text


@pytest.mark.parametrize(
    ("doubts", "kept", "sites", "words"),
    [
        (Doubts(1.0, 3.0, 2.0), 0.9, ["C"], ()),
        (Doubts(1.0, 1.9, 2.0), 0.9, ["C"], ()),  # not played, and said so by the verdict
        (Doubts(1.0, 3.0, 0.0), 0.9, ["C"], ()),  # the guard was off, and would have let it through
        (Doubts(1.0, 1.9, 0.0), 0.9, ["C"], ("only 1.90 times as much here", "--least-doubt is 0")),
        (Doubts(1.0, 3.0, 2.0), 0.69, ["C"], ("its soft Dice there is 0.69, less than 0.7",)),
        (Doubts(1.0, 3.0, 2.0), 0.7, ["C"], ()),
        (Doubts(1.0, 3.0, 2.0), 0.9, ["A", "C"], ("of 2 sites, A and C",)),
    ],
)
def test_warnings(doubts, kept, sites, words):
    found = doubt_warnings(doubts, Look(0, 0.5, doubts.target, 1.0, kept), sites)
    assert len(found) == bool(words)
    assert all(word in found[0] for word in words)


def test_the_page_names_the_model_and_shows_masks(adapt, tmp_path):
    assert adapt(*LOOSE).exit_code == 0
    text = (tmp_path / "out/report.html").read_text()
    assert "<h1>The segmenter “model”, carried to site away</h1>" in text
    assert "of site home (2 cases: home0 and home1)" in text
    assert len(re.findall("data:image/png", text)) == 2
    assert len(text) < 2_000_000


def test_masks_that_changed_most_come_first(sites, monkeypatch):
    _, target, model = sites
    cases = [each for _ in range(3) for each in read_image_cases(target)]

    def segment(_model, images):
        return predict(model, images)

    monkeypatch.setattr("cellgan.segmentation.adapted_outlines.predict", segment)
    seen = iter([0.9, 0.2, 0.5, 0.8, 0.1, 0.4])
    monkeypatch.setattr("cellgan.segmentation.adapted_outlines.agreement", lambda *_: next(seen))
    section = draw_changes(model, object(), cases, progress=lambda *_: None)
    text, legend, gallery = section.blocks
    assert "changed most" in text.text
    assert len(legend.entries) == 2
    assert [figure.caption.split("Dice ")[1] for figure in gallery.figures] == [
        "0.10",
        "0.20",
        "0.40",
        "0.50",
    ]


def test_a_model_that_was_kept_is_shown_alone(sites):
    _, target, model = sites
    cases = [each for _ in range(3) for each in read_image_cases(target)]
    text, legend, gallery = draw_changes(model, model, cases, progress=lambda *_: None).blocks
    assert "changed" not in text.text
    assert len(legend.entries) == 1
    assert len(gallery.figures) == MOST
    assert "Dice" not in gallery.figures[0].caption


def test_agreement_of_masks():
    a = np.array([0, 1, 1, 2], np.uint8)
    assert agreement(a, a) == 1
    assert agreement(a, np.array([0, 1, 2, 2], np.uint8)) == pytest.approx(2 * 2 / 6)
    assert agreement(0 * a, 0 * a) == 1
    assert agreement(a, 0 * a) == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu(adapt):
    done = adapt(*LOOSE, "--device=cuda")
    assert done.exit_code == 0, done.output
