"""The table of cases, and channels brought onto the first one's grid."""

from __future__ import annotations

import numpy as np
import pytest

from cellgan.errors import InputError
from cellgan.segmentation.cases import onto, read_cases, read_images, read_pair
from cellgan.segmentation.intensity import normalise
from cellgan.segmentation.volumes import Volume, read_volume


@pytest.fixture
def files(tmp_path, save, affine_of):
    rng = np.random.default_rng(0)
    for name in ("a", "b", "a_adc"):
        save(f"{name}.nii.gz", rng.integers(0, 99, (6, 5, 4)).astype(np.int16), affine_of((1, 2, 3)))
        save(f"{name}_m.nii.gz", rng.integers(0, 2, (6, 5, 4)).astype(np.uint8), affine_of((1, 2, 3)))
    return tmp_path


def table(folder, text):
    (folder / "CASES.csv").write_text(text, encoding="utf-8")
    return folder / "CASES.csv"


def test_a_table_is_read_and_its_other_columns_are_not(files):
    text = "\ufeffnotes,case, site,image,mask\nx,1,A,a.nii.gz,a_m.nii.gz\ny,2,,b.nii.gz,b_m.nii.gz\n"
    first, second = read_cases(table(files, text))
    assert (first.name, first.site, first.images) == ("1", "A", (files / "a.nii.gz",))
    assert (second.site, second.mask) == ("-", files / "b_m.nii.gz")
    images, mask = read_pair(first)
    assert images.channels.shape == (1, 6, 5, 4)
    np.testing.assert_array_equal(images.channels[0], images.first.data)
    assert set(np.unique(mask.data)) == {0, 1}


def test_more_image_columns_are_more_channels(files):
    text = "case,site,image,mask,image_adc\n1,A,a.nii.gz,a_m.nii.gz,a_adc.nii.gz\n"
    (case,) = read_cases(table(files, text))
    images = read_images(case.images)
    assert images.channels.shape == (2, 6, 5, 4)
    assert images.counts == (1, 1)
    np.testing.assert_array_equal(images.channels[1], read_volume(files / "a_adc.nii.gz").data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("case,site,image\n", "mask missing"),
        ("", "is empty; expected a line with the columns case,site,image,mask"),
        ("case,site,image,mask\n", "no rows"),
        ("case,site,image,mask\n1,A,a.nii.gz,\n", "line 2: no entry under mask"),
        ("case,site,image,mask\n1,A,a.nii.gz,a_m.nii.gz\n2,A,zz.nii.gz,a_m.nii.gz\n", "line 3, column image"),
        ("case,site,image,mask\n1,A,a.nii.gz,a_m.nii.gz\n1,A,b.nii.gz,b_m.nii.gz\n", "case 1 twice"),
        ("case;site;image;mask\n1;A;a.nii.gz;a_m.nii.gz\n", "is separated by semicolons; expected commas"),
        ("case\tsite\timage\tmask\n", "is separated by tabs; expected commas"),
        ("case\n", "site, image, mask missing"),
    ],
)
def test_what_is_wrong_in_a_table_is_said_by_row(files, text, message):
    with pytest.raises(InputError, match=message) as stopped:
        read_cases(table(files, text))
    assert "CASES.csv" in str(stopped.value)


def test_a_table_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the table of cases .*CASES.csv: No such file"):
        read_cases(tmp_path / "CASES.csv")
    (tmp_path / "CASES.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="cannot read the table"):
        read_cases(tmp_path / "CASES.csv")


def test_a_mask_of_another_grid_names_the_case(files, save, affine_of):
    save("a_m.nii.gz", np.zeros((6, 5, 3), np.uint8), affine_of((1, 2, 3)))
    (case,) = read_cases(table(files, "case,site,image,mask\nP7,A,a.nii.gz,a_m.nii.gz\n"))
    with pytest.raises(InputError, match="6 x 5 x 3") as stopped:
        read_pair(case)
    assert "case: P7" in str(stopped.value)


def volume(data, matrix) -> Volume:
    return Volume(data.astype(np.float32), matrix, "x", None, data.shape)


def test_a_ramp_of_world_coordinates_goes_through_onto(matrix, affine_of, world):
    here, there = (9, 8, 7), (30, 28, 26)
    around = affine_of((1.3, 1.1, 1.2), angles=(0.4, 0.1, -0.2))
    middle = (matrix @ (*(np.array(here) - 1) / 2, 1))[:3]
    around[:3, 3] += middle - (around @ (*(np.array(there) - 1) / 2, 1))[:3]
    ramp = world(around, there)
    truth = world(matrix, here)
    for axis in range(3):
        got = onto(volume(ramp[axis], around), volume(truth[axis], matrix))
        known = np.isfinite(got)
        index = np.einsum(
            "ab,b...->a...", np.linalg.inv(around), np.concatenate([truth, np.ones((1, *here))])
        )[:3]
        between = ((index >= 0) & (index <= np.array(there)[:, None, None, None] - 1)).all(0)
        assert between.sum() > 100
        assert known[between].all()
        np.testing.assert_allclose(got[between], truth[axis][between], atol=1e-3)


def test_beside_a_channel_nothing_is_known(affine_of):
    data = np.ones((4, 4, 4))
    far = onto(volume(data, affine_of((1, 1, 1), origin=(9, 0, 0))), volume(data, affine_of((1, 1, 1))))
    assert np.isnan(far).any()
    shifted = onto(
        volume(data, affine_of((1, 1, 1), origin=(2, 0, 0))),
        volume(data, affine_of((1, 1, 1), origin=(0, 0, 0))),
    )
    assert np.isnan(shifted[:2]).all()
    assert (shifted[2:] == 1).all()


def test_intensities_do_not_know_their_scanner():
    slices = np.random.default_rng(0).gamma(2, 100, (4, 20, 20))
    slices[:, :3] = np.nan
    plain = normalise(slices, path="x")
    np.testing.assert_allclose(plain, normalise(slices * 30 + 700, path="x"), atol=1e-4)
    assert (plain[:, :3] == 0).all()
    assert abs(np.median(plain[:, 3:])) < 0.01
    bright = slices.copy()
    bright[0, 5:7, :9] *= 1000  # a coil
    assert np.abs(normalise(bright, path="x")[1:] - plain[1:]).max() < 0.25


def test_an_empty_export_is_refused():
    with pytest.raises(InputError, match=r"x\.nii: nearly all voxels are 3"):
        normalise(np.full((2, 5, 5), 3.0), path="x.nii")
