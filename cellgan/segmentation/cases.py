"""CASES.csv: which image belongs to which mask, at which site."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import affine_transform

from cellgan.errors import InputError
from cellgan.segmentation.volumes import Volume, check_same_grid, read_mask, read_volume

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = ("case", "site", "image", "mask")


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes
    ----------
    name
        The case.
    site
        Where it was measured.
    images
        One file a channel; the first one's grid is the case's.
    mask
        The expert's mask.
    """

    name: str
    site: str
    images: tuple[Path, ...]
    mask: Path


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
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            columns = [name.strip() for name in table.fieldnames or ()]
            table.fieldnames = columns
            rows = [(table.line_num, row) for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"cannot read the table of cases {path}: {error}. Expected text with commas and a line of names"
        raise InputError(msg) from error
    if missing := [name for name in COLUMNS if name not in columns]:
        msg = (
            f"{path} has the columns {', '.join(columns) or 'none'}; {', '.join(missing)} missing. Expected "
            f"{', '.join(COLUMNS)}, separated by commas"
        )
        raise InputError(msg)
    channels = ["image", *(name for name in columns if name.startswith("image") and name != "image")]
    cases = [_case(path, number, row, channels) for number, row in rows]
    if not cases:
        msg = f"{path} has no rows; expected one a case"
        raise InputError(msg)
    seen: set[str] = set()
    for case in cases:
        if case.name in seen:
            msg = f"{path} names the case {case.name} twice; expected each case once, in one row"
            raise InputError(msg)
        seen.add(case.name)
    return cases


def read_images(images: tuple[Path, ...]) -> tuple[Volume, NDArray[np.float32]]:
    """Read the channels of a case, all on the grid of the first.

    Returns
    -------
    The first volume, and all channels, ``(n_channels, x, y, z)``; NaN where a channel was not measured.

    Raises
    ------
    InputError
        A file cannot be used, or a channel lies beside the first.
    """
    first = read_volume(images[0])
    channels = [first.data]
    for path in images[1:]:
        channel = onto(read_volume(path), first)
        if np.isnan(channel).all():
            msg = f"{path} lies nowhere in {first.path}; expected channels of one examination"
            raise InputError(msg)
        channels.append(channel)
    return first, np.stack(channels)


def read_pair(case: Case) -> tuple[Volume, NDArray[np.float32], Volume]:
    """Read a case: its first image, all channels on that grid, and the mask on the same grid.

    Raises
    ------
    InputError
        A file cannot be used, or the mask is not on the image's grid; names the case.
    """
    try:
        first, channels = read_images(case.images)
        mask = read_mask(case.mask)
        check_same_grid(first, mask)
    except InputError as error:
        error.add_note(f"case: {case.name}")
        raise
    return first, channels, replace(mask, affine=first.affine)


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


def _case(table: Path, line: int, row: dict[str, str | None], channels: list[str]) -> Case:
    entries = {name: (row.get(name) or "").strip() for name in {*COLUMNS, *channels}}
    if empty := [name for name in ("case", "image", "mask", *channels[1:]) if not entries[name]]:
        msg = f"{table}, line {line}: no entry under {', '.join(dict.fromkeys(empty))}; fill it in"
        raise InputError(msg)
    files = {name: table.parent / entries[name] for name in (*channels, "mask")}
    for name, file in files.items():
        if not file.exists():
            msg = (
                f"{table}, line {line}, column {name}: there is no file {file}. Paths are relative to the "
                "folder of the table"
            )
            raise InputError(msg)
    return Case(
        entries["case"],
        entries["site"] or "-",
        tuple(files[name] for name in channels),
        files["mask"],
    )
