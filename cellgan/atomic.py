"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cellgan.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# HDF5 may report a failed write as a RuntimeError without errno; the number stands only in its text.
_WRITE_FAILED = ("errno = ", "No space left", "write failed", "unable to flush", "Can't decrement id ref")

FOLDERS = {".zarr"}  # suffixes of folders that are one result; others are never replaced
FOLDER_SIGNS = (".zgroup", "zarr.json")


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place when the block ends well.

    On any exception, Ctrl-C included, the temporary file is removed and an older file at `path` stays as it
    was. A link is followed: the file that it points to is replaced.

    Parameters
    ----------
    path
        Where the file shall appear. Its folder must exist.

    Yields
    ------
    Path
        An empty file in the same folder, with the same suffix.

    Raises
    ------
    OutputError
        The folder is missing or not writable, or the disk is full. Only writing belongs into the block: every
        OSError that leaves it is taken for a failed write.
    """
    target = Path(path).resolve()
    part = target.with_name(f".{target.stem}-{secrets.token_hex(4)}.part{target.suffix}")
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        part.touch(exist_ok=False)
        try:
            yield part
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise _explained(error, Path(path)) from error
    except RuntimeError as error:
        if not any(sign in str(error) for sign in _WRITE_FAILED):
            raise
        raise _explained(error, Path(path)) from error


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path` that takes its place when the block ends well.

    It is as `atomic` for files, but for one thing: between two renamings, for less than a millisecond, an
    older folder lies beside `path` under a hidden name, and nothing at `path`.

    Parameters
    ----------
    path
        Where the folder shall appear. The one that it is to lie in must exist.

    Yields
    ------
    Path
        An empty folder in the same one, with the same suffix.

    Raises
    ------
    OutputError
        See `atomic`.
    """
    target = Path(path).resolve()
    number = secrets.token_hex(4)
    part, old = (
        target.with_name(f".{target.stem}-{number}.{word}{target.suffix}") for word in ("part", "old")
    )
    try:
        part.mkdir()
        try:
            yield part
            if target.exists():
                target.rename(old)
            part.rename(target)
        finally:
            if old.exists() and not target.exists():
                old.rename(target)
            for remains in (part, old):
                shutil.rmtree(remains, ignore_errors=True)
    except OSError as error:
        raise _explained(error, Path(path)) from error


def check_output(path: Path, *, inputs: Iterable[Path] = (), overwrite: bool = False) -> None:
    """Stop before any work is done if `path` cannot become an output.

    Parameters
    ----------
    path
        The file to be written.
    inputs
        Files that must not be overwritten, under whatever spelling.
    overwrite
        Whether a file that is there already may be replaced.

    Raises
    ------
    OutputError
        `path` is one of the inputs, exists already, is a folder, or its folder is missing or not writable.
    """
    path = Path(path)
    for source in inputs:
        if path.exists() and Path(source).exists() and path.samefile(source):
            msg = f"the output {path} is also an input, and inputs are never changed: give another name"
            raise OutputError(msg)
    is_store = path.suffix.lower() in FOLDERS  # a folder that is one result, like a file
    if path.exists() and (is_store or not path.is_dir()) and not overwrite:
        msg = f"the output {path} exists already: give another name, or allow it to be replaced (--overwrite)"
        raise OutputError(msg)
    probe = path.resolve().with_name(f".{path.stem}-{secrets.token_hex(4)}.probe")
    try:
        if path.is_dir() and not (is_store and any((path / sign).is_file() for sign in FOLDER_SIGNS)):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        # Only writing tells: permission bits say nothing on a read-only or network disk.
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise _explained(error, path) from error


def make_folder(folder: Path) -> None:
    """Make a folder for results if it is not there; the one that it is to lie in must be.

    Raises
    ------
    OutputError
        It cannot be made.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        if isinstance(error, FileExistsError):
            why = "there is a file of this name: give another name"
        elif not folder.parent.is_dir():
            why = f"the folder {folder.parent} does not exist: make it first, or write elsewhere"
        else:
            why = f"{error.strerror}: write elsewhere"
        msg = f"cannot make the folder {folder}: {why}"
        raise OutputError(msg) from error


def _explained(error: Exception, path: Path) -> OutputError:
    number = getattr(error, "errno", None)
    if number == errno.ENOSPC or "errno = 28" in str(error) or "No space left" in str(error):
        why = "the disk is full: free some space, or write elsewhere"
    elif number in {errno.EACCES, errno.EPERM, errno.EROFS}:
        why = f"the folder {path.parent} is not writable: change its permissions, or write elsewhere"
    elif number == errno.EISDIR:
        why = "it is a folder: give the name of a file in it"
    elif not path.parent.is_dir():
        why = f"the folder {path.parent} does not exist: make it first, or write elsewhere"
    else:
        why = f"the system says: {error}"
    return OutputError(f"cannot write {path}: {why}")
