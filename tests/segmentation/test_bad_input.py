"""Whatever is wrong with a file is said by its name, with exit code 1, and nothing is left behind."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from click.testing import CliRunner

from cellgan.segmentation.config import SegmentConfig
from cellgan.segmentation.training import train
from cellgan_cli.main import cli

SHAPE = (14, 13, 5)
TINY = ["--steps=1", "--size=32", "--width=1"]


@pytest.fixture
def table(tmp_path, save, affine_of):
    """Give a table of two good cases; the second is spoilt later on."""
    draw, mask = np.random.default_rng(0), np.zeros(SHAPE, np.uint8)
    mask[4:9, 4:9, 1:4] = 1
    for name in ("good", "bad"):
        save(f"{name}.nii.gz", draw.normal(9, 1, SHAPE).astype(np.float32), affine_of((1, 2, 3)))
        save(f"{name}_m.nii.gz", mask, affine_of((1, 2, 3)))
    (tmp_path / "CASES.csv").write_text(
        "case,site,image,mask\n1,A,good.nii.gz,good_m.nii.gz\n2,A,bad.nii.gz,bad_m.nii.gz\n"
    )
    return tmp_path / "CASES.csv"


@pytest.fixture
def spoil(tmp_path, save, affine_of):
    def image(values, spacing=(1, 2, 3)):
        save("bad.nii.gz", np.asarray(values, np.float32), affine_of(spacing))

    def mask(values, **where):
        save("bad_m.nii.gz", values, affine_of((1, 2, 3), **where))

    def cut():
        path = tmp_path / "bad.nii.gz"
        path.write_bytes(path.read_bytes()[:-200])

    def flip_a_bit():
        path = tmp_path / "bad.nii.gz"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 16
        path.write_bytes(content)

    def no_extent():
        path = tmp_path / "bad.nii.gz"
        raw = bytearray(gzip.decompress(path.read_bytes()))
        raw[80:92], raw[252:256] = bytes(12), bytes(4)  # pixdim 1-3, both codes
        path.write_bytes(gzip.compress(bytes(raw)))

    def folder():
        (tmp_path / "bad.nii.gz").unlink()
        (tmp_path / "bad.nii.gz").mkdir()
        (tmp_path / "bad.nii.gz/IM0001.dcm").write_bytes(b"DICM")

    plain = np.random.default_rng(1).normal(9, 1, SHAPE)
    nan = plain.copy()
    nan[1, 2, 3] = np.nan
    return {
        "NaN": lambda: image(nan),
        "one value": lambda: image(np.full(SHAPE, 7.0)),
        "a single slice": lambda: image(plain[:, :, :1]),
        "a series in time": lambda: image(np.stack([plain] * 20, -1)),
        "overflow": lambda: save("bad.nii.gz", plain * 1e300, affine_of((1, 2, 3))),
        "cut short": cut,
        "a flipped bit": flip_a_bit,
        "spacing 0": no_extent,
        "a folder of DICOM": folder,
        "mask: empty": lambda: mask(np.zeros(SHAPE, np.uint8)),
        "mask: shape": lambda: mask(np.ones((14, 13, 4), np.uint8)),
        "mask: place": lambda: mask(np.ones(SHAPE, np.uint8), origin=(0.0, 0.0, 0.0)),
        "mask: four axes": lambda: mask(np.ones((*SHAPE, 3), np.uint8)),
        "mask: a gap in the labels": lambda: mask(np.where(plain > 9, 3, 0).astype(np.uint8)),
        "mask: negative": lambda: mask(np.where(plain > 9, -1, 0).astype(np.int16)),
        "mask: 300": lambda: mask(np.where(plain > 9, 300, 0).astype(np.int16)),
        "mask: shares": lambda: mask((plain > 9) * np.float32(0.5)),
    }


OF_IMAGES = {
    "NaN": "1 of 910 voxels are NaN",
    "one value": "nearly all voxels are 7",
    "a single slice": "a single slice",
    "a series in time": "4 axes, 14 x 13 x 5 x 20",
    "overflow": "above 1e38",
    "cut short": "cannot read",
    "a flipped bit": "cannot read",
    "spacing 0": "0 x 0 x 0 mm",
    "a folder of DICOM": "run dcm2niix on it",
}
OF_MASKS = {
    "mask: empty": "is empty",
    "mask: shape": "14 x 13 x 4 voxels",
    "mask: place": "mm apart",
    "mask: four axes": "4 axes",
    "mask: a gap in the labels": "none 2",
    "mask: negative": "such as -1",
    "mask: 300": "such as 300",
    "mask: shares": "such as 0.5",
}


def run(*words):
    return CliRunner().invoke(cli, ["segment", *map(str, words)])


@pytest.mark.parametrize("kind", [*OF_IMAGES, *OF_MASKS])
def test_training_names_the_file(table, tmp_path, spoil, kind):
    spoil[kind]()
    before = sorted(tmp_path.rglob("*"))
    for command in (("train",), ("crossval", "--folds=2")):
        done = run(*command, table, "-o", tmp_path / "new", *TINY)
        assert done.exit_code == 1, done.output
        assert "Traceback" not in done.output
        assert (OF_IMAGES | OF_MASKS)[kind] in done.stderr
        if kind != "mask: a gap in the labels":  # which is a matter of all masks together
            assert ("bad_m.nii.gz" if kind in OF_MASKS else "bad.nii.gz") in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    import nibabel as nib

    folder = tmp_path_factory.mktemp("model")
    mask = np.zeros((8, 8, 3), np.uint8)
    mask[3:6, 3:6, 1] = 1
    image = np.random.default_rng(0).normal(9, 1, mask.shape).astype(np.float32)
    for name, data in (("i", image), ("m", mask)):
        nib.save(nib.Nifti1Image(data, np.eye(4)), folder / f"{name}.nii.gz")
    (folder / "CASES.csv").write_text("case,site,image,mask\n1,A,i.nii.gz,m.nii.gz\n")
    train(folder / "CASES.csv", SegmentConfig(steps=1, size=32, width=1), folder=folder / "model")
    return folder / "model"


@pytest.mark.parametrize("kind", OF_IMAGES)
def test_predicting_names_the_file(table, tmp_path, spoil, model, kind):
    spoil[kind]()
    done = run("predict", model, tmp_path / "good.nii.gz", tmp_path / "bad.nii.gz", "-o", tmp_path / "new")
    assert done.exit_code == 1, done.output
    assert "bad.nii.gz" in done.stderr
    assert OF_IMAGES[kind] in done.stderr
    left = {path.name for path in (tmp_path / "new").iterdir()}
    assert left == {"good_mask.nii.gz", "good_mask.json"}  # whole, and nothing of the other


@pytest.mark.parametrize(
    "kind", [kind for kind in OF_MASKS if kind not in {"mask: empty", "mask: a gap in the labels"}]
)
def test_scoring_names_the_file(table, tmp_path, spoil, kind):
    spoil[kind]()
    done = run(
        "evaluate", tmp_path / "bad_m.nii.gz", tmp_path / "good_m.nii.gz", "--report", tmp_path / "x.html"
    )
    assert done.exit_code == 1, done.output
    assert "bad_m.nii.gz" in done.stderr
    assert not (tmp_path / "x.html").exists()


def test_a_mask_in_place_of_an_image_is_warned_of(table, tmp_path, save, affine_of, model):
    labels = np.random.default_rng(2).integers(0, 4, SHAPE).astype(np.float32)
    save("bad.nii.gz", labels, affine_of((1, 2, 3)))
    said = f"warning: {tmp_path / 'bad.nii.gz'} looks like a mask: it has fewer than 16 different values"
    done = run("train", table, "-o", tmp_path / "new", *TINY)
    assert done.exit_code == 0, done.stderr
    assert done.stderr.count(said) == 1
    assert "good.nii.gz" not in done.stderr
    files = (tmp_path / "good.nii.gz", tmp_path / "bad.nii.gz")
    done = run("predict", model, *files, "-o", tmp_path / "out", "--quiet")
    assert done.exit_code == 0, done.stderr
    assert done.stderr.count(said) == 1
    assert f"{files[0]} looks" not in done.stderr
    few = labels.copy()
    few.ravel()[:20] = np.arange(20)  # enough different values, though few voxels have them
    save("bad.nii.gz", few, affine_of((1, 2, 3)))
    assert "looks like a mask" not in run("predict", model, files[1], "-o", tmp_path / "few").stderr
