"""The part of the page that says how masks were made, of which files and with what."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from cellgan.report import page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cellgan.segmentation.pairs import Pair
    from cellgan.segmentation.sidecar import Sidecar

_PROGRAMS = ("cellgan", "torch", "nibabel", "numpy", "scipy")
_DIGITS = 16  # of a file's SHA-256
UNKNOWN = (
    "Nothing beside these masks says how they were made: cellgan segment predict writes X_mask.json for it."
)


def provenance(pairs: Sequence[Pair], notes: Mapping[str, Sidecar]) -> page.Section:
    """Say what was scored, and how it was made.

    Parameters
    ----------
    pairs
        The masks that were scored.
    notes
        What stands beside each predicted mask, by case.
    """
    columns = (
        page.Column("Case"),
        page.Column("Predicted", look="code"),
        page.Column("Truth", look="code"),
        page.Column("Image", look="code"),
    )
    rows = tuple(
        (
            page.Cell(pair.case),
            page.Cell(_named(pair.predicted)),
            page.Cell(_named(pair.truth)),
            page.Cell("–" if pair.image is None else _named(pair.image)),
        )
        for pair in pairs
    )
    table = page.Table("Files, with the first digits of their SHA-256", columns, rows)
    software = page.Terms(tuple((name, _version(name)) for name in _PROGRAMS))
    return page.Section(
        "How this was made",
        (
            *_models(list(notes.values())),
            page.Details("Files", (table,)),
            page.Details("Software that scored the masks", (software,)),
        ),
    )


def _models(notes: list[Sidecar]) -> tuple[page.Block, ...]:
    if not notes:
        return (page.Text(UNKNOWN),)
    made: list[page.Block] = []
    seen: dict[str, dict[str, Any]] = {}
    for note in notes:
        model = {name: value for name, value in note.about["model"].items() if name != "losses"}
        seen.setdefault(repr(model), model)
    facts = _settings(notes[0], next(iter(seen.values())))
    if len(seen) == 1:
        made.append(page.Details("Settings", (page.Terms(facts),)))
    else:
        made.append(page.Text(f"The masks are those of {len(seen)} models; the first one’s settings:"))
        made.append(page.Details("Settings", (page.Terms(facts),)))
    table = page.Table(
        "Which model was trained on which cases",
        (page.Column("Model", look="number"), page.Column("Cases", look="number"), page.Column("Trained on")),
        tuple(
            (
                page.Cell(str(number), number),
                page.Cell(str(len(names)), len(names)),
                page.Cell(", ".join(names)),
            )
            for number, names in enumerate((model.get("cases", []) for model in seen.values()), start=1)
        ),
    )
    made.append(page.Details("Training cases", (table,)))
    return tuple(made)


def _settings(note: Sidecar, model: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    config = {name: value for name, value in model.get("config", {}).items() if name != "pixel"}
    return (
        *((name, str(value)) for name, value in config.items() if value is not None),
        ("pixel", f"{model.get('pixel', 0):g} mm"),
        ("labels", str(model.get("labels", "–"))),
        ("pieces", str(note.about.get("pieces", "all"))),
        ("trained by cellgan", str(model.get("version", "–"))),
        ("with torch", str(model.get("torch", "–"))),
    )


def _named(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGITS]
    return f"{path} · {digest}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "–"
