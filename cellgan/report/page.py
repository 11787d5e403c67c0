"""What stands on a page, and the page itself.

A page is a tuple of blocks: plain frozen dataclasses. Every string in them is text, and is escaped when the
page is written; only drawings pass as they are (:class:`markupsafe.Markup`, from
:mod:`cellgan.report.charts`).
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import ClassVar, Literal

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

Tone = Literal["good", "caution", "poor", "neutral"]


@dataclass(frozen=True)
class Banner:
    """A verdict: a few words, then a sentence or two."""

    kind: ClassVar[str] = "banner"
    tone: Tone
    headline: str
    text: str


@dataclass(frozen=True)
class Notes:
    """Things to know, one a line."""

    kind: ClassVar[str] = "notes"
    title: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Link:
    """Words that lead to another place on the page."""

    kind: ClassVar[str] = "link"
    text: str
    anchor: str


@dataclass(frozen=True)
class Tile:
    """One number that matters, what it is, and what to hold it against."""

    label: str
    value: str
    detail: str


@dataclass(frozen=True)
class Tiles:
    """A row of numbers that matter."""

    kind: ClassVar[str] = "tiles"
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Legend:
    """What the colours of the figures below mean: swatch drawings and labels."""

    kind: ClassVar[str] = "legend"
    entries: tuple[tuple[Markup, str], ...]


@dataclass(frozen=True)
class Figure:
    """A drawing with a title over it and a line under it."""

    drawing: Markup
    title: str
    caption: str = ""
    flag: str = ""


@dataclass(frozen=True)
class Gallery:
    """Figures side by side, as many as the window holds."""

    kind: ClassVar[str] = "gallery"
    figures: tuple[Figure, ...]
    size: Literal["small", "medium", "thirds", "halves", "large"] = "medium"


@dataclass(frozen=True)
class Column:
    """A table's column."""

    title: str
    sortable: bool = True
    look: Literal["", "number", "code"] = ""


@dataclass(frozen=True)
class Cell:
    """What a cell of a table shows, what it is sorted by if that differs, and where it leads on the page."""

    shown: str | Markup
    key: float | None = None
    anchor: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under columns; those in ``strong`` are set off."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    strong: frozenset[int] = frozenset()
    anchor: str = ""


@dataclass(frozen=True)
class Terms:
    """Words and what they mean, or names and values."""

    kind: ClassVar[str] = "terms"
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Beside:
    """A formula, and beside it the lines that compute it."""

    kind: ClassVar[str] = "beside"
    formula: str
    name: str
    lines: str


@dataclass(frozen=True)
class Details:
    """Blocks that open on a click, and in print."""

    kind: ClassVar[str] = "details"
    summary: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Section:
    """Blocks under a heading."""

    kind: ClassVar[str] = "section"
    title: str
    blocks: tuple[Block, ...]
    anchor: str = ""


Block = Banner | Notes | Text | Link | Tiles | Legend | Gallery | Table | Terms | Beside | Details | Section


@dataclass(frozen=True)
class Page:
    """A whole page."""

    title: str
    kicker: str
    subtitle: str
    blocks: tuple[Block, ...]
    footer: str


def made_by(version: str) -> str:
    """Return the footer of a page that has its numbers beside it."""
    return f"Made by cellgan {version}. The JSON file beside this page holds the same numbers."


def render(page: Page) -> str:
    """Write a page as one HTML document that fetches nothing.

    A content security policy forbids every fetch, and every script but the page's own: should a name of a
    stranger's ever get past the escaping, it still could not run.

    Parameters
    ----------
    page
        What the page holds.

    Returns
    -------
    The document; the same page gives the same text.
    """
    here = files("cellgan.report")
    style, script = (here.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Autoescape is what stands between a marker's name and the page: it is on for everything.
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(here.joinpath("page.html.jinja").read_text(encoding="utf-8"))
    # The page's own two files, not anybody's input.
    own = {"style": Markup(style), "script": Markup(script)}  # noqa: S704
    return template.render(page=page, digest=digest, **own)
