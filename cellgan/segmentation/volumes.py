"""NIfTI volumes in and out; what is written lies exactly where its input lies.

A volume is read with its header, and a mask or map made of it is written with that header's own bits: shape,
sform, qform, their codes, spacing and units. Voxel (i, j, k) sits at ``affine @ (i, j, k, 1)``, in mm to the
right, anterior and superior (Cox et al. 2004, A (sort of) new image data format standard: NIfTI-1).
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.openers import ImageOpener
from nibabel.spatialimages import HeaderDataError, ImageDataError

from cellgan.atomic import atomic
from cellgan.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIXES = (".nii.gz", ".nii")
MOST_CHANNELS = 16  # in a file; what has more is a series in time or of directions
_MM = {"meter": 1000.0, "micron": 0.001}
_BROKEN = (ImageFileError, HeaderDataError, ImageDataError, EOFError, OSError, ValueError, zlib.error)


@dataclass(frozen=True)
class Volume:
    """A volume and where it lies.

    Attributes
    ----------
    data
        ``(x, y, z)``, in the file's own order of axes.
    affine
        From voxel indices to millimetres, ``(4, 4)``.
    path
        Where it was read.
    header
        The file's own header.
    shape
        The file's own shape, which may end in axes of length 1; of one channel among several in a file, that
        of the channel, ``(x, y, z)``.
    """

    data: NDArray[Any]
    affine: NDArray[np.float64]
    path: Path
    header: Any
    shape: tuple[int, ...]

    @property
    def spacing(self) -> NDArray[np.float64]:
        """Distance of neighbouring voxels along each axis, in mm."""
        lengths: NDArray[np.float64] = np.sqrt((self.affine[:3, :3] ** 2).sum(0))
        return lengths


def stem(path: Path) -> str:
    """Return a file's name without ``.nii`` or ``.nii.gz``."""
    name = Path(path).name
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def read_volume(path: Path) -> Volume:
    """Read an image of one channel.

    Returns
    -------
    The volume; its data are float32 with the file's scaling applied.

    Raises
    ------
    InputError
        The file is missing, broken, no NIfTI, not three-dimensional, without extent, or holds values that are
        not finite.
    """
    (volume,) = _finite(_read(path, most=1))
    return volume


def read_channels(path: Path) -> list[Volume]:
    """Read an image of one channel, ``(x, y, z)``, or of several along a further axis, ``(x, y, z, c)``.

    Returns
    -------
    One volume a channel, as `read_volume` returns them.

    Raises
    ------
    InputError
        As `read_volume`; or there are more than 16 channels.
    """
    return _finite(_read(path, most=MOST_CHANNELS))


def read_mask(path: Path) -> Volume:
    """Read a mask.

    Returns
    -------
    The mask; its data are uint8 labels.

    Raises
    ------
    InputError
        As `read_volume`; or there are values that are no labels from 0 to 255.
    """
    (mask,) = _read(path, most=1)
    labels = np.unique(mask.data)
    wrong = [float(v) for v in labels if not (np.isfinite(v) and v == round(float(v)) and 0 <= v <= 255)]
    if wrong:
        shown = ", ".join(f"{value:g}" for value in wrong[:3])
        msg = (
            f"{path}: a mask with {len(wrong):,} values such as {shown}; expected labels 0, 1, 2, ..., 255. "
            "Is this an image, or a probability map? Threshold it first"
        )
        raise InputError(msg)
    return Volume(mask.data.astype(np.uint8), mask.affine, mask.path, mask.header, mask.shape)


def check_same_grid(a: Volume, b: Volume) -> None:
    """See that two volumes have the same shape and lie in the same place.

    Raises
    ------
    InputError
        Their shapes differ, or some corner lies more than a tenth of a voxel elsewhere.
    """
    if a.data.shape != b.data.shape:
        msg = (
            f"{b.path} has {_times(b.data.shape)} voxels and {a.path} has {_times(a.data.shape)}; expected "
            "the same grid. Resample the mask onto its image, with nearest neighbours"
        )
        raise InputError(msg)
    corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=float)
    corners[:, :3] *= np.array(a.data.shape) - 1
    apart = np.linalg.norm(corners @ (a.affine - b.affine).T, axis=1).max()
    if apart > 0.1 * a.spacing.min():
        msg = (
            f"{b.path} and {a.path} have the same shape but lie up to {apart:.3g} mm apart; expected "
            "the same affine. If the voxels do belong together, copy the image's header to the mask"
        )
        raise InputError(msg)


