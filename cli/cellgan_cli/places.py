"""Where results go, and whether they can, before anything heavy is loaded."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cellgan.atomic import check_output
from cellgan.errors import ConfigError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Places:
    """The files that one alignment writes.

    Attributes
    ----------
    data
        The aligned cells: an .h5ad file, a .zarr store, or a folder that gets one .fcs file per batch.
    model
        The model.
    report
        The report; its numbers go beside it as JSON. None writes no report.
    is_folder
        Whether `data` is a folder.
    """

    data: Path
    model: Path
    report: Path | None
    is_folder: bool

    @property
    def files(self) -> tuple[Path, ...]:
        """Every single file that will be written; the .fcs files in a folder are not known beforehand."""
        data = () if self.is_folder else (self.data,)
        report = () if self.report is None else (self.report, self.report.with_suffix(".json"))
        return (*data, self.model, *report)


def plan(output: str, *, model: Path | None, report: Path | None, no_report: bool) -> Places:
    """Decide where every result goes.

    Parameters
    ----------
    output
        What the user typed: a name ending in .h5ad or .zarr, or a folder.
    model, report
        Other places than the ones beside the output.
    no_report
        Write no report.

    Raises
    ------
    ConfigError
        The names do not say what to write, or two results would go to one file.
    """
    data = Path(output)
    is_store = data.suffix == ".zarr"  # a folder that is one result
    is_folder = not is_store and (data.is_dir() or output.endswith(("/", os.sep)) or not data.suffix)
    if not is_folder and data.suffix not in {".h5ad", ".zarr"}:
        msg = (
            f"--output is {output!r}; expected a name that ends in .h5ad or .zarr, or a folder for .fcs "
            f"files (one per batch): end the folder's name in '/'"
        )
        raise ConfigError(msg)
    if is_folder and data.suffix.lower() in {".h5ad", ".fcs"}:
        msg = (
            f"--output {output!r} is a folder with the name of a file; expected an .h5ad file, or a folder "
            f"whose name does not end in {data.suffix}"
        )
        raise ConfigError(msg)
    if no_report and report is not None:
        msg = f"--no-report and --report {report} say opposite things; give one of them"
        raise ConfigError(msg)
    if report is not None and report.suffix != ".html":
        msg = f"--report is {str(report)!r}; expected a name that ends in .html"
        raise ConfigError(msg)
    beside = data / "aligned" if is_folder else data.with_suffix("")
    places = Places(
        data=data,
        model=model or Path(f"{beside}.model"),
        report=None if no_report else report or Path(f"{beside}.html"),
        is_folder=is_folder,
    )
    whole = [path.resolve() for path in places.files]
    for path, same in zip(places.files, whole, strict=True):
        if whole.count(same) > 1:
            msg = f"two results would be written to {path}; give each of them a name of its own"
            raise ConfigError(msg)
    return places


def check_places(places: Places, *, inputs: Sequence[Path], overwrite: bool) -> None:
    """See that all results can be written, and that none replaces an input or, unasked, an older result.

    Raises
    ------
    OutputError
        Something is in the way.
    """
    if places.is_folder:
        check_folder(places.data, inputs=inputs, overwrite=overwrite)
    for path in places.files:
        # The folder that is the output is made, and empty then; every other one must be there.
        made = places.is_folder and path.parent.resolve() == places.data.resolve()
        if path.parent.is_dir() or not made:
            check_output(path, inputs=inputs, overwrite=overwrite)


def check_folder(folder: Path, *, inputs: Sequence[Path], overwrite: bool) -> None:
    """See that a folder can take results, or be made to take them.

    Raises
    ------
    OutputError
        It is no folder, holds an input, or holds files that nobody allowed to be replaced.
    """
    if not folder.is_dir():
        if folder.exists():
            msg = f"{folder} is a file; expected a folder, to write several files into"
            raise OutputError(msg)
        check_output(folder)  # asks whether something can be made here
        return
    for path in inputs:
        if path.resolve().parent.samefile(folder):
            msg = f"the input {path} lies in the output folder {folder}; choose a folder of its own"
            raise OutputError(msg)
    if not overwrite and any(folder.iterdir()):
        msg = f"the folder {folder} is not empty; choose another, or replace its files with --overwrite"
        raise OutputError(msg)


def check_unfinished(path: Path, *, resume: bool, overwrite: bool) -> None:
    """See that what a run that was stopped has left is not thrown away unasked.

    Raises
    ------
    OutputError
        It is there, and nobody said whether to go on with it.
    """
    if path.exists() and not (resume or overwrite):
        msg = (
            f"{path} exists already: a run that was stopped left it. Go on with that run (--resume), start "
            "anew (--overwrite), or write elsewhere"
        )
        raise OutputError(msg)


@contextmanager
def resumable(path: Path) -> Iterator[None]:
    """Note on a Ctrl-C how the run goes on, if by then there is something at `path` to go on from."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        if path.exists():
            stopped.add_note(
                f"{path} keeps what was done: the same command with --resume goes on from there."
            )
        raise
