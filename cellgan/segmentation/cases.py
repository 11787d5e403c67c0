"""CASES.csv: which image belongs to which mask, at which site."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import affine_transform

from cellgan.atomic import atomic
from cellgan.errors import InputError
from cellgan.segmentation.volumes import Volume, check_same_grid, read_channels, read_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

COLUMNS = ("case", "site", "image", "mask")
TRAINED_ON = "trained_on.csv"  # in a model's folder: where the files of its training are
_FEWEST = 16  # values of an image
_OTHER_MARKS = {";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True)
class ImageCase:
    """One row of a table without masks.

    Attributes
    ----------
    name
        The case.
    site
        Where it was measured.
    images
        Files of one channel or several; the first one's grid is the case's.
    """

    name: str
    site: str
    images: tuple[Path, ...]


@dataclass(frozen=True)
class Case(ImageCase):
    """One row of the table.

    Attributes
    ----------
    mask
        The expert's mask.
    """

    mask: Path


@dataclass(frozen=True, eq=False)
class Images:
    """The channels of a case, all on the grid of the first.

    Attributes
    ----------
    first
        The first channel.
    channels
        ``(n_channels, x, y, z)``; NaN where a channel was not measured.
    files
        The file of each channel.
    warnings
        What is odd about the files.
    """

    first: Volume
    channels: NDArray[np.float32]
    files: tuple[Path, ...]
    warnings: tuple[str, ...] = ()

    @property
    def counts(self) -> tuple[int, ...]:
        """How many channels each file holds, in order."""
        return tuple(sum(1 for _ in same) for _, same in groupby(self.files))


def read_cases(path: Path) -> list[Case]:
    """Read a table of cases.

    Parameters
    ----------
    path
        A table with commas, and the columns case, site, image and mask; further columns whose names start
        with ``image`` are further channels, others are ignored. Files are relative to the table's folder.

    Returns
    -------
    The cases, in the table's order.

    Raises
    ------
    InputError
        The table cannot be read, lacks a column or a row; or a row, which is named, lacks an entry, repeats a
        case, or names a file that is not there.
    """
    return [
        Case(files.name, files.site, files.images, mask)
        for files, mask in _rows(Path(path), COLUMNS)
        if mask is not None
    ]


def read_image_cases(path: Path) -> list[ImageCase]:
    """Read a table of cases that have no masks, or whose masks are not to be seen. See `read_cases`."""
    return [files for files, _ in _rows(Path(path), COLUMNS[:-1])]


def write_cases(path: Path, cases: Sequence[Case]) -> None:
    """Write a table that `read_cases` reads from anywhere: its paths are absolute.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    most = max(len(case.images) for case in cases)
    further = [f"image_{number}" for number in range(2, most + 1)]
    with atomic(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["case", "site", "mask", "image", *further])
        for case in cases:
            files = [file.resolve() for file in (case.mask, *case.images)]
            table.writerow([case.name, case.site, *files])


