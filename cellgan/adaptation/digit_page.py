"""The page and the table of the digits benchmark."""

from __future__ import annotations

from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from cellgan.report import page
from cellgan.report.numbers import decimal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PAPER = {("mnist", "usps"): (0.752, 0.894), ("usps", "mnist"): (0.571, 0.901)}
"""Source only, and ADDA: table 2 of Tzeng et al. (2017), as it is cited elsewhere."""


def summarise(runs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each direction: means over seeds, and what must not be hidden in them."""
    found = []
    for direction in dict.fromkeys((run["source"], run["target"]) for run in runs):
        own = [run for run in runs if (run["source"], run["target"]) == direction]
        gains = [run["adapted"]["sample"] - run["source_only"]["sample"] for run in own]
        found.append(
            {
                "source": direction[0],
                "target": direction[1],
                "seeds": len(own),
                "source only": _spread([run["source_only"]["sample"] for run in own]),
                "adapted": _spread([run["adapted"]["sample"] for run in own]),
                "adapted, unseen": _spread([run["adapted"]["unseen"] for run in own]),
                "source only, unseen": _spread([run["source_only"]["unseen"] for run in own]),
                "trained on target, unseen": _spread([run["trained_on_target"] for run in own]),
                "best candidate": _spread([max(run["candidates"]) for run in own]),
                "last candidate": _spread([run["candidates"][-1] for run in own]),
                "least gain": min(gains),
                "paper": PAPER[direction],
            }
        )
    return found


def as_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table as lines for a terminal."""
    lines = []
    for row in rows:
        lines.append(
            f"{row['source']} to {row['target']}, {row['seeds']} seeds: accuracy on the target sample"
        )
        paper = {"source only": row["paper"][0], "adapted": row["paper"][1]}
        for name in ("source only", "adapted", "adapted, unseen", "trained on target, unseen"):
            beside = f"   paper {paper[name]:.3f}" if name in paper else ""
            lines.append(f"  {name:28} {_shown(row[name])}{beside}")
        lines.append(f"  {'least gain of a seed':28} {row['least gain']:+.3f}")
    return "\n".join(lines) + "\n"


def digit_page(runs: Sequence[Mapping[str, Any]], version: str) -> page.Page:
    """Lay out the benchmark."""
    rows = summarise(runs)
    worst = min(row["least gain"] for row in rows)
    verdict = page.Banner(
        "good" if worst >= 0 else "poor",
        "No seed lost by adapting" if worst >= 0 else "A seed lost by adapting",
        "Accuracy of target digits, whose labels nothing was trained or chosen by.",
    )
    names = [name for name in rows[0] if name not in {"source", "target", "paper"}]
    titles = ("Direction", *(name.capitalize() for name in names))
    table = page.Table(
        "Means over seeds, ± SD. Unseen: target digits outside of the sample that was adapted to.",
        tuple(page.Column(title, look="number" if k else "") for k, title in enumerate(titles)),
        tuple(
            (
                page.Cell(f"{row['source']} to {row['target']}"),
                *(page.Cell(_shown(row[name])) for name in names),
            )
            for row in rows
        ),
    )
    return page.Page(
        title="MNIST and USPS, without the other’s labels",
        kicker="Adaptation benchmark",
        subtitle="2,000 MNIST and 1,800 USPS digits a run, as in the adaptation papers.",
        blocks=(verdict, table),
        footer=f"Made by cellgan {version}. The JSON file beside this page holds every run.",
    )


def _spread(values: Sequence[float]) -> tuple[float, float]:
    return mean(values), stdev(values) if len(values) > 1 else 0.0


def _shown(value: Any) -> str:  # noqa: ANN401 - a mean with its SD, or a number
    if isinstance(value, tuple | list):
        return f"{decimal(value[0], 3)} ± {decimal(value[1], 3)}"
    return decimal(value, 3) if isinstance(value, float) else str(value)
