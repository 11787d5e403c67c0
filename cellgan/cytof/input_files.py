"""The files that were named as input: are they there, what are they, and what are their batches called."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from cellgan.cytof.config import CONSENSUS
from cellgan.cytof.fcs_write import unique
from cellgan.cytof.zarr_store import check_store, is_zarr
from cellgan.errors import CellganError, ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Format: TypeAlias = Literal["h5ad", "zarr", "fcs"]


@contextmanager
def naming(source: Path | str) -> Iterator[None]:
    """Add the name of the file or batch to the errors of a block."""
    try:
        yield
    except CellganError as error:
        error.add_note(f"in {source}")
        raise
    except OSError as error:
        msg = f"the file cannot be read: {error.strerror or error}"
        problem = InputError(msg)
        problem.add_note(f"in {source}")
        raise problem from error


def file_format(path: Path) -> Format:
    """Tell a file's format from its suffix.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        ``h5ad``, ``zarr`` or ``fcs``.

    Raises
    ------
    InputError
        It is none of them.
    """
    suffix = path.suffix.lower()
    if suffix == ".h5ad":
        return "h5ad"
    if suffix == ".zarr":
        return "zarr"
    if suffix == ".fcs":
        return "fcs"
    msg = (
        f"the suffix is {path.suffix!r}; expected .h5ad, .zarr or .fcs: convert the file, or give it its "
        "right name"
    )
    raise InputError(msg)


def check_name(name: str, what: str) -> None:
    """Check that a name can go into other files' names, pages and tables.

    Parameters
    ----------
    name
        Of a batch or a file.
    what
        What it names, for the message.

    Raises
    ------
    InputError
        It is blank, or holds a control character or one that is not Unicode.
    """
    bad = sorted({letter for letter in name if unicodedata.category(letter) in {"Cc", "Cs"}})
    if bad or not name.strip():
        why = f"it holds {', '.join(map(repr, bad))}" if bad else "it is blank"
        msg = f"{what} {name!r} cannot be used as a name: {why}; rename it with plain letters and digits"
        raise InputError(msg)


def check_file(path: Path) -> None:
    """Check that `path` is a file of a known format that is not empty.

    Raises
    ------
    InputError
        It is missing, a folder, empty, or of another format; or its name is not plain text.
    """
    check_name(str(path), "the file")
    if not path.exists():
        msg = f"there is no file {str(path)!r}: check the spelling and the folder"
        raise InputError(msg)
    if path.is_dir() and is_zarr(path):
        with naming(path):
            check_store(path)
        return
    if not path.is_file():
        msg = f"{str(path)!r} is not a file; give an .h5ad or .fcs file, or a .zarr folder"
        raise InputError(msg)
    with naming(path):
        if file_format(path) == "zarr":
            msg = "a zarr store is a folder, and this is a file: unpack it, or give it its right name"
            raise InputError(msg)
        if path.stat().st_size == 0:
            msg = "the file is empty (0 bytes): copy or download it again"
            raise InputError(msg)


def check_files(paths: Sequence[Path]) -> None:
    """Check every file, and that none is given twice under whatever spelling.

    Raises
    ------
    InputError
        A file cannot be used, or is another one again.
    """
    for path in paths:
        check_file(path)
    for i, path in enumerate(paths):
        for earlier in paths[:i]:
            if path.samefile(earlier):
                told = repr(str(path)) if path == earlier else f"{str(earlier)!r} is {str(path)!r}"
                msg = f"the same file was given twice: {told}; expected files with other cells"
                raise InputError(msg)


def batch_names(paths: Sequence[Path]) -> tuple[str, ...]:
    """Name batches after their files; files of one name in several folders get the folder's name in front.

    Raises
    ------
    InputError
        A name is blank, or holds a control character.
    """
    count = Counter(path.stem for path in paths)
    names = unique(
        f"{path.resolve().parent.name}_{path.stem}" if count[path.stem] > 1 else path.stem for path in paths
    )
    for name in names:
        check_name(name, "the batch")
    return names


def batch_of(typed: str, paths: Sequence[Path]) -> str:
    """Return the name of the batch that a user means by ``--reference``.

    Parameters
    ----------
    typed
        The batch's name; or its file, as a path or by its name with the ending; or ``consensus``, which is
        returned as it is.
    paths
        The files of all batches.

    Raises
    ------
    ConfigError
        It is none of them, could be several, or is a batch of the name ``consensus``.
    """
    names = batch_names(paths)
    if typed == CONSENSUS and CONSENSUS not in names:
        return typed
    meant = (
        {typed} & set(names)
        or {
            name
            for name, path in zip(names, paths, strict=True)
            if typed == str(path) or (path.exists() and Path(typed).exists() and path.samefile(typed))
        }
        or {name for name, path in zip(names, paths, strict=True) if typed == path.name}
    )
    if len(meant) != 1:
        what = f"{typed!r} could be {' or '.join(sorted(meant))}" if meant else f"there is no {typed!r}"
        msg = f"--reference: {what}; the batches are {', '.join(names)}: name one of these"
        raise ConfigError(msg)
    if meant == {CONSENSUS}:
        msg = (
            f"--reference {typed}: {CONSENSUS!r} stands for a frame that is made from all batches, but one "
            "of the batches is called so: give its file another name"
        )
        raise ConfigError(msg)
    return meant.pop()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal; of a folder, that of its list of files with theirs."""
    if path.is_dir():
        digest = hashlib.sha256()
        for each in sorted(each for each in path.rglob("*") if each.is_file()):
            digest.update(f"{file_sha256(each)}  {each.relative_to(path).as_posix()}\n".encode())
        return digest.hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
