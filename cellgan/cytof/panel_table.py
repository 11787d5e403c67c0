"""The columns of one batch by name: found in another spelling, asked for by a user, or closest to a name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from cellgan.cytof.marker_names import Kind, column_kinds, marker_key
from cellgan.errors import PanelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellgan.cytof.read_write import CellBatch


@dataclass(frozen=True)
class PanelTable:
    """The columns of one batch.

    Attributes
    ----------
    batch
        Name of the batch.
    names, keys, kinds
        One each a column: its name, the key that its spellings share, what it measures.
    n_with_key
        How many columns have a key.
    """

    batch: str
    names: tuple[str, ...]
    keys: tuple[str, ...]
    kinds: tuple[Kind, ...]
    n_with_key: Mapping[str, int]

    @classmethod
    def of(cls, batch: CellBatch) -> PanelTable:
        """Read the columns of a batch."""
        names = tuple(batch.markers)
        var = batch.cells.var
        channels = tuple(map(str, var["channel"])) if "channel" in var else ("",) * len(names)
        keys = tuple(map(marker_key, names))
        return cls(batch.name, names, keys, tuple(column_kinds(names, channels)), Counter(keys))

    @property
    def proteins(self) -> list[int]:
        """Return which columns are proteins."""
        return [i for i, kind in enumerate(self.kinds) if kind == "marker"]

    def find(self, other: PanelTable, i: int) -> int | None:
        """Return the protein here that is column `i` of `other`: by name, else by a key that is unique."""
        name, key = other.names[i], other.keys[i]
        if name in self.names:
            j = self.names.index(name)
        elif other.n_with_key[key] == self.n_with_key[key] == 1:
            j = self.keys.index(key)
        else:
            return None
        return j if self.kinds[j] == "marker" else None

    def is_ambiguous(self, i: int, other: PanelTable) -> bool:
        """Tell whether column `i` has namesakes in `other`, but none that is certainly its own."""
        count = other.n_with_key.get(self.keys[i], 0)
        return (
            self.names[i] not in other.names
            and count > 0
            and (count > 1 or self.n_with_key[self.keys[i]] > 1)
        )

    def has(self, marker: str) -> bool:
        """Tell whether a column could be meant by `marker`."""
        return marker in self.names or marker_key(marker) in self.keys

    def requested(self, marker: str) -> int:
        """Return the column that a user means by `marker`."""
        key = marker_key(marker)
        if marker in self.names:
            return self.names.index(marker)
        if self.n_with_key.get(key, 0) == 1:
            return self.keys.index(key)
        if key in self.keys:
            same = [name for name, k in zip(self.names, self.keys, strict=True) if k == key]
            msg = (
                f"marker {marker!r} could be {' or '.join(same)} in batch {self.batch!r}: give the exact name"
            )
            raise PanelError(msg)
        close = self.closest(key)
        hint = f"it has {', '.join(self.names)}"
        if close:
            hint = f"did you mean {', '.join(close)}? If that is the same protein, tell it with --rename"
        msg = f"marker {marker!r} is not in batch {self.batch!r}; {hint}"
        raise PanelError(msg)

    def closest(self, key: str) -> list[str]:
        """Return the names here that look most like `key`."""
        return [self.names[self.keys.index(k)] for k in get_close_matches(key, self.keys, n=3, cutoff=0.6)]
