from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest

from cellgan_cli.screen import Screen
from cellgan_cli.verdicts import say_verdicts


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def as_terminal(monkeypatch):
    # Within the test, not in a fixture: pytest puts its own stream back before the test's body.
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def shown(text: str) -> list[str]:
    """What is left on the screen after carriage returns and wiped lines."""
    return [line.rsplit("\r\x1b[K", 1)[-1] for line in text.split("\n")]


def test_bar_is_drawn_below_the_lines_and_wiped_at_the_end(monkeypatch):
    terminal = as_terminal(monkeypatch)
    with Screen(quiet=False) as screen:
        screen.progress("playing", 0.25)
        assert shown(terminal.getvalue()) == ["[######..................]  25%  playing"]
        screen.say("a line")
        screen.progress("playing", 0.5)
    assert shown(terminal.getvalue()) == ["a line", ""]


def test_bar_is_wiped_when_an_error_passes(monkeypatch):
    terminal = as_terminal(monkeypatch)

    def stop():
        with Screen(quiet=False) as screen:
            screen.progress("playing", 0.5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert shown(terminal.getvalue()) == [""]


def test_same_bar_is_not_drawn_again(monkeypatch):
    terminal = as_terminal(monkeypatch)
    with Screen(quiet=False) as screen:
        screen.progress("playing", 0.5)
        before = terminal.getvalue()
        screen.progress("playing", 0.5001)
        assert terminal.getvalue() == before


def test_quiet_draws_nothing(monkeypatch):
    terminal = as_terminal(monkeypatch)
    with Screen(quiet=True) as screen:
        screen.progress("playing", 0.5)
        screen.say("a line")
    assert terminal.getvalue() == ""


def entry(name: str, level: str, *, novel: int = 0, warnings=(), reference: str = "day1") -> dict:
    scores = {"nothing": 0.6, "start": 0.1}
    return {
        "batch": name,
        "reference": reference,
        "n_cells": 2000,
        "novel": novel,
        "scores": [{"method": m, "emd": emd, "chosen": m == "start"} for m, emd in scores.items()],
        "verdict": {"level": level, "text": "Because."},
        "warnings": list(warnings),
    }


def lines(capsys, *batches: dict, quiet: bool = False) -> list[str]:
    say_verdicts({"batches": list(batches), "warnings": ["Mind this."]}, Screen(quiet=quiet))
    return capsys.readouterr().err.splitlines()


class Maps:
    """A model that has counted."""

    reference = "monday"

    def __init__(self, n_novel):
        self.n_novel = n_novel

    def map_file(self, source, output, *, batch):
        return self.n_novel

    def pick(self, batch):
        return batch


@pytest.mark.parametrize(
    ("n_novel", "added"),
    [
        (None, []),
        (0, ["none of them without counterpart in monday"]),
        (1200, ["1,200 (60 %) of them without counterpart in monday"]),
    ],
)
def test_map_says_how_many_cells_have_no_counterpart(monkeypatch, folder, cellgan, n_novel, added):
    source = SimpleNamespace(n_cells=2000, notes=["A note."])
    monkeypatch.setattr("cellgan.cytof.cell_file.open_for_map", lambda _: source)
    monkeypatch.setattr("cellgan.cytof.alignment.load", lambda _: Maps(n_novel))
    (folder / "m.model").write_text("model")
    result = cellgan("map", "m.model", "a.h5ad", "-o", "o.h5ad", "--batch", "tuesday")
    assert result.stderr.splitlines() == ["A note.", "2,000 cells mapped as tuesday onto monday", *added]


def test_few_batches_have_whole_sentences(capsys):
    batches = [entry("day2", "caution", warnings=["Odd."]), entry("day3", "good"), entry("day4", "good")]
    assert lines(capsys, *batches) == [
        "day2 -> day1: Look closer. Because.",
        "  warning: Odd.",
        "day3 -> day1: Good. Because.",
        "day4 -> day1: Good. Because.",
        "warning: Mind this.",
    ]


def test_many_batches_have_a_line_each_and_the_warnings_after(capsys):
    few = "day1 has 60 cells."
    batches = [
        entry("day2", "caution", novel=100, warnings=[few, "Odd."]),
        entry("day3", "good"),
        entry("day4", "poor", warnings=[few]),
        entry("monday", "nothing"),
    ]
    assert lines(capsys, *batches) == [
        "day2   -> day1: Look closer       distance 0.60 -> 0.10 SD, without counterpart: 100 (5.0 %)",
        "day3   -> day1: Good              distance 0.60 -> 0.10 SD, without counterpart: none",
        "day4   -> day1: Do not use. Because.",
        "monday -> day1: Nothing to align  distance 0.60 -> 0.10 SD, without counterpart: none",
        "warning, day2 and day4: day1 has 60 cells.",
        "warning, day2: Odd.",
        "warning: Mind this.",
    ]
    assert lines(capsys, *batches, quiet=True) == ["day4   -> day1: Do not use. Because."]


def test_what_could_not_be_measured_is_a_dash(capsys):
    batches = [entry(f"day{i}", "caution") for i in range(2, 6)]
    batches[0]["scores"] = []
    assert "distance – -> – SD" in lines(capsys, *batches)[0]


def test_the_consensus_is_called_so(capsys):
    (line, _) = lines(capsys, entry("day2", "good", reference="consensus"))
    assert line == "day2 -> the consensus: Good. Because."
