"""Digits on one grid, and the benchmark around them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cellgan.adaptation.digit_page import as_text, digit_page, summarise
from cellgan.adaptation.digits import draw, frame, read_digits, rewrite
from cellgan.adaptation.lenet import N_FEATURES, lenet
from cellgan.errors import InputError
from cellgan.npz import read_npz
from cellgan.report.page import render


def bar(side, box, value=255):
    """One upright bar, `box` pixels high and a quarter as wide, at the top left."""
    image = np.zeros((1, side, side), dtype=np.uint8)
    image[0, 1 : 1 + box, 1 : 1 + box // 4] = value
    return image


def test_the_box_makes_sites_alike():
    a, b = frame(bar(28, 20), "box"), frame(bar(16, 12, value=90), "box")
    assert float((a - b).abs().max()) < 1e-4
    at = torch.arange(28.0)
    assert float((a[0, 0].sum(1) * at).sum() / a.sum()) == pytest.approx(13.5, abs=0.5)
    assert int((a[0, 0] > 0.5).any(1).sum()) == 20


def test_resizing_does_not():
    a, b = frame(bar(28, 20), "resize"), frame(bar(16, 12), "resize")
    assert float((a - b).abs().max()) > 0.5
    assert 0 <= float(a.min()) <= float(a.max()) == 1


def test_an_empty_image_stays_empty():
    assert float(frame(np.zeros((1, 16, 16), dtype=np.uint8), "box").abs().sum()) == 0


def test_rewriting_is_seeded_and_keeps_ink_in_range():
    images = torch.rand(4, 1, 28, 28)
    a, b, c = (rewrite(images, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert 0 <= float(a.min()) <= float(a.max()) <= 1


def test_samples_share_no_digit():
    x = np.arange(10 * 16 * 16, dtype=np.uint16).reshape(10, 16, 16).astype(np.uint8)
    x[:, 0, 0] = np.arange(10) * 20 + 20
    first, second = draw(x, np.arange(10), counts=(6, 9), seed=0, framing="resize")
    assert sorted([*first.labels.tolist(), *second.labels.tolist()]) == list(range(10))
    with pytest.raises(InputError, match="expected more than 12"):
        draw(x, np.arange(10), counts=(12, 1), seed=0, framing="resize")


def test_lenet_has_the_papers_sizes():
    network = lenet()
    assert network(torch.zeros(2, 1, 28, 28)).shape == (2, N_FEATURES)
    assert sum(p.numel() for p in network.parameters()) == 20 * 26 + 50 * 501 + 500 * 801


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": np.zeros((10, 4, 4), np.uint8)}, "y missing"),
        ({"x": np.zeros((10, 4, 4)), "y": np.arange(10)}, "expected x as uint8"),
        ({"x": np.zeros((10, 4, 4), np.uint8), "y": np.zeros(10, int)}, "each of the digits 0 to 9"),
    ],
)
def test_files_that_hold_no_digits(tmp_path, arrays, words):
    np.savez(tmp_path / "mnist.npz", **arrays)
    with pytest.raises(InputError, match=words):
        read_digits(tmp_path / "mnist.npz")


def test_nothing_is_unpickled(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="cannot read"):
        read_npz(tmp_path / "x.npz", ["x"])
    (tmp_path / "y.npz").write_text("no archive")
    with pytest.raises(InputError, match="plain arrays"):
        read_npz(tmp_path / "y.npz", ["x"])


def run(source, target, seed, before, after):
    return {
        "source": source,
        "target": target,
        "seed": seed,
        "source_only": {"sample": before, "unseen": before},
        "adapted": {"sample": after, "unseen": after},
        "trained_on_target": 0.97,
        "candidates": [before, 0.95, after],
        "chosen": 2,
        "seconds": 1.0,
    }


def test_the_summary_hides_no_seed_that_lost():
    rows = summarise([run("mnist", "usps", 0, 0.8, 0.9), run("mnist", "usps", 1, 0.9, 0.88)])
    assert rows[0]["adapted"][0] == pytest.approx(0.89)
    assert rows[0]["least gain"] == pytest.approx(-0.02)
    assert "-0.020" in as_text(rows)
    page = render(digit_page([run("mnist", "usps", 0, 0.9, 0.88)], "1"))
    assert "A seed lost by adapting" in page
