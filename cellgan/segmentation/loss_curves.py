"""The losses of a training by round: kept while it is played, and in the model's folder for its page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cellgan.atomic import atomic
from cellgan.core.watch import History, every
from cellgan.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from cellgan.core.watch import RoundReport

FORMAT = 1
POINTS = 150  # rounds that are kept


@dataclass(frozen=True)
class LossCurves:
    """Losses of some rounds.

    Attributes
    ----------
    rounds
        Numbers of the rounds, rising.
    terms
        What was descended in them, by ``"player/term"``.
    """

    rounds: tuple[int, ...]
    terms: dict[str, tuple[float, ...]]

    def thinned(self, most: int) -> LossCurves:
        """Keep at most so many rounds, evenly spaced, the last among them."""
        step = -(-len(self.rounds) // most) or 1
        first = (len(self.rounds) - 1) % step
        terms = {name: values[first::step] for name, values in self.terms.items()}
        return LossCurves(self.rounds[first::step], terms)

    def until(self, last: int) -> LossCurves:
        """Leave out the rounds after one."""
        n = sum(number <= last for number in self.rounds)
        return LossCurves(self.rounds[:n], {name: values[:n] for name, values in self.terms.items()})

    def before(self, others: LossCurves) -> LossCurves:
        """Join these rounds and others that came after them."""
        if not self.rounds or not others.rounds:
            return self if self.rounds else others
        terms = {name: (*values, *others.terms[name]) for name, values in self.terms.items()}
        return LossCurves((*self.rounds, *others.rounds), terms)

    def write(self, path: Path) -> None:
        """Write them as JSON.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        with atomic(path) as part:
            part.write_text(json.dumps({"format": FORMAT, **asdict(self)}, allow_nan=False), encoding="utf-8")


def read_loss_curves(path: Path) -> LossCurves:
    """Read what `LossCurves.write` wrote; no file, no rounds.

    Raises
    ------
    ModelError
        It is damaged, or of another version.
    """
    if not path.exists():
        return LossCurves((), {})
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        terms = {str(name): tuple(map(float, values)) for name, values in content["terms"].items()}
        found = LossCurves(tuple(map(int, content["rounds"])), terms)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"cannot read the losses in {path}: {error!r}. Delete it: only the page needs it"
        raise ModelError(msg) from error
    if content.get("format") != FORMAT:
        msg = f"{path} has format {content.get('format')!r}; this cellgan reads {FORMAT}. Delete it"
        raise ModelError(msg)
    return found


class LossKeeper:
    """Keep the losses of about 150 rounds, and in a file too while the match goes on.

    Parameters
    ----------
    rounds
        Of the whole training.
    path
        The file; None writes none.
    save_every
        Rounds between two writings.
    """

    terms_only = True

    def __init__(self, rounds: int, *, path: Path | None, save_every: int) -> None:
        self._history = History()
        self._watch = every(max(1, rounds // POINTS), self._history)
        self._save_every = save_every
        self._path = path
        self._earlier = LossCurves((), {})

    def resume(self, last: int) -> None:
        """Go on with what the file holds up to a round: later ones are played again."""
        if self._path is not None:
            self._earlier = read_loss_curves(self._path).until(last)

    def __call__(self, report: RoundReport) -> None:
        """Keep a round, and write, if it is time."""
        self._watch(report)
        due = report.round % self._save_every == 0 or report.round == report.last_round
        if self._path is not None and due:
            self.curves().write(self._path)

    def curves(self) -> LossCurves:
        """Return what was kept."""
        short = {
            name: tuple(float(f"{value:.5g}") for value in values)
            for name, values in self._history.terms.items()
        }
        return self._earlier.before(LossCurves(tuple(self._history.rounds), short))