def write_like(volume: Volume, data: NDArray[Any], path: Path) -> None:
    """Write data on a volume's grid: its shape, affines and their codes, spacing and units, bit by bit.

    Parameters
    ----------
    volume
        Whose grid the data are on.
    data
        ``(x, y, z)``; its type is the file's type.
    path
        Ends in ``.nii.gz``, and is compressed, or in ``.nii``.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    header = volume.header.copy()
    header.set_data_dtype(data.dtype)
    header.set_slope_inter(1, 0)
    for name in ("cal_min", "cal_max", "glmin", "glmax"):
        if name in header:
            header[name] = 0
    # No affine is given, so that the header's own are not touched.
    image = type_of(volume)(data.reshape(volume.shape), None, header)
    content = image.to_bytes()
    with atomic(path) as part:
        part.write_bytes(gzip.compress(content, 6, mtime=0) if path.name.endswith(".gz") else content)


def type_of(volume: Volume) -> Any:  # noqa: ANN401 - nibabel is not typed
    """Return the kind of file that the volume's header belongs to, as one file."""
    return nib.Nifti2Image if volume.header["sizeof_hdr"] == 540 else nib.Nifti1Image


def _finite(volumes: list[Volume]) -> list[Volume]:
    """Return volumes as float32; refuse values that it cannot hold."""
    found = []
    for volume in volumes:
        with np.errstate(over="ignore", invalid="ignore"):
            data = volume.data.astype(np.float32)
        if not (finite := np.isfinite(data)).all():
            msg = (
                f"{volume.path}: {int((~finite).sum()):,} of {finite.size:,} voxels are NaN, infinite or "
                "above 1e38; expected a finite value in each. Set them to 0, or to the background's value"
            )
            raise InputError(msg)
        found.append(replace(volume, data=data))
    return found


def _read(path: Path, *, most: int) -> list[Volume]:
    """Read a file of up to so many channels."""
    path = Path(path)
    if path.is_dir():
        msg = f"{path} is a folder; expected a NIfTI file (.nii.gz). If it holds DICOM, run dcm2niix on it"
        raise InputError(msg)
    if not path.exists():
        msg = f"there is no file {path}"
        raise InputError(msg)
    if not path.name.lower().endswith(SUFFIXES):
        msg = f"{path}: expected a NIfTI file, whose name ends in .nii.gz or .nii (see dcm2niix)"
        raise InputError(msg)
    try:
        image = nib.load(path)
        if image.get_data_dtype().fields is not None or image.get_data_dtype().kind == "c":
            msg = f"{path} holds colours or complex numbers; expected one real number a voxel"
            raise InputError(msg)
        data = np.asanyarray(image.dataobj)
        _check_sum(path)
    except _BROKEN as error:
        msg = f"cannot read {path} as NIfTI: {error}. Was it cut short, or is it of another kind?"
        raise InputError(msg) from error
    header = image.header
    as_written = _pixdim(path, type(header))
    if header["sform_code"] == 0 and not (np.abs(as_written) > 0).all():
        _refuse_extent(path, as_written)
    scale = _MM.get(header.get_xyzt_units()[0], 1.0)
    affine = np.diag([scale, scale, scale, 1.0]) @ np.asarray(image.affine, dtype=float)
    channels = _channels(data, path, most=most)
    shape = tuple(data.shape if len(channels) == 1 else data.shape[:3])
    volumes = [Volume(channel, affine, path, header, shape) for channel in channels]
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        _refuse_extent(path, volumes[0].spacing)
    return volumes


def _check_sum(path: Path) -> None:
    """Read a compressed file to its end, where its check sum is; nibabel stops before."""
    if path.name.lower().endswith(".gz"):
        with gzip.open(path) as file:
            while file.read(1 << 20):
                pass


def _pixdim(path: Path, kind: Any) -> NDArray[Any]:  # noqa: ANN401 - nibabel is not typed
    """Return the voxel sizes as written; nibabel has mended them in the header that it hands out."""
    with ImageOpener(path, "rb") as file:
        header = kind.from_fileobj(file, check=False)
    found: NDArray[Any] = header["pixdim"][1:4]
    return found


def _channels(data: NDArray[Any], path: Path, *, most: int) -> list[NDArray[Any]]:
    """Take the volumes along the axis behind the third apart; refuse what they are not."""
    further = [n for n in data.shape[3:] if n != 1]
    if data.ndim < 3 or len(further) > 1 or (further and not 1 < further[0] <= most):
        expected = "one volume of 3" if most == 1 else f"3, or a fourth with up to {most} channels"
        msg = (
            f"{path} has {data.ndim} axes, {_times(data.shape)}; expected {expected}. Take out the "
            "volumes that belong here (fslsplit)"
        )
        raise InputError(msg)
    if min(data.shape[:3]) < 2:
        msg = f"{path} has {_times(data.shape)} voxels: a single slice; expected at least 2 along each axis"
        raise InputError(msg)
    apart = data.reshape(*data.shape[:3], -1)
    return [apart[..., k] for k in range(apart.shape[-1])]


def _refuse_extent(path: Path, spacing: NDArray[Any]) -> None:
    shown = " x ".join(f"{float(s):g}" for s in spacing)
    msg = f"{path} says that its voxels measure {shown} mm; expected more than 0 each. Mend its header"
    raise InputError(msg)


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
