"""Watchers: they look, save and stop a match; they cannot change the game."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Protocol, TextIO

import torch

from cellgan.core.checkpoint import save_match
from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Tensor

    from cellgan.core.match import Match


class RoundReport:
    """What a watcher is shown after a round.

    Parameters
    ----------
    match
        The match, to be saved or looked at.
    last_round
        The number of the last round that `play` was asked for.
    terms
        The terms of every player's last turn, as ``"player/term"``, on the device. Reading them makes the
        device wait; `values` does so once for all of them.
    """

    def __init__(self, match: Match, *, last_round: int, terms: Mapping[str, Tensor]) -> None:
        self.match = match
        self.round = match.round
        self.last_round = last_round
        self.terms = terms
        self._values: dict[str, float] | None = None

    def values(self) -> dict[str, float]:
        """Return the terms as numbers, fetched from the device in one go."""
        if self._values is None:
            numbers = torch.stack(list(self.terms.values())).tolist()
            self._values = dict(zip(self.terms, numbers, strict=True))
        return self._values


class Watcher(Protocol):
    """Anything that can be called with a report.

    Two attributes save time. ``wants(round, last_round)`` says whether a round is of interest. ``terms_only =
    True`` promises not to use the networks; for everybody else they are put into evaluation mode and back.
    """

    def __call__(self, report: RoundReport) -> None:
        """Look at a round that has ended."""
        ...


class StopPlay(Exception):
    """Raised by a watcher to end the match in good order."""


class every:
    """Watch every n-th round and the last.

    Parameters
    ----------
    n
        Rounds from look to look.
    watch
        What looks.
    """

    def __init__(self, n: int, watch: Watcher) -> None:
        if n < 1:
            msg = f"A watcher cannot look every {n} rounds; give a number of 1 or more."
            raise ConfigError(msg)
        self.n = n
        self.watch = watch
        self.terms_only: bool = getattr(watch, "terms_only", False)

    def wants(self, number: int, last_round: int) -> bool:
        """Tell whether this round is looked at."""
        return number % self.n == 0 or number == last_round

    def __call__(self, report: RoundReport) -> None:
        """Look, if it is time."""
        if self.wants(report.round, report.last_round):
            self.watch(report)


class History:
    """Keep the terms of the rounds that it is shown; ``every(10, History())`` keeps one in ten.

    Terms stay on the device until they are read, so that keeping them makes nobody wait.
    """

    terms_only = True
    _HELD = 1000  # rounds held as tensors before they are fetched, which bounds the memory

    def __init__(self) -> None:
        self._rounds: list[int] = []
        self._terms: dict[str, list[float]] = {}
        self._held: list[tuple[int, Mapping[str, Tensor]]] = []

    def __call__(self, report: RoundReport) -> None:
        """Keep a round."""
        self._held.append((report.round, report.terms))
        if len(self._held) >= self._HELD:
            self._fetch()

    def _fetch(self) -> None:
        if not self._held:
            return
        names = list(self._held[0][1])
        rows = (
            torch.stack([terms[name] for _, terms in self._held for name in names])
            .view(-1, len(names))
            .tolist()
        )
        for (number, _), row in zip(self._held, rows, strict=True):
            self._rounds.append(number)
            for name, value in zip(names, row, strict=True):
                self._terms.setdefault(name, []).append(value)
        self._held.clear()

    @property
    def rounds(self) -> list[int]:
        """The numbers of the rounds kept."""
        self._fetch()
        return self._rounds

    @property
    def terms(self) -> dict[str, list[float]]:
        """The terms by ``"player/term"``, one value a round kept."""
        self._fetch()
        return self._terms


class ProgressBar:
    """Show how far the match is, on a terminal only and about ten times a second.

    Parameters
    ----------
    stream
        Where to write; nothing is written unless it is a terminal. By default stderr.
    label
        Text before the bar.
    """

    terms_only = True
    _WIDTH = 24

    def __init__(self, stream: TextIO | None = None, *, label: str = "playing") -> None:
        self._stream = stream or sys.stderr
        self._shown = self._stream.isatty()
        self._label = label
        self._next = 0.0
        self._start: tuple[float, int] | None = None

    def wants(self, number: int, last_round: int) -> bool:
        """Tell whether it is time to draw."""
        return self._shown and (number == last_round or time.monotonic() >= self._next)

    def __call__(self, report: RoundReport) -> None:
        """Draw."""
        now = time.monotonic()
        if not self.wants(report.round, report.last_round):
            return
        self._next = now + 0.1
        self._start = self._start or (now, report.round)
        began, first = self._start
        done = report.round - first
        left = f"{(report.last_round - report.round) * (now - began) / done:4.0f} s left" if done else ""
        full = self._WIDTH * report.round // report.last_round
        bar = "█" * full + "░" * (self._WIDTH - full)
        end = "\n" if report.round == report.last_round else ""
        self._stream.write(f"\r{self._label} {bar} {report.round}/{report.last_round} {left:12}{end}")
        self._stream.flush()


class Told:
    """Tell a callable how far the match is.

    Parameters
    ----------
    say
        Called with the stage and the part of it that is done, from 0 to 1.
    stage
        Its name.
    """

    terms_only = True

    def __init__(self, say: Callable[[str, float], None], stage: str) -> None:
        self._say, self._stage = say, stage

    def __call__(self, report: RoundReport) -> None:
        """Tell."""
        self._say(self._stage, report.round / report.last_round)


class EarlyStop:
    """Stop once a score has not risen for a while; wrap it in `every` to score less often.

    Parameters
    ----------
    score
        From a report to a number; higher is better.
    patience
        Looks without a new best before the match ends.
    """

    def __init__(self, score: Callable[[RoundReport], float], *, patience: int) -> None:
        if patience < 1:
            msg = f"EarlyStop has patience={patience}; it must allow at least 1 look without a new best."
            raise ConfigError(msg)
        self._score = score
        self._patience = patience
        self.best = float("-inf")
        self.best_round = 0
        self._looks = 0

    def __call__(self, report: RoundReport) -> None:
        """Score a round, and stop the match if patience has run out."""
        value = self._score(report)
        self._looks += 1
        if value > self.best:
            self.best, self.best_round, self._looks = value, report.round, 0
        if self._looks >= self._patience:
            raise StopPlay


class SaveEvery:
    """Save the match every n rounds and after the last, each time over the file before.

    Parameters
    ----------
    n
        Rounds from save to save.
    path
        The file.
    """

    terms_only = True

    def __init__(self, n: int, path: Path) -> None:
        self._every = every(n, self._save)
        self._path = path

    def wants(self, number: int, last_round: int) -> bool:
        """Tell whether this round is saved."""
        return self._every.wants(number, last_round)

    def __call__(self, report: RoundReport) -> None:
        """Save, if it is time."""
        self._every(report)

    def _save(self, report: RoundReport) -> None:
        save_match(report.match, self._path)
