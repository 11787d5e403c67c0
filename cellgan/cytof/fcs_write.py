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

from cellgan.cytof.atomic import atomic
from cellgan.cytof.fcs_text import HEADER_BYTES, format_keywords
from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

# What describes the layout of the file that was read, or its channels; all else is carried over.
_OWN = re.compile(
    r"\$(PAR|TOT|MODE|DATATYPE|BYTEORD|NEXTDATA|(BEGIN|END)(DATA|STEXT|ANALYSIS)|P\d+\w+|PNE|SPILLOVER|COMP|UNICODE)"
    r"|SPILL|P\d+\w+|FCSVERSION|CELLGAN"
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
    values = np.ascontiguousarray(x_linear, dtype="<f4")
    bad = [
        str(m or c)
        for c, m, ok in zip(channels, markers, np.isfinite(values).all(axis=0), strict=True)
        if not ok
    ]
    if bad:
        msg = f"{', '.join(bad)}: NaN or infinite on the linear scale; an FCS file takes finite numbers only"
        raise InputError(msg)
    tops = values.max(axis=0, initial=0)
    names = unique(
        re.sub(r"\s*,\s*", "_", channel or marker) for channel, marker in zip(channels, markers, strict=True)
    )
    text = {
        "$BYTEORD": "1,2,3,4",
        "$DATATYPE": "F",
        "$MODE": "L",
        "$NEXTDATA": "0",
        "$BEGINSTEXT": "0",
        "$ENDSTEXT": "0",
        "$BEGINANALYSIS": "0",
        "$ENDANALYSIS": "0",
        "$PAR": str(values.shape[1]),
        "$TOT": str(values.shape[0]),
    }
    for i, (name, marker, top) in enumerate(zip(names, markers, tops, strict=True), 1):
        text |= {
            f"$P{i}N": name,
            f"$P{i}S": marker,
            f"$P{i}B": "32",
            f"$P{i}E": "0,0",
            f"$P{i}R": str(math.floor(top) + 1),
        }
    text |= {
        key.upper(): str(value) for key, value in (keywords or {}).items() if not _OWN.fullmatch(key.upper())
    }
    head = _head(text, n_bytes=values.nbytes)
    with atomic(path) as part, part.open("wb") as file:
        file.write(head)
        file.write(values.data)


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


def _head(keywords: Mapping[str, str], *, n_bytes: int) -> bytes:
    """Return HEADER and TEXT before `n_bytes` of cells; TEXT holds its own length, so try until it fits."""
    size = 0
    while True:
        first, last = size, size + n_bytes - 1
        text = format_keywords({"$BEGINDATA": str(first), "$ENDDATA": str(last), **keywords})
        if HEADER_BYTES + len(text) == size:
            break
        size = HEADER_BYTES + len(text)
    # Offsets beyond eight digits stand in TEXT only.
    ends = (HEADER_BYTES, size - 1, *((first, last) if last <= 99_999_999 else (0, 0)), 0, 0)
    return b"FCS3.1    " + b"".join(b"%8d" % end for end in ends) + text
