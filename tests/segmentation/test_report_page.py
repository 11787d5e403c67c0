"""The page of an evaluation: what it says, which cases it shows, and which way round pictures lie."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cellgan.report.page import render
from cellgan.segmentation.evaluation import evaluate_pairs
from cellgan.segmentation.familiarity import Familiarity
from cellgan.segmentation.overlays import PREDICTED, TRUTH, overlays
from cellgan.segmentation.pairs import Pair, find_pairs
from cellgan.segmentation.report_page import report_page
from cellgan.segmentation.verdict import verdict_of
from cellgan_cli.main import cli

SHAPE = (40, 36, 9)


@pytest.fixture
def study(tmp_path, save, affine_of):
    """Give five cases, whose predictions lie ever further from the truth."""
    lines = ["case,site,image,mask"]
    (tmp_path / "out").mkdir()
    for number in range(5):
        matrix = affine_of((1.0, 1.0, 3.0), flip=(-1, 1, 1) if number % 2 else (1, 1, 1))
        truth = np.zeros(SHAPE, np.uint8)
        truth[10:26, 8:28, 2:7] = 1
        image = (np.random.default_rng(number).normal(100, 9, SHAPE) + 50 * truth).astype(np.float32)
        save(f"{number}.nii.gz", image, matrix)
        save(f"{number}_m.nii.gz", truth, matrix)
        save(f"out/{number}_mask.nii.gz", np.roll(truth, 2 * number, 0), matrix)
        probability = np.where(np.roll(truth, 2 * number, 0) == 1, 0.9, 0.1).astype(np.float32)
        save(f"out/{number}_probability.nii.gz", probability, matrix)
        lines.append(f"p{number},{'AB'[number % 2]},{number}.nii.gz,{number}_m.nii.gz")
    (tmp_path / "CASES.csv").write_text("\n".join(lines))
    return tmp_path


def run(*words):
    return CliRunner().invoke(cli, ["segment", "evaluate", *map(str, words)])


def test_the_page_says_what_the_scores_are(study):
    done = run(study / "out", study / "CASES.csv", "--report", study / "page.html")
    assert done.exit_code == 0, done.output
    text = (study / "page.html").read_text()
    for words in (
        "Look closer before you use masks like these",
        "Mean Dice 0.75 over 5 cases",
        "median 0.75, worst 0.50. Below 0.60: p4 (0.50).",
        "By site it goes from 0.75 (A) to 0.75 (B).",
        "Worst: p4, site A, Dice 0.50",
        "Median: p2, site A, Dice 0.75",
        "Best: p0, site A, Dice 1.00",
        "Expected calibration error, mean of 5 cases",
        "Nothing beside these masks says how they were made",
    ):
        assert words in text, words
    assert len(re.findall("<image [^>]*preserveAspectRatio", text)) == 9
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", text)  # nothing is fetched
    assert "already" in run(study / "out", study / "CASES.csv", "--report", study / "page.html").stderr
    wrong = run(study / "out", study / "CASES.csv", "--report", study / "page.pdf")
    assert (wrong.exit_code, "ends in .html" in wrong.stderr) == (2, True)


def test_without_images_there_is_no_picture_and_that_is_said(study):
    for number in range(5):
        (study / f"truth_{number}").mkdir()
    truth = study / "truth"
    truth.mkdir()
    for number in range(5):
        (study / f"{number}_m.nii.gz").rename(truth / f"{number}.nii.gz")
    done = run(study / "out", truth, "--report", study / "page.html")
    assert done.exit_code == 0, done.output
    text = (study / "page.html").read_text()
    assert "it is not known which images these masks belong to" in text
    assert "preserveAspectRatio" not in text


def test_an_image_that_does_not_fit_is_no_reason_to_go_without_the_page(study, save, affine_of):
    save("4.nii.gz", np.ones((5, 5, 5), np.float32), affine_of((1.0, 1.0, 3.0)))
    done = run(study / "out", study / "CASES.csv", "--report", study / "page.html")
    assert done.exit_code == 0, done.output
    assert "No picture: " in (study / "page.html").read_text()


def test_the_verdict_follows_from_the_scores(study):
    found = evaluate_pairs(find_pairs(study / "out", study / "CASES.csv"))
    assert verdict_of(replace(found, cases=found.cases[:3])).tone == "good"
    assert verdict_of(replace(found, cases=found.cases[:2])).headline == "Too few cases for a verdict"
    assert verdict_of(found).tone == "caution"
    assert verdict_of(replace(found, cases=found.cases[2:] + found.cases[4:])).tone == "poor"
    flagged = {row.case: Familiarity(2.0, ("odd",) if row.case == "p4" else ()) for row in found.cases}
    text = verdict_of(replace(found, familiarity=flagged)).text
    assert "1 case was flagged by the model as unlike its training (mean Dice 0.50; the others 0.81)." in text
    page = report_page(
        replace(found, familiarity=flagged), find_pairs(study / "out", study / "CASES.csv"), about=""
    )
    assert page.blocks[1].items == ("p4 (Dice 0.50): odd",)


def test_labels_apart_and_whatever_is_empty(tmp_path, save, affine_of):
    pairs = []
    for name, truth, found in (("both", 2, 2), ("missed", 1, 0), ("empty", 0, 0)):
        masks = [np.zeros((9, 9, 4), np.uint8) for _ in range(2)]
        for mask, n in zip(masks, (truth, found), strict=True):
            for label in range(1, n + 1):
                mask[label * 3 : label * 3 + 2, 3:6, 1:3] = label
        files = [save(f"{name}{k}_mask.nii.gz", mask, affine_of((1, 1, 3))) for k, mask in enumerate(masks)]
        save(f"{name}1_probability.nii.gz", (masks[1] > 0).astype(np.float32), affine_of((1, 1, 3)))
        image = save(f"{name}.nii.gz", np.ones((9, 9, 4), np.float32), affine_of((1, 1, 3)))
        pairs.append(Pair(name, "-", files[1], files[0], image))
    for some in (pairs, pairs[2:]):
        text = render(report_page(evaluate_pairs(some), some, about=""))
        assert "Segmentation of" in text
    whole = render(report_page(evaluate_pairs(pairs), pairs, about=""))
    assert ">label 2</text>" in whole
    assert "nothing found" in whole


@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, 1), (1, -1, -1)], ids=str)
def test_the_patients_right_is_on_the_left_and_the_front_on_top(tmp_path, save, affine_of, world, flip):
    matrix = affine_of((1.0, 2.0, 3.0), flip=flip)
    x, y, z = world(matrix, (48, 20, 6))
    x, y = x - x.mean(), y - y.mean()  # to the right, to the front
    truth = ((np.abs(x) < 20) & (np.abs(y) < 16) & (np.abs(z - z.mean()) < 6)).astype(np.uint8)
    found = (truth & (x > 0)).astype(np.uint8)
    image = (x > 0) * 100.0 + (y > 0) * 50.0
    files = [save("i.nii.gz", image.astype(np.float32), matrix)]
    files += [save(f"{name}.nii.gz", data, matrix) for name, data in (("p", found), ("t", truth))]
    figures = overlays(Pair("c", "-", files[1], files[2]), files[0])
    assert len(figures) == 3
    grey = np.asarray(
        Image.open(io.BytesIO(base64.b64decode(re.findall('base64,([^"]+)', figures[1].drawing)[0])))
    )
    h, w = grey.shape
    corners = [grey[0, 0], grey[0, w - 1], grey[h - 1, 0], grey[h - 1, w - 1]]
    assert (
        corners[0] > corners[2] > corners[1] > corners[3] == 0
    )  # right front, right back, left front, left back
    height = float(re.findall(r'viewBox="0 0 \S+ (\S+)"', figures[1].drawing)[0])
    assert height == pytest.approx(240 / w * h * 2, rel=0.01)  # pixels are twice as tall as wide
    drawn = dict(re.findall(r'd="([^"]+)" fill="none" stroke="([^"]+)"', figures[1].drawing))
    reach = {
        colour: max(float(a) for a in re.findall(r"[ML]([\d.]+),", path)) for path, colour in drawn.items()
    }
    assert reach[PREDICTED] == pytest.approx(120, abs=6)  # the prediction ends in the middle
    assert reach[TRUTH] > 190


def test_what_outshines_the_organ_does_not_leave_it_in_the_dark(tmp_path, save, affine_of):
    x = np.indices((30, 30, 4))[0]
    image, mask = np.select([x < 3, x > 8], [5000.0, 100.0]), (np.abs(x - 15) < 4).astype(np.uint8)
    files = [save(f"{name}.nii.gz", data, affine_of((1, 1, 1))) for name, data in (("i", image), ("m", mask))]
    drawn = overlays(Pair("c", "-", files[1], files[1]), files[0])[0].drawing
    png = base64.b64decode(re.findall('base64,([^"]+)', drawn)[0])
    assert np.asarray(Image.open(io.BytesIO(png)))[15, 15] == 255


def test_cross_validation_writes_the_page_and_it_tells_how_the_masks_were_made(study):
    words = ["crossval", study / "CASES.csv", "-o", study / "cv", "--folds=2", "--steps=3", "--size=32"]
    done = CliRunner().invoke(cli, ["segment", *map(str, words), "--width=1"])
    assert done.exit_code == 0, done.output
    text = (study / "cv/report.html").read_text()
    for told in (
        "no mask is of a model that had seen its case",
        "Losses by round; a line for each of 2 models",
        "The masks are those of 2 models",
        "<dt>steps</dt><dd>3</dd>",
        "Calibration error",
    ):
        assert told in re.sub(r">\s+<", "><", text), told
