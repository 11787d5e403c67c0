"""What is written lies where its input lies, to the last bit; what cannot be used is said by name."""

from __future__ import annotations

import gzip

import nibabel as nib
import numpy as np
import pytest

from cellgan.errors import InputError, OutputError
from cellgan.segmentation.volumes import check_same_grid, read_mask, read_volume, stem, write_like

PLACE = (
    "dim", "pixdim", "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x",
    "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z", "xyzt_units", "descrip",
)  # fmt: skip


@pytest.fixture
def values():
    return np.random.default_rng(0).integers(0, 900, (5, 6, 4)).astype(np.int16)


def test_a_mask_has_its_images_bits(tmp_path, save, matrix, values):
    image = save("X.nii.gz", values, matrix)
    volume = read_volume(image)
    write_like(volume, (volume.data > 400).astype(np.uint8), tmp_path / "X_mask.nii.gz")
    a, b = nib.load(image), nib.load(tmp_path / "X_mask.nii.gz")
    for name in PLACE:
        assert a.header[name].tobytes() == b.header[name].tobytes(), name
    assert a.affine.tobytes() == b.affine.tobytes()
    assert b.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asanyarray(b.dataobj), values > 400)


@pytest.mark.parametrize(("sform", "qform"), [(0, 1), (1, 0), (2, 3), (4, 1), (0, 0)])
def test_the_codes_are_kept(tmp_path, save, affine_of, values, sform, qform):
    image = save("X.nii.gz", values, affine_of((1, 2, 3), flip=(-1, 1, 1)), sform=sform, qform=qform)
    write_like(read_volume(image), values.astype(np.uint8), tmp_path / "Y.nii.gz")
    a, b = nib.load(image).header, nib.load(tmp_path / "Y.nii.gz").header
    assert (b["sform_code"], b["qform_code"]) == (sform, qform)
    for name in PLACE:
        assert a[name].tobytes() == b[name].tobytes(), name


def test_two_affines_that_disagree_are_both_kept(tmp_path, values, affine_of):
    image = nib.Nifti1Image(values, None)
    image.set_sform(affine_of((1, 1, 2), angles=(0.1, 0, 0)), 1)
    image.set_qform(affine_of((1, 1, 2), origin=(0, 0, 0)), 1)
    nib.save(image, tmp_path / "X.nii")
    write_like(read_volume(tmp_path / "X.nii"), values.astype(np.uint8), tmp_path / "Y.nii")
    a, b = nib.load(tmp_path / "X.nii"), nib.load(tmp_path / "Y.nii")
    np.testing.assert_array_equal(a.header.get_sform(), b.header.get_sform())
    np.testing.assert_array_equal(a.header.get_qform(), b.header.get_qform())


def test_a_fourth_axis_of_length_one_is_kept(tmp_path, save, affine_of, values):
    image = save("X.nii.gz", values[..., None], affine_of((1, 2, 3)))
    volume = read_volume(image)
    assert volume.data.shape == (5, 6, 4)
    write_like(volume, volume.data, tmp_path / "Y.nii.gz")
    assert nib.load(tmp_path / "Y.nii.gz").shape == (5, 6, 4, 1)


def test_scaled_integers_are_read_as_what_they_mean(tmp_path, affine_of, values):
    image = nib.Nifti1Image(values, affine_of((1, 1, 1)))
    image.header.set_slope_inter(0.5, -3)
    nib.save(image, tmp_path / "X.nii.gz")
    raw = np.asanyarray(nib.load(tmp_path / "X.nii.gz").dataobj)
    volume = read_volume(tmp_path / "X.nii.gz")
    np.testing.assert_allclose(volume.data, raw, rtol=1e-6)
    write_like(volume, np.full((5, 6, 4), 7, np.uint8), tmp_path / "Y.nii.gz")
    assert (np.asanyarray(nib.load(tmp_path / "Y.nii.gz").dataobj) == 7).all()


def test_metres_and_micrometres_are_read_as_mm(tmp_path, values, affine_of):
    for unit, factor in (("meter", 1e-3), ("micron", 1e3), ("mm", 1.0), (None, 1.0)):
        matrix = affine_of((1, 2, 3)) @ np.diag([factor] * 3 + [1])
        image = nib.Nifti1Image(values, matrix)
        image.header.set_xyzt_units(unit)
        nib.save(image, tmp_path / "X.nii")
        np.testing.assert_allclose(read_volume(tmp_path / "X.nii").spacing, (1, 2, 3), rtol=1e-5)
        write_like(read_volume(tmp_path / "X.nii"), values.astype(np.uint8), tmp_path / "Y.nii")
        assert nib.load(tmp_path / "Y.nii").header.get_xyzt_units()[0] == (unit or "unknown")


