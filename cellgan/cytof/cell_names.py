"""Names of many cells: whether one occurs twice, and how to make them unique, piece by piece.

What is kept of a name is a number of 64 bits. Two names have the same one by chance, but so seldom that the
names themselves need to be looked at only then.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TypeAlias

    from numpy.typing import NDArray

    Pieces: TypeAlias = Callable[[], Iterable[NDArray[np.object_]]]


def twice(pieces: Pieces, n: int) -> dict[str, int]:
    """Return the names that occur more than once, and how often.

    Parameters
    ----------
    pieces
        Gives all names in order, each time it is called.
    n
        How many names there are.
    """
    again = _more_than_once(_ordered(pieces(), n))
    if not len(again):
        return {}
    counts: Counter[str] = Counter()
    for piece in pieces():
        counts.update(piece[_among(_mark(piece), again)])
    return {name: n for name, n in counts.items() if n > 1}


class UniqueNames:
    """Names of several batches made unique: those that clash get their batch's name, and a number if need be.

    Parameters
    ----------
    batches
        By batch: its name, and what gives the names of its cells in order.
    n
        How many names there are.
    """

    def __init__(self, batches: Sequence[tuple[str, Pieces]], n: int) -> None:
        self._batches = batches
        self._n = n
        self._clashing = _more_than_once(_ordered((one for _, pieces in batches for one in pieces()), n))
        self._numbered = self._find_numbered() if self.clash else {}

    @property
    def clash(self) -> bool:
        """Whether any two cells have the same name."""
        return bool(len(self._clashing))

    def __iter__(self) -> Iterator[tuple[NDArray[np.object_], NDArray[np.object_]]]:
        """Yield the names and, of those that are new, the old ones, "" for the others; piece by piece."""
        start = 0
        for own, new in self._fresh():
            for place in range(len(new)) if self._numbered else ():
                new[place] = self._numbered.get(start + place, new[place])
            start += len(new)
            yield new, np.where(new == own, "", own)

    def _fresh(self) -> Iterator[tuple[NDArray[np.object_], NDArray[np.object_]]]:
        """Yield names, and the same with the batch's name behind those that clash."""
        for batch, pieces in self._batches:
            for own in pieces():
                new = own.copy()
                if self.clash:
                    found = _among(_mark(own), self._clashing)
                    new[found] = [f"{name}-{batch}" for name in own[found]]
                yield own, new

    def _find_numbered(self) -> dict[int, str]:
        """Return by place the names that need a number, since even the one with the batch's is taken."""
        taken = _ordered((new for _, new in self._fresh()), self._n)
        again = _more_than_once(taken)
        if not len(again):
            return {}
        seen, numbered, start = set[str](), dict[int, str](), 0
        for _, new in self._fresh():
            for place in np.flatnonzero(_among(_mark(new), again)):
                name, unique, number = str(new[place]), str(new[place]), 1
                while unique in seen or (number > 1 and _among(_mark_one(unique), taken).any()):
                    number += 1
                    unique = f"{name}-{number}"
                seen.add(unique)
                if number > 1:
                    numbered[start + int(place)] = unique
            start += len(new)
        return numbered


def _mark(names: NDArray[np.object_]) -> NDArray[np.uint64]:
    found: NDArray[np.uint64] = pd.util.hash_array(names, categorize=False)
    return found


def _mark_one(name: str) -> NDArray[np.uint64]:
    return _mark(np.array([name], dtype=object))


def _ordered(pieces: Iterable[NDArray[np.object_]], n: int) -> NDArray[np.uint64]:
    """Return the marks of so many names, in order."""
    found, start = np.empty(n, dtype=np.uint64), 0
    for piece in pieces:
        found[start : start + len(piece)] = _mark(piece)
        start += len(piece)
    found.sort()
    return found


def _more_than_once(ordered: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the marks that occur more than once, each once and in order."""
    again = ordered[1:][ordered[1:] == ordered[:-1]]
    first = np.ones(len(again), dtype=bool)
    first[1:] = again[1:] != again[:-1]
    found: NDArray[np.uint64] = again[first]
    return found


def _among(marks: NDArray[np.uint64], known: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Tell which marks are among known ones, which are in order."""
    at = np.minimum(np.searchsorted(known, marks), len(known) - 1)
    found: NDArray[np.bool_] = known[at] == marks
    return found
