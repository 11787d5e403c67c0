"""Arrays from .npz files, of which nothing is ever unpickled."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_UNREADABLE = (OSError, ValueError, EOFError, zipfile.BadZipFile)


def read_npz(path: Path, names: Sequence[str]) -> list[NDArray[Any]]:
    """Read some arrays of a file.

    Parameters
    ----------
    path
        What ``numpy.savez`` wrote.
    names
        Of the arrays.

    Raises
    ------
    InputError
        The file cannot be read, lacks an array, or an array holds Python objects.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            there = _names(archive)
            if missing := [name for name in names if name not in there]:
                msg = (
                    f"{path} has no array {missing[0]!r} but {', '.join(there) or 'nothing'} "
                    f"({', '.join(missing)} missing); expected {' and '.join(names)}"
                )
                raise InputError(msg)
            found = []
            for name in names:
                with archive.open(f"{name}.npy") as file:
                    found.append(np.lib.format.read_array(file, allow_pickle=False))
            return found
    except _UNREADABLE as error:
        raise _refused(path, error) from error


def array_names(path: Path) -> list[str]:
    """Return the names of a file's arrays, in their order there.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _names(archive)
    except _UNREADABLE as error:
        raise _refused(path, error) from error


def _names(archive: zipfile.ZipFile) -> list[str]:
    return [name.removesuffix(".npy") for name in archive.namelist()]


def _refused(path: Path, error: Exception) -> InputError:
    return InputError(
        f"cannot read {path}: {error}. Expected an .npz file of plain arrays; make it with numpy.savez"
    )
