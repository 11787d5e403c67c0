"""What the columns of a batch are: aligned markers, other ion counts, and the rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.marker_names import column_kinds, marker_key
from cellgan.errors import PanelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Not ion counts: these have units of their own and are never transformed.
OTHER_UNITS = frozenset({"time", "scatter", "event"})


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of one batch by what is done with them.

    Attributes
    ----------
    aligned
        Where the aligned markers stand, in the model's order.
    counts
        Where ion counts stand, the aligned ones included: what is on the arcsinh scale in the end.
    names
        Of all columns.
    """

    aligned: NDArray[np.intp]
    counts: NDArray[np.intp]
    names: Sequence[str]

    @classmethod
    def at(cls, aligned: Sequence[int], names: Sequence[str], channels: Sequence[str]) -> Columns:
        """Describe columns of which the aligned ones are known."""
        kinds = column_kinds(names, channels)
        counts = {i for i, kind in enumerate(kinds) if kind not in OTHER_UNITS} | set(aligned)
        return cls(np.array(aligned, dtype=np.intp), np.array(sorted(counts), dtype=np.intp), names)

    @classmethod
    def find(
        cls, names: Sequence[str], channels: Sequence[str], *, markers: Sequence[str], batch: str
    ) -> Columns:
        """Find the markers that the model of a batch aligns, under whatever spelling.

        Raises
        ------
        PanelError
            One is missing, or could be several columns; all such are named.
        """
        keys = [marker_key(name) for name in names]
        count = Counter(keys)
        found, problems = [], []
        for marker in markers:
            key = marker_key(marker)
            if marker in names:
                found.append(list(names).index(marker))
            elif count[key] == 1:
                found.append(keys.index(key))
            else:
                close = get_close_matches(key, keys, n=2, cutoff=0.6)
                hint = f" (closest: {', '.join(names[keys.index(k)] for k in close)})" if close else ""
                problems.append(f"{marker}{hint}")
        if problems:
            msg = (
                f"the model of batch {batch!r} aligns {len(markers)} markers, and {len(problems)} of them "
                f"are not among these cells' columns: {', '.join(problems)}. The panel must be that of the "
                "batch the model was made from; rename columns that mean the same protein"
            )
            raise PanelError(msg)
        return cls.at(found, names, channels)
