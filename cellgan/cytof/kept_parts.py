"""Parts of a long run, kept on disk, so that the same run goes on where it was stopped."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from cellgan.atomic import atomic, make_folder
from cellgan.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RUN = "run.json"
PART = re.compile(r"part_\d{4}\.json")
BEGUN = re.compile(r"\.(run|part_\d{4})-[0-9a-f]{8}\.part\.json")  # by a run that was killed
SUFFIX = ".parts"


class KeptParts(NamedTuple):
    """A folder with one JSON file a part, and one that says what run they belong to.

    Attributes
    ----------
    folder
        Where.
    """

    folder: Path

    @classmethod
    def beside(cls, path: Path) -> KeptParts:
        """Return the folder that belongs to a result."""
        return cls(path.with_suffix(SUFFIX))

    def open(self, run: Mapping[str, Any]) -> dict[int, Any]:
        """Make the folder ready, and return the parts of this very run that are there, by number.

        Parameters
        ----------
        run
            What decides about the results, as JSON can hold it. Parts of another run are thrown away.

        Raises
        ------
        OutputError
            The folder cannot be made, or holds something else.
        """
        if self.folder.is_dir() and (strangers := [p.name for p in self._files() if not _is_ours(p)]):
            msg = (
                f"the folder {self.folder} is where parts of the run are kept, but it holds {strangers[0]}: "
                "move that away, or give the report another name"
            )
            raise OutputError(msg)
        make_folder(self.folder)
        if _read(self.folder / RUN) != run:
            self._clear()
            self._write(RUN, run)
        found = {
            int(path.stem.split("_")[1]): _read(path) for path in self._files() if PART.fullmatch(path.name)
        }
        return {number: part for number, part in found.items() if part is not None}

    def keep(self, number: int, part: Mapping[str, Any]) -> None:
        """Keep a part; it is there whole or not at all."""
        self._write(f"part_{number:04d}.json", part)

    def remove(self) -> None:
        """Remove all that was kept; the run is done."""
        self._clear()
        self.folder.rmdir()

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        with atomic(self.folder / name) as part:
            part.write_text(json.dumps(content) + "\n", encoding="utf-8", newline="\n")

    def _clear(self) -> None:
        # What the parts belong to goes first: without it, nobody takes them for another run's.
        for path in sorted(self._files(), key=lambda path: path.name != RUN):
            path.unlink()

    def _files(self) -> list[Path]:
        return list(self.folder.iterdir())


def _is_ours(path: Path) -> bool:
    return path.name == RUN or bool(PART.fullmatch(path.name) or BEGUN.fullmatch(path.name))


def _read(path: Path) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return what a file holds; None if that cannot be told."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError):
        return None
