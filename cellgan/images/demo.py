"""What a demo is: a variant, the data it plays on, what is shown of it, and the test that it has to pass.

A demo is a module of :mod:`cellgan.images.demos` with one frozen `Demo` in it. Its ``play`` is given a
`Stage` and returns a `Result`; the page is drawn from the two by :mod:`cellgan.images.demo_page`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cellgan.core import seeded
from cellgan.errors import ConfigError
from cellgan.images.stage import Played, Progress, Stage, tell_nobody

if TYPE_CHECKING:
    from collections.abc import Callable

    from cellgan.images.image_data import Images
    from cellgan.report.page import Figure

__all__ = ["Demo", "Measure", "Played", "Result", "Run", "Stage"]


@dataclass(frozen=True)
class Measure:
    """One figure: part of the demo's test if it has a bound.

    Parameters
    ----------
    name
        What it is.
    value
        The figure.
    meaning
        One sentence on how it is computed and read.
    floor
        The same figure of real data against real data: what the best game could reach. None where that
        makes no sense.
    off
        The same figure where what the demo is about is switched off, or of a simpler way. None where there
        is no such match.
    at_least, at_most
        The bound; at most one of them.
    """

    name: str
    value: float
    meaning: str
    floor: float | None = None
    off: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        """Refuse two bounds."""
        if self.at_least is not None and self.at_most is not None:
            msg = f"The measure {self.name!r} has both bounds; a test has one."
            raise ConfigError(msg)

    @property
    def tested(self) -> bool:
        """Tell whether there is a bound."""
        return self.at_least is not None or self.at_most is not None

    @property
    def passed(self) -> bool:
        """Tell whether the value keeps its bound; one that is no number does not."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return self.at_most is None or self.value <= self.at_most


@dataclass(frozen=True)
class Result:
    """How a demo went.

    Parameters
    ----------
    played
        The match whose losses and samples are shown.
    measures
        Its figures; those with a bound are the test.
    figures
        The variant's own.
    notes
        What a reader must know to take none of it for more than it is.
    """

    played: Played
    measures: tuple[Measure, ...]
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Tell whether every bound is kept."""
        return all(measure.passed for measure in self.measures)


@dataclass(frozen=True)
class Run:
    """A demo that was played: with what, on what, and how it went.

    Parameters
    ----------
    demo, seed, rounds
        What was played.
    origin
        On what.
    given
        On images that were given, not on the demo's own data.
    result
        How it went.
    """

    demo: Demo
    seed: int
    rounds: int
    origin: str
    given: bool
    result: Result

    @property
    def as_meant(self) -> bool:
        """Tell whether it was played as its bounds are meant: for so many rounds, on its own data."""
        return self.rounds == self.demo.rounds and not self.given


@dataclass(frozen=True)
class Demo:
    """One variant, ready to be shown; its name and title stand in the list of demos.

    Parameters
    ----------
    paper
        Authors, year, title, where.
    idea
        What is new in it, in a sentence or two.
    objectives
        The published formulas, each with the function that computes it.
    rounds
        Rounds by default; the bounds of its measures hold for so many.
    play
        Plays it.
    images
        Makes the images that it plays on by default; None for a demo on points of its own.
    side
        Height and width of its images: those of a file are brought to it.
    """

    paper: str
    idea: str
    objectives: tuple[tuple[str, Callable[..., object]], ...]
    rounds: int
    play: Callable[[Stage], Result]
    images: Callable[[], Images] | None = None
    side: int = 8

    def run(
        self,
        *,
        seed: int = 0,
        rounds: int | None = None,
        images: Images | None = None,
        progress: Progress = tell_nobody,
    ) -> Run:
        """Play the demo.

        Parameters
        ----------
        seed
            Of everything random: the same seed gives the same result on the same machine.
        rounds
            Of its main match; by default the demo's own.
        images
            Instead of the demo's own.
        progress
            Told how far it is.

        Raises
        ------
        ConfigError
            If there would be no round, or images are given to a demo on points.
        """
        wanted = self.rounds if rounds is None else rounds
        if wanted < 1:
            msg = f"rounds is {wanted}; expected at least 1."
            raise ConfigError(msg)
        if images is not None and self.images is None:
            msg = "This demo plays on points that it makes itself, and takes no images; leave them out."
            raise ConfigError(msg)
        given = images is not None
        if images is None and self.images is not None:
            images = self.images()
        if images is not None:
            images = images.at_side(self.side)
        with seeded(seed):
            result = self.play(Stage(seed, wanted, images, progress))
        origin = "points of its own" if images is None else images.origin
        return Run(self, seed, wanted, origin, given, result)
