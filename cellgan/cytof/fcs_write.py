"""Cells to FCS files that other programs open.

What breaks readers is left out: NaN, ranges below the values, channel names that occur twice, commas in them.

References
----------
Spidlen J et al. Data File Standard for Flow Cytometry, version FCS 3.1. Cytometry A 77, 97-100 (2010).
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from cellgan.atomic import atomic
from cellgan.cytof.fcs_text import HEADER_BYTES, format_keywords
from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

# What describes the layout of the file that was read, or its channels; all else is carried over.
_OWN = re.compile(
    r"\$(PAR|TOT|MODE|DATATYPE|BYTEORD|NEXTDATA|(BEGIN|END)(DATA|STEXT|ANALYSIS)|P\d+\w+|PNE|SPILLOVER|COMP|UNICODE)"
    r"|SPILL|P\d+\w+|FCSVERSION"
)


def write_fcs(
    path: Path,
    x_linear: NDArray[np.float32],
    channels: Sequence[str],
    markers: Sequence[str],
    keywords: Mapping[str, str] | None = None,
) -> None:
    """Write cells to an FCS 3.1 file, whole or not at all: list mode, little-endian float32.

    Parameters
    ----------
    path
        The file.
    x_linear
        (n_cells, n_channels), linear scale, finite.
    channels
        ``$PnN``; made unique, and taken from `markers` where empty.
    markers
        ``$PnS``; left out where empty.
    keywords
        Further keywords, such as those of the file that was read; those on layout and channels are ours.

    Raises
    ------
    InputError
        A value is NaN or infinite.
    OutputError
        The folder is not writable or the disk is full.
    """
    stream_fcs(path, [x_linear], channels=channels, markers=markers, keywords=keywords)


def stream_fcs(
    path: Path,
    chunks: Iterable[NDArray[np.float32]],
    *,
    channels: Sequence[str],
    markers: Sequence[str],
    keywords: Mapping[str, str] | None = None,
) -> None:
    """Write cells to an FCS 3.1 file piece by piece, as `write_fcs` does at once.

    Parameters
    ----------
    path
        The file.
    chunks
        Each (n_cells, n_channels), linear scale, finite.
    channels, markers, keywords
        As in `write_fcs`.

    Raises
    ------
    InputError
        A value is NaN or infinite.
    OutputError
        The folder is not writable or the disk is full.
    """
    tops = np.zeros(len(channels), dtype=np.float32)
    highest = np.full(len(channels), np.finfo(np.float32).max)
    # How long the keywords get is known only once all cells were seen: room is left for the longest.
    room = HEADER_BYTES + len(
        _text(highest, channels, markers, keywords, n_cells=10**15, place=(10**15, 10**15))
    )
    n_cells = 0
    with atomic(path) as part, part.open("wb") as file:
        file.seek(room)
        for chunk in chunks:
            values = np.ascontiguousarray(chunk, dtype="<f4")
            finite = np.isfinite(values).all(axis=0)
            if not finite.all():
                bad = [m or c for c, m, ok in zip(channels, markers, finite, strict=True) if not ok]
                msg = f"values of {', '.join(bad)} are NaN or infinite on the linear scale; FCS has no such"
                raise InputError(msg)
            file.write(values.data)
            tops = np.maximum(tops, values.max(axis=0, initial=0))
            n_cells += len(values)
        place = (room, room + 4 * n_cells * len(channels) - 1)
        text = _text(tops, channels, markers, keywords, n_cells=n_cells, place=place)
        # Offsets beyond eight digits stand in TEXT only.
        in_header = place if place[1] <= 99_999_999 else (0, 0)
        ends = (HEADER_BYTES, HEADER_BYTES + len(text) - 1, *in_header, 0, 0)
        file.seek(0)
        file.write((b"FCS3.1    " + b"".join(b"%8d" % end for end in ends) + text).ljust(room))


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Make names unique: the second "a" becomes "a-2"."""
    names = list(names)
    taken, out = set(names), []
    seen: set[str] = set()
    for name in names:
        fresh, n = name, 1
        while fresh in seen or (n > 1 and fresh in taken):
            n += 1
            fresh = f"{name}-{n}"
        seen.add(fresh)
        out.append(fresh)
    return tuple(out)


def _text(
    tops: NDArray[np.float32],
    channels: Sequence[str],
    markers: Sequence[str],
    keywords: Mapping[str, str] | None,
    *,
    n_cells: int,
    place: tuple[int, int],
) -> bytes:
    text = {"$BEGINDATA": str(place[0]), "$ENDDATA": str(place[1])}
    text |= {f"${edge}{segment}": "0" for segment in ("STEXT", "ANALYSIS") for edge in ("BEGIN", "END")}
    text |= {"$BYTEORD": "1,2,3,4", "$DATATYPE": "F", "$MODE": "L", "$NEXTDATA": "0"}
    text |= {"$PAR": str(len(channels)), "$TOT": str(n_cells)}
    # FCS forbids commas in $PnN.
    names = unique(re.sub(r"\s*,\s*", "_", c or m) for c, m in zip(channels, markers, strict=True))
    for i, (name, marker, top) in enumerate(zip(names, markers, tops, strict=True), 1):
        text |= {f"$P{i}N": name, f"$P{i}S": marker, f"$P{i}B": "32", f"$P{i}E": "0,0"}
        text[f"$P{i}R"] = str(math.floor(top) + 1)
    text |= {k.upper(): str(v) for k, v in (keywords or {}).items() if not _OWN.fullmatch(k.upper())}
    return format_keywords(text)