def _rows(path: Path, needed: tuple[str, ...]) -> list[tuple[ImageCase, Path | None]]:
    """Read the rows of a table that has the needed columns."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            columns = [name.strip() for name in table.fieldnames or ()]
            table.fieldnames = columns
            rows = [(table.line_num, row) for row in table]
    except OSError as error:
        msg = f"cannot read the table of cases {path}: {error.strerror}"
        raise InputError(msg) from error
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"cannot read the table of cases {path}: {error}. Expected text with commas and a line of names"
        raise InputError(msg) from error
    if not columns:
        msg = f"{path} is empty; expected a line with the columns {','.join(needed)}, and one for each case"
        raise InputError(msg)
    if len(columns) == 1 and (other := [word for mark, word in _OTHER_MARKS.items() if mark in columns[0]]):
        msg = f"{path} is separated by {other[0]}; expected commas, as in {','.join(needed)}. Save it so"
        raise InputError(msg)
    if missing := [name for name in needed if name not in columns]:
        msg = (
            f"{path} has the columns {', '.join(columns)}; {', '.join(missing)} missing. Expected "
            f"{', '.join(needed)}, separated by commas"
        )
        raise InputError(msg)
    further = [name for name in columns if name.startswith("image") and name != "image"]
    cases = [_case(path, number, row, (*needed, *further)) for number, row in rows]
    if not cases:
        msg = f"{path} has no rows; expected one a case"
        raise InputError(msg)
    seen: set[str] = set()
    for case, _ in cases:
        if case.name in seen:
            msg = f"{path} names the case {case.name} twice; expected each case once, in one row"
            raise InputError(msg)
        seen.add(case.name)
    return cases


def read_images(images: tuple[Path, ...]) -> Images:
    """Read the channels of a case.

    Raises
    ------
    InputError
        A file cannot be used, is given twice, or lies beside the first.
    """
    if len(set(images)) < len(images):
        msg = f"{images[0]}: a file is given twice for one case; expected each channel once"
        raise InputError(msg)
    volumes = [volume for path in images for volume in read_channels(path)]
    first, *others = volumes
    channels = [first.data, *(onto(volume, first) for volume in others)]
    for volume, channel in zip(volumes, channels, strict=True):
        if np.isnan(channel).all():
            msg = f"{volume.path} lies nowhere in {first.path}; expected channels of one examination"
            raise InputError(msg)
    files = tuple(volume.path for volume in volumes)
    warnings = tuple(
        f"{volume.path} looks like a mask: it has fewer than {_FEWEST} different values; expected an image"
        for volume in volumes
        if _looks_like_mask(volume)
    )
    return Images(first, np.stack(channels), files, warnings)


def _looks_like_mask(volume: Volume) -> bool:
    """Tell whether a volume has but a few different values; most images show in a small part of them."""
    values = volume.data.ravel()
    some = values[:: max(1, len(values) // 10_000)]
    return all(len(np.unique(part)) < _FEWEST for part in (some, values))


def read_pair(case: Case) -> tuple[Images, Volume]:
    """Read a case: all its channels, and the mask on the same grid.

    Raises
    ------
    InputError
        A file cannot be used, or the mask is not on the image's grid; names the case.
    """
    try:
        images = read_images(case.images)
        mask = read_mask(case.mask)
        check_same_grid(images.first, mask)
    except InputError as error:
        error.add_note(f"case: {case.name}")
        raise
    return images, replace(mask, affine=images.first.affine)


def onto(volume: Volume, like: Volume) -> NDArray[np.float32]:
    """Resample a volume onto another one's grid, linearly, through world coordinates.

    Returns
    -------
    ``(x, y, z)`` of `like`; NaN outside of the volume's voxels.
    """
    to = np.linalg.inv(volume.affine) @ like.affine
    if volume.data.shape == like.data.shape and np.allclose(to, np.eye(4), atol=1e-6):
        return volume.data.astype(np.float32)
    matrix, offset = to[:3, :3], to[:3, 3]
    found: NDArray[np.float32] = affine_transform(
        volume.data.astype(np.float32), matrix, offset, output_shape=like.data.shape, order=1, mode="nearest"
    )
    index = np.einsum("ab,b...->a...", matrix, np.indices(like.data.shape)) + offset[:, None, None, None]
    ends = np.array(volume.data.shape)[:, None, None, None] - 0.5
    found[((index < -0.5) | (index > ends)).any(0)] = np.nan
    return found


def _case(
    table: Path, line: int, row: dict[str, str | None], columns: tuple[str, ...]
) -> tuple[ImageCase, Path | None]:
    entries = {name: (row.get(name) or "").strip() for name in columns}
    if empty := [name for name in columns if name != "site" and not entries[name]]:
        msg = f"{table}, line {line}: no entry under {', '.join(empty)}; fill it in"
        raise InputError(msg)
    files = {name: table.parent / entries[name] for name in columns if name not in {"case", "site"}}
    for name, file in files.items():
        if not file.exists():
            msg = (
                f"{table}, line {line}, column {name}: there is no file {file}. Paths are relative to the "
                "folder of the table"
            )
            raise InputError(msg)
    mask = files.pop("mask", None)
    return ImageCase(entries["case"], entries["site"] or "-", tuple(files.values())), mask
