from __future__ import annotations

import io
import sys

import pytest

from cellgan_cli.screen import Screen


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
