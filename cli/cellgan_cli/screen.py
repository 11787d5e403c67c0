"""What a person sees on stderr while a command runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

WIDTH = 24


class Screen:
    """Lines for people, and below them a progress bar if stderr is a terminal.

    Parameters
    ----------
    quiet
        Say only what must not be missed; errors are not said through the screen.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.has_bar = not quiet and sys.stderr.isatty()
        self._drawn = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wipe()

    def say(self, line: str) -> None:
        """Write one line; the bar moves below it."""
        if not self.quiet:
            self.insist(line)

    def insist(self, line: str) -> None:
        """Write one line that nobody may miss, quiet or not."""
        self._wipe()
        click.echo(line, err=True)

    def progress(self, stage: str, fraction: float) -> None:
        """Draw the bar of a stage that is done by `fraction`, from 0 to 1."""
        if not self.has_bar:
            return
        done = min(max(fraction, 0.0), 1.0)
        full = round(done * WIDTH)
        bar = f"[{'#' * full}{'.' * (WIDTH - full)}] {done:4.0%}  {stage}"
        if bar != self._drawn:  # thousands of rounds make a few hundred different bars
            click.echo(f"\r\x1b[K{bar}", err=True, nl=False)
            self._drawn = bar

    def _wipe(self) -> None:
        if self._drawn:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._drawn = ""


def list_files(paths: list[Path]) -> None:
    """Write the paths to stdout, one a line, for scripts."""
    for path in paths:
        click.echo(path)
