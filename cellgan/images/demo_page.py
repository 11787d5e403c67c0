"""The page of a demo, and its figures as JSON."""

from __future__ import annotations

import inspect
import json
import math
import textwrap
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from cellgan.images.demos import TITLES
from cellgan.images.drawings import lines
from cellgan.report.numbers import decimal
from cellgan.report.page import (
    Banner,
    Beside,
    Block,
    Cell,
    Column,
    Figure,
    Gallery,
    Notes,
    Page,
    Section,
    Table,
    Text,
    render,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cellgan.images.demo import Measure, Result, Run

FORMAT = 1
_VERSION = version("cellgan")


def as_json(name: str, run: Run) -> str:
    """Return the figures, the settings and the losses of a demo as JSON text."""
    result = run.result
    report: dict[str, Any] = {
        "format": FORMAT,
        "cellgan": _VERSION,
        "demo": name,
        "seed": run.seed,
        "rounds": run.rounds,
        "default_rounds": run.demo.rounds,
        "data": run.origin,
        "as_meant": run.as_meant,
        "passed": result.passed,
        "measures": [
            {
                "name": measure.name,
                "value": measure.value if math.isfinite(measure.value) else None,
                "real_against_real": measure.floor,
                "switched_off": measure.off,
                "at_least": measure.at_least,
                "at_most": measure.at_most,
                "passed": measure.passed,
            }
            for measure in result.measures
        ],
        "losses": {"round": result.played.rounds, **result.played.terms},
    }
    return json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_page(name: str, run: Run) -> str:
    """Return the page of a demo as one HTML document."""
    demo, result = run.demo, run.result
    blocks: list[Block] = [_banner(run)]
    if result.notes:
        blocks.append(Notes("Read this with it", result.notes))
    if result.played.samples:
        seen = Gallery(result.played.samples, size="thirds")
        blocks.append(Section("As the game goes on", (seen,)))
    if result.figures:
        blocks.append(Section("What this variant is for", (Gallery(result.figures, size="halves"),)))
    blocks += [_measures(result), _losses(result)]
    beside = tuple(Beside(formula, *_source(of)) for formula, of in demo.objectives)
    about = Text("Players descend the sum of the terms that their objectives return.")
    blocks.append(Section("The formula, and the lines that compute it", (about, *beside)))
    footer = (
        f"cellgan {_VERSION} · cellgan demo run {name} · seed {run.seed} · {run.rounds:,} rounds · "
        f"played on {run.origin}"
    )
    # Half of a title says what the demo's own data are.
    title = f"{TITLES[name].partition(':')[0]}, on {run.origin}" if run.given else TITLES[name]
    return render(Page(title, "cellgan demo", f"{demo.idea} {demo.paper}", tuple(blocks), footer))


def said(measure: Measure) -> str:
    """Return a bound in words."""
    if measure.at_least is not None:
        return f"at least {measure.at_least:g}"
    return f"at most {measure.at_most:g}" if measure.at_most is not None else "–"


def _banner(run: Run) -> Banner:
    tested = [measure for measure in run.result.measures if measure.tested]
    told = "; ".join(f"{m.name}: {_number(m.value)}, {said(m)}" for m in tested)
    if not run.as_meant:
        meant = f"The bounds are meant for {run.demo.rounds:,} rounds on the demo's own data"
        told = f"{told}. {meant}; this was {run.rounds:,} rounds on {run.origin}."
        kept = sum(measure.passed for measure in tested)
        return Banner("neutral", f"{kept} of {len(tested)} bounds kept, in a game of your own", told)
    if run.result.passed:
        return Banner("good", "It passed its test", f"{told}.")
    return Banner("caution", "It did not pass its test", f"{told}.")


def _measures(result: Result) -> Section:
    rows = tuple(
        (
            Cell(measure.name),
            Cell(_number(measure.value)),
            Cell(said(measure)),
            Cell(("passed" if measure.passed else "not passed") if measure.tested else "–"),
            Cell(_number(measure.floor)),
            Cell(_number(measure.off)),
            Cell(measure.meaning),
        )
        for measure in result.measures
    )
    columns = (
        Column("figure", sortable=False),
        Column("value", sortable=False, look="number"),
        Column("bound", sortable=False, look="number"),
        Column("test", sortable=False),
        Column("real data", sortable=False, look="number"),
        Column("off", sortable=False, look="number"),
        Column("what it is", sortable=False),
    )
    caption = (
        "Real data: the same figure of held-out real data in place of what was generated. "
        "Off: the same figure without what the demo is about."
    )
    return Section("The test", (Table(caption, columns, rows),))


def _losses(result: Result) -> Section:
    drawn = tuple(
        Figure(
            lines(result.played.rounds, {name: values}, alt=f"{name} by round"),
            name.replace("/", ": "),
            f"{_number(values[0])} to {_number(values[-1])}",
        )
        for name, values in result.played.terms.items()
    )
    return Section("Losses by round", (Gallery(drawn, size="small"),))


def _source(of: Callable[..., object]) -> tuple[str, str]:
    """Return where a function stands, and its lines."""
    lines_of, first = inspect.getsourcelines(of)
    place = f"{of.__module__.replace('.', '/')}.py, line {first}"
    return place, textwrap.dedent("".join(lines_of)).rstrip()


def _number(value: float | None) -> str:
    if value is not None and float(value).is_integer() and abs(value) < 1e6:
        return f"{value:,.0f}".replace("-", "−")
    if value is not None and 0 < abs(value) < 1e-3:
        return f"{value:.2g}".replace("-", "−")
    return decimal(value, 2 if value is not None and abs(value) >= 10 else 3)
