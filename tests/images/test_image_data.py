from __future__ import annotations

import zipfile

import numpy as np
import pytest
import torch

from cellgan.errors import InputError
from cellgan.images.image_data import digits, read_npz, shapes

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (100, 6, 5), dtype=np.uint8)
Y = np.arange(100) % 4 + 3


def test_digits_and_shapes_are_as_they_say():
    for images, side, n in ((digits(), 8, 10), (shapes(), 16, 3)):
        assert images.shape == (1, side, side)
        assert images.n_classes == n
        assert sorted(images.y.unique().tolist()) == list(range(n))
        assert float(images.x.min()) >= -1
        assert float(images.x.max()) <= 1
        assert len(images.x_test) == pytest.approx(0.3 * (len(images.x) + len(images.x_test)), abs=1)
        seen = {tuple(image.flatten().tolist()) for image in images.x}
        assert not any(tuple(image.flatten().tolist()) in seen for image in images.x_test[:50])
    disc, square, cross = ((shapes().x[shapes().y == c] > 0).float().mean() for c in range(3))
    assert cross < min(disc, square)


def test_a_file_is_read_scaled_and_split(tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, x=X, y=Y)
    images = read_npz(path)
    assert images.shape == (1, 6, 5)
    assert (len(images.x), len(images.x_test), images.names) == (70, 30, ("3", "4", "5", "6"))
    rows = torch.cat([images.x, images.x_test]).flatten(1)
    assert rows.sum() == pytest.approx((X / 127.5 - 1).sum(), rel=1e-4)
    for x, y in ((images.x, images.y), (images.x_test, images.y_test)):  # each image keeps its class
        pixels = ((x[0] + 1) * 127.5).round().numpy()[0]
        (found,) = np.nonzero((pixels == X).all((1, 2)))
        assert Y[found[0]] == y[0] + 3
    np.savez(path, x=np.stack([X] * 3, -1), y=Y)
    assert read_npz(path).at_side(8).shape == (3, 8, 8)


def test_a_file_may_hold_an_array_for_each_class(tmp_path):
    path = tmp_path / "animals.npz"
    horse, deer = (np.full((40, 6, 6, 3), value, np.uint8) for value in (0, 255))
    horse[:, 0], deer[:, 0] = 255, 0
    np.savez(path, horse=horse, deer=deer)
    images = read_npz(path)
    assert images.names == ("horse", "deer")
    assert images.shape == (3, 6, 6)
    assert (images.x[:, 0, 3, 3] == 2 * images.y - 1).all()
    np.savez(path, horse=horse, deer=deer[:, 1:])
    with pytest.raises(InputError, match=r"horse \(40, 6, 6, 3\), deer \(40, 5, 6, 3\).* one size"):
        read_npz(path)


def test_a_margin_in_which_nothing_happens_is_cut_off_and_told(tmp_path):
    for margin, cut in ((3, 3), (0, 0), (9, 6)):  # at most a quarter of 24 pixels
        x = np.zeros((100, 24, 24), np.uint8)
        inside = slice(margin, 24 - margin)
        x[:, inside, inside] = RNG.integers(0, 256, (100, 24 - 2 * margin, 24 - 2 * margin))
        x[0, 0, 0] = 200  # one speck does not keep the margin
        np.savez(tmp_path / "framed.npz", x=x, y=Y)
        images = read_npz(tmp_path / "framed.npz")
        assert images.shape == (1, 24 - 2 * cut, 24 - 2 * cut)
        assert (f"without {cut} pixels of margin" in images.origin) == (cut > 0)
        if cut == margin:
            rows = torch.cat([images.x, images.x_test])
            assert rows.sum() == pytest.approx((x[:, inside, inside] / 127.5 - 1).sum(), rel=1e-3)


def test_a_ramp_stays_a_ramp_at_another_side(tmp_path):
    ramp = np.tile(np.arange(32, dtype=np.uint8) * 8, (60, 32, 1))
    np.savez(tmp_path / "ramp.npz", x=ramp, y=np.arange(60) % 2)
    small = read_npz(tmp_path / "ramp.npz").at_side(8).x[0, 0, 0]
    steps = small.diff()
    assert torch.allclose(steps[1:-1], torch.full((5,), 32 / 127.5), atol=1e-3)


BAD = {
    "no file": (None, "No such file"),
    "not a zip": (b"hello", "made|make it with numpy.savez"),
    "no y": ({"x": X}, "no array 'y' but x"),
    "objects": ({"x": X, "y": np.array(["a", None] * 50, dtype=object)}, "numpy.savez"),
    "floats": ({"x": X / 255.0, "y": Y}, "uint8"),
    "nan": ({"x": np.full((100, 6, 5), np.nan), "y": Y}, "uint8"),
    "nan classes": ({"x": X, "y": np.full(100, np.nan)}, "whole numbers"),
    "flat": ({"x": X.reshape(100, 30), "y": Y}, "shape"),
    "two channels": ({"x": np.stack([X, X], -1), "y": Y}, "1 or 3 channels"),
    "lengths": ({"x": X, "y": Y[:9]}, "one class an image"),
    "empty": ({"x": X[:0], "y": Y[:0]}, "0 images"),
    "few": ({"x": X[:20], "y": Y[:20]}, "20 images"),
    "one class": ({"x": X, "y": Y * 0}, "1 classes"),
    "tiny": ({"x": X[:, :1], "y": Y}, "too small"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_told(case, tmp_path):
    content, words = BAD[case]
    path = tmp_path / "bad.npz"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.savez(path, **content)
    with pytest.raises(InputError, match=words) as caught:
        read_npz(path)
    assert "bad.npz" in str(caught.value)


def test_a_damaged_file_is_told(tmp_path):
    path = tmp_path / "cut.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00\x10")
        archive.writestr("y.npy", b"")
    with pytest.raises(InputError, match=r"cut\.npz"):
        read_npz(path)
