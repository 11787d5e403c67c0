"""Volumes of four axes: several channels in one file."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner

from cellgan.errors import InputError
from cellgan.segmentation.cases import read_cases, read_images
from cellgan.segmentation.config import SegmentConfig
from cellgan.segmentation.model import load_model
from cellgan.segmentation.prediction import predict
from cellgan.segmentation.training import train
from cellgan.segmentation.volumes import read_channels, read_mask
from cellgan_cli.main import cli

SHAPE = (34, 36, 8)
QUICK = SegmentConfig(steps=2, size=32, width=2)


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(100, 20, (*SHAPE, 3)).astype(np.float32)


@pytest.fixture
def table(tmp_path, save, affine_of, values):
    """Give two cases of three channels each, in one file and in three."""
    matrix = affine_of((1.8, 1.7, 4.0), angles=(0.1, 0.2, -0.1), flip=(-1, 1, 1))
    mask = np.zeros(SHAPE, np.uint8)
    mask[12:20, 14:22, 2:6] = 1
    for name in "ab":
        save(f"{name}.nii.gz", values, matrix)
        save(f"{name}_m.nii.gz", mask, matrix)
        for k in range(3):
            save(f"{name}{k}.nii.gz", values[..., k], matrix)
    (tmp_path / "ONE.csv").write_text(
        "case,site,image,mask\na,A,a.nii.gz,a_m.nii.gz\nb,B,b.nii.gz,b_m.nii.gz\n"
    )
    (tmp_path / "THREE.csv").write_text(
        "case,site,image,image_b,image_c,mask\n"
        + "".join(f"{n},A,{n}0.nii.gz,{n}1.nii.gz,{n}2.nii.gz,{n}_m.nii.gz\n" for n in "ab")
    )
    return tmp_path / "ONE.csv"


def test_the_volumes_of_one_file_are_channels(tmp_path, table):
    one, three = (read_images(read_cases(tmp_path / name)[0].images) for name in ("ONE.csv", "THREE.csv"))
    np.testing.assert_array_equal(one.channels, three.channels)
    assert (one.counts, three.counts) == ((3,), (1, 1, 1))
    assert one.first.shape == SHAPE


@pytest.mark.parametrize("shape", [(*SHAPE, 1, 3), (*SHAPE, 3, 1)], ids=str)
def test_axes_of_length_one_do_not_matter(tmp_path, save, affine_of, values, shape):
    path = save("v.nii.gz", values.reshape(shape), affine_of((1, 2, 3)))
    for k, volume in enumerate(read_channels(path)):
        np.testing.assert_array_equal(volume.data, values[..., k])
        assert volume.shape == SHAPE


def test_one_file_or_three_give_the_same_mask_of_three_axes(tmp_path, table):
    train(table, QUICK, folder=tmp_path / "one")
    model, other = load_model(tmp_path / "one"), train(tmp_path / "THREE.csv", QUICK)
    assert (model.counts, other.counts) == ((3,), (1, 1, 1))
    files = [tmp_path / f"a{k}.nii.gz" for k in range(3)]
    found = predict(model, tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(found.probabilities, predict(other, files).probabilities)
    words = ["one", "a.nii.gz", "b.nii.gz", "-o", "out"]
    done = CliRunner().invoke(
        cli, ["segment", "predict", *(w if w == "-o" else str(tmp_path / w) for w in words)]
    )
    assert done.exit_code == 0, done.output
    a, b = nib.load(tmp_path / "a.nii.gz"), nib.load(tmp_path / "out/a_mask.nii.gz")
    assert b.shape == SHAPE
    for name in ("srow_x", "srow_y", "srow_z", "quatern_b", "qoffset_x", "sform_code", "xyzt_units"):
        assert a.header[name].tobytes() == b.header[name].tobytes(), name
    np.testing.assert_array_equal(np.asanyarray(b.dataobj), found.mask)
    with pytest.raises(InputError, match=r"a0\.nii\.gz: files with 1 channels; expected 3"):
        predict(model, files[0])


def test_cases_that_differ_are_named(tmp_path, table, save, affine_of, values):
    save("b.nii.gz", values[..., :2], nib.load(tmp_path / "a.nii.gz").affine)
    with pytest.raises(
        InputError, match=r"b\.nii\.gz: a case whose files hold 2 channels; .*a\.nii\.gz, hold 3"
    ):
        train(table, QUICK)


def test_what_is_no_set_of_channels_is_named(save, affine_of, values):
    many = save("many.nii.gz", np.tile(values[:4, :4, :4], (1, 1, 1, 6)), affine_of((1, 1, 1)))
    with pytest.raises(InputError, match=r"many\.nii\.gz has 4 axes, 4 x 4 x 4 x 18; .*up to 16"):
        read_channels(many)
    six = save("six.nii.gz", np.zeros((4, 4, 4, 2, 3), np.float32), affine_of((1, 1, 1)))
    with pytest.raises(InputError, match="5 axes"):
        read_channels(six)
    mask = save("mask.nii.gz", np.zeros((4, 4, 4, 3), np.uint8), affine_of((1, 1, 1)))
    with pytest.raises(InputError, match=r"mask\.nii\.gz has 4 axes, .*expected one volume of 3"):
        read_mask(mask)


def test_a_file_counts_once(table):
    image = read_cases(table)[0].images[0]
    with pytest.raises(InputError, match="given twice"):
        read_images((image, image))
