"""Where a demo plays its matches: it keeps losses, asks for drawings on the way, and tells how far it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cellgan.core import History, Match, Told, every, play
from cellgan.errors import ConfigError
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from cellgan.core.match import BatchSource
    from cellgan.core.player import Game
    from cellgan.core.watch import RoundReport
    from cellgan.images.image_data import Images

Progress = Callable[[str, float], None]
"""Told the stage, and the share of it that is done, from 0 to 1."""


def tell_nobody(_stage: str, _share: float) -> None:
    """Be the progress that nobody wants to hear of."""


_KEPT = 200  # losses kept of a match, evenly
_LOOKS = (0.02, 0.06, 0.15, 0.35, 0.65, 1.0)  # shares of the rounds after which samples are shown


@dataclass(frozen=True)
class Played:
    """What was kept of a match.

    Parameters
    ----------
    match
        The match after its last round.
    rounds
        Numbers of the rounds whose terms were kept.
    terms
        Their terms, by ``"player/term"``.
    samples
        What was shown on the way.
    """

    match: Match
    rounds: tuple[int, ...]
    terms: Mapping[str, tuple[float, ...]]
    samples: tuple[Figure, ...]


@dataclass(frozen=True)
class Stage:
    """What a demo is given to play with.

    Parameters
    ----------
    seed
        Of everything random. While a demo plays, torch's own stream starts from it as well.
    rounds
        Rounds of the demo's main match.
    images
        The images, for a demo that plays on images.
    progress
        Told how far a match is.
    """

    seed: int
    rounds: int
    images: Images | None = None
    progress: Progress = tell_nobody

    def pictures(self) -> Images:
        """Return the images of a demo that plays on some."""
        if self.images is None:
            msg = "This demo plays on images, and its stage has none; give `images`."
            raise ConfigError(msg)
        return self.images

    def play(
        self,
        game: Game,
        batches: BatchSource,
        *,
        rounds: int | None = None,
        show: Callable[[], Markup] | None = None,
        label: str = "playing",
    ) -> Played:
        """Play a match, and keep its losses and what it shows.

        Parameters
        ----------
        game
            The game; its networks are moved.
        batches
            Mini-batches.
        rounds
            By default those of the stage.
        show
            Draws what the networks generate; asked six times, in evaluation mode and without gradients. Use
            fixed noise, so that the drawings can be compared.
        label
            What the match is called on the progress bar.
        """
        last = self.rounds if rounds is None else rounds
        match, history, samples = Match(game, seed=self.seed), History(), Samples(show, last)
        play(
            match,
            batches,
            rounds=last,
            watchers=[every(math.ceil(last / _KEPT), history), Told(self.progress, label), samples],
        )
        terms = {name: tuple(values) for name, values in history.terms.items()}
        return Played(match, tuple(history.rounds), terms, tuple(samples.figures))


class Samples:
    """Draw what a match generates, early rounds more often than late ones."""

    def __init__(self, show: Callable[[], Markup] | None, last: int) -> None:
        self._show = show
        self._rounds = {math.ceil(share * last) for share in _LOOKS} if show else set()
        self.figures: list[Figure] = []

    def wants(self, number: int, last_round: int) -> bool:  # noqa: ARG002 - the watchers' signature
        """Tell whether this round is drawn."""
        return number in self._rounds

    def __call__(self, report: RoundReport) -> None:
        """Draw a round."""
        if self._show is not None and self.wants(report.round, report.last_round):
            self.figures.append(Figure(self._show(), f"round {report.round:,}"))
