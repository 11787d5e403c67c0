"""Whether a page and its JSON can be written, asked before any work is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellgan.atomic import check_output
from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def check_report(path: Path, *, inputs: Iterable[Path] = (), overwrite: bool = False) -> None:
    """See that the page and its JSON can be written, before any work is done.

    Raises
    ------
    ConfigError
        The name does not end in ``.html``.
    OutputError
        Something is in the way.
    """
    if path.suffix != ".html":
        msg = f"cannot write the report to {path}: expected a name that ends in .html"
        raise ConfigError(msg)
    for file in (path, path.with_suffix(".json")):
        check_output(file, inputs=inputs, overwrite=overwrite)
