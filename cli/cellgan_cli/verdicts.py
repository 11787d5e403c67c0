"""What the screen says of a finished alignment: a verdict a batch, and what to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellgan.cytof.batch_warnings import chosen_and_before
from cellgan.cytof.verdict import WORDS
from cellgan.cytof.wording import called, novel_cells
from cellgan.report.numbers import decimal, listing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellgan_cli.screen import Screen

WIDEST = max(map(len, WORDS.values()))
IN_FULL = 3  # batches whose verdicts are said in whole sentences


def say_verdicts(report: Mapping[str, Any], screen: Screen) -> None:
    """Say how each batch went and what to look at; quiet or not, which one is not to be used.

    Parameters
    ----------
    report
        Of the alignment. Each of more than three batches has one line, and the warnings come after them.
    screen
        Where to.
    """
    batches = report["batches"]
    if len(batches) <= IN_FULL:
        for batch in batches:
            _say(batch, _in_full(batch), screen)
            for warning in batch["warnings"]:
                screen.say(f"  warning: {warning}")
    else:
        width = max(len(batch["batch"]) for batch in batches)
        for batch in batches:
            _say(batch, _in_one_line(batch, width), screen)
        for warning, names in _warned(batches).items():
            screen.say(f"warning, {listing(names)}: {warning}")
    for warning in report["warnings"]:
        screen.say(f"warning: {warning}")


def _warned(batches: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Gather warnings: what several batches share, such as a small reference, is said once."""
    found: dict[str, list[str]] = {}
    for batch in batches:
        for warning in batch["warnings"]:
            found.setdefault(warning, []).append(batch["batch"])
    return found


def _say(batch: Mapping[str, Any], line: str, screen: Screen) -> None:
    say = screen.insist if batch["verdict"]["level"] == "poor" else screen.say
    say(line)


def _in_full(batch: Mapping[str, Any]) -> str:
    verdict = batch["verdict"]
    return f"{batch['batch']} -> {called(batch['reference'])}: {WORDS[verdict['level']]}. {verdict['text']}"


def _in_one_line(batch: Mapping[str, Any], width: int) -> str:
    """Set words and numbers below each other; sentences are in the report, but for what is not to be used."""
    verdict, who = batch["verdict"], f"{batch['batch']:<{width}} -> {called(batch['reference'])}"
    words = WORDS[verdict["level"]]
    if verdict["level"] == "poor":
        return f"{who}: {words}. {verdict['text']}"
    used, before = chosen_and_before(batch)
    changed = f"{decimal(before.get('emd'))} -> {decimal(used.get('emd'))} SD"
    return f"{who}: {words:<{WIDEST}}  distance {changed}, without counterpart: {novel_cells(batch)}"