def test_nifti_2_stays_nifti_2(tmp_path, values, affine_of):
    nib.save(nib.Nifti2Image(values, affine_of((1, 2, 3))), tmp_path / "X.nii.gz")
    write_like(read_volume(tmp_path / "X.nii.gz"), values.astype(np.uint8), tmp_path / "Y.nii.gz")
    assert isinstance(nib.load(tmp_path / "Y.nii.gz"), nib.Nifti2Image)


def test_same_data_same_bytes(tmp_path, save, affine_of, values):
    volume = read_volume(save("X.nii.gz", values, affine_of((1, 2, 3))))
    for name in ("a.nii.gz", "b.nii.gz"):
        write_like(volume, values.astype(np.uint8), tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_nothing_half_written(tmp_path, save, affine_of, values):
    volume = read_volume(save("X.nii.gz", values, affine_of((1, 2, 3))))
    with pytest.raises(OutputError, match="does not exist"):
        write_like(volume, values, tmp_path / "none" / "Y.nii.gz")
    with pytest.raises(ValueError, match="reshape"):
        write_like(volume, values[:2], tmp_path / "Y.nii.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["X.nii.gz"]


def bad(tmp_path, save, affine_of, values, kind: str):
    matrix, odd = affine_of((1, 2, 3)), values.astype(np.float32)
    path = tmp_path / "X.nii.gz"
    if kind == "nan":
        odd[1, 1, 1] = np.nan
        save(path.name, odd, matrix)
    elif kind == "huge":
        save(path.name, values * 1e300 + 1.0, matrix)
    elif kind == "4-D":
        save(path.name, np.stack([values] * 3, -1), matrix)
    elif kind == "slice":
        save(path.name, values[:, :, :1], matrix)
    elif kind == "cut":
        save(path.name, values, matrix)
        path.write_bytes(path.read_bytes()[:120])
    elif kind == "text":
        path.write_text("case,site")
    elif kind == "short":
        save(path.name, values, matrix)
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:400]))
    elif kind == "folder":
        path.mkdir()
    elif kind == "spacing":
        save(path.name, values, matrix)
        raw = bytearray(gzip.decompress(path.read_bytes()))
        raw[80:92], raw[252:256] = bytes(12), bytes(4)  # pixdim 1-3, both codes
        path.write_bytes(gzip.compress(bytes(raw)))
    elif kind == "flat":
        save(path.name, values, matrix)
        raw = bytearray(gzip.decompress(path.read_bytes()))
        raw[280:328] = bytes(48)  # srow: all 0
        path.write_bytes(gzip.compress(bytes(raw)))
    elif kind == "colours":
        nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), [(c, "u1") for c in "RGB"]), matrix), path)
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("nan", r"1 of 120 voxels are NaN"),
        ("huge", r"120 of 120 voxels.* above 1e38"),
        ("4-D", r"4 axes, 5 x 6 x 4 x 3; expected one volume"),
        ("slice", "a single slice"),
        ("cut", "cannot read"),
        ("text", "cannot read"),
        ("short", "cannot read"),
        ("folder", "dcm2niix"),
        ("spacing", "0 x 0 x 0 mm"),
        ("flat", "0 x 0 x 0 mm"),
        ("colours", "colours"),
        ("none", "there is no file"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, save, affine_of, values, kind, message):
    path = bad(tmp_path, save, affine_of, values, kind)
    with pytest.raises(InputError, match=message) as stopped:
        read_volume(path)
    assert "X.nii.gz" in str(stopped.value)


def test_only_labels_are_a_mask(save, affine_of, values):
    matrix = affine_of((1, 1, 1))
    assert read_mask(save("ok.nii.gz", (values > 3).astype(np.float32), matrix)).data.dtype == np.uint8
    for name, wrong in (("a", values), ("b", values / 900), ("c", -(values > 3).astype(np.int8))):
        with pytest.raises(InputError, match="expected labels") as stopped:
            read_mask(save(f"{name}.nii.gz", wrong, matrix))
        assert f"{name}.nii.gz" in str(stopped.value)


def test_masks_elsewhere_are_refused(save, affine_of, values):
    image = read_volume(save("X.nii.gz", values, affine_of((1, 2, 3))))
    check_same_grid(
        image, read_volume(save("a.nii.gz", values, affine_of((1, 2, 3), origin=(7.05, -11, 30))))
    )
    with pytest.raises(InputError, match=r"5 x 6 x 3 voxels.*5 x 6 x 4"):
        check_same_grid(image, read_volume(save("b.nii.gz", values[:, :, :3], affine_of((1, 2, 3)))))
    with pytest.raises(InputError, match=r"3 mm apart"):
        check_same_grid(
            image, read_volume(save("c.nii.gz", values, affine_of((1, 2, 3), origin=(7, -8, 30))))
        )


def test_stem():
    assert [stem(n) for n in ("a/X.nii.gz", "X.v2.nii", "X.NII.GZ")] == ["X", "X.v2", "X"]
