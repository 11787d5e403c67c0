"""How an FCS file stores its cells: types, byte order, place and number, as its keywords tell.

References
----------
Spidlen J et al. Data File Standard for Flow Cytometry, version FCS 3.1. Cytometry A 77, 97-100 (2010).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.fcs_text import DAMAGED, Header, number
from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_ORDERS = {
    "1,2,3,4": "<",
    "4,3,2,1": ">",
    "1,2": "<",
    "2,1": ">",
    "1": "<",
    "1,2,3,4,5,6,7,8": "<",
    "8,7,6,5,4,3,2,1": ">",
}


def cell_record(keywords: Mapping[str, str]) -> np.dtype[np.void]:
    """Describe how one cell is stored.

    Parameters
    ----------
    keywords
        Of the file.

    Returns
    -------
    dtype
        One field a channel: p1, p2 and so on.

    Raises
    ------
    InputError
        Histograms, text, packed bits or a mixed byte order.
    """
    mode = keywords.get("$MODE", "L").upper()
    if mode != "L":
        msg = f"$MODE is {mode!r}, a histogram; only list mode (L), one row a cell, can be read: export again"
        raise InputError(msg)
    order = _ORDERS.get(keywords["$BYTEORD"].replace(" ", ""))
    if order is None:
        msg = f"$BYTEORD is {keywords['$BYTEORD']!r}; expected 1,2,3,4 or 4,3,2,1: export the file again"
        raise InputError(msg)
    fields = []
    for i in range(1, number(keywords, "$PAR") + 1):
        kind = keywords.get(f"$P{i}DATATYPE", keywords["$DATATYPE"]).upper()
        bits = 0 if keywords[f"$P{i}B"] == "*" else number(keywords, f"$P{i}B")
        bits = {"F": 32, "D": 64}.get(kind, bits)
        if kind not in {"I", "F", "D"} or (kind == "I" and bits not in {8, 16, 32, 64}):
            msg = (
                f"channel {i} is stored as $DATATYPE {kind} with {bits or 'variable'} bits; floats (F, D) "
                "and integers (I) of 8, 16, 32 or 64 bits can be read: export the file again, as floats"
            )
            raise InputError(msg)
        fields.append((f"p{i}", f"{order}{'u' if kind == 'I' else 'f'}{bits // 8}"))
    return np.dtype(fields)


def find_cells(
    keywords: Mapping[str, str], header: Header, *, record_bytes: int, file_bytes: int
) -> tuple[int, int, list[str]]:
    """Find the cells.

    Keywords and header both may say where the cells are. The standard has them agree; of writers that do not
    keep to it, some leave the keywords out, some the header, and some are off by one byte at the end. The
    place that holds exactly the cells that ``$TOT`` announces is taken, the keywords' first.

    Parameters
    ----------
    keywords, header
        Of the file.
    record_bytes
        Bytes of one cell.
    file_bytes
        Bytes of the file.

    Returns
    -------
    offset, n_cells, notes
        The first byte, the number of cells, and what the user should know.

    Raises
    ------
    InputError
        No place is given, or the file ends before the last cell.
    """
    told = (number(keywords, "$BEGINDATA", default=0), number(keywords, "$ENDDATA", default=0))
    places = [place for place in dict.fromkeys((told, header.data)) if 0 < place[0] < place[1]]
    total = number(keywords, "$TOT", default=-1)
    if total == 0:
        return 0, 0, []
    if not places:
        msg = f"neither $BEGINDATA nor the header says where the cells are; {DAMAGED}"
        raise InputError(msg)
    lengths = [last - first + 1 for first, last in places]
    chosen = next((i for i, length in enumerate(lengths) if 0 <= length - total * record_bytes <= 1), 0)
    notes = []
    if len(places) > 1:
        names = ("the header", "$BEGINDATA")
        notes.append(
            f"the header and $BEGINDATA disagree on where the cells are; {names[1 - chosen]} was followed"
        )
    offset, n_cells = places[chosen][0], total if total > 0 else lengths[chosen] // record_bytes
    if offset + n_cells * record_bytes > file_bytes:
        msg = (
            f"the file is truncated: {n_cells:,} cells end at byte {offset + n_cells * record_bytes:,}, "
            f"but the file has {file_bytes:,}; copy or download it again"
        )
        raise InputError(msg)
    if total > 0 and lengths[chosen] - total * record_bytes >= record_bytes:
        notes.append(f"$TOT announces {total:,} cells, the place for them holds more; {total:,} were read")
    return offset, n_cells, notes


def amplification(keywords: Mapping[str, str], i: int) -> tuple[float, float]:
    """Return the decades and the value at zero of a log-amplified channel; decades are 0 for a linear one.

    Parameters
    ----------
    keywords
        Of the file.
    i
        Number of the channel, from 1.

    Returns
    -------
    decades, least
        The linear value is ``least * 10 ** (decades * stored / $PnR)``.

    Raises
    ------
    InputError
        ``$PnE`` is not two numbers.
    """
    value = keywords.get(f"$P{i}E") or "0,0"
    found = re.fullmatch(r"(\d*\.?\d+|\d+\.)\s*,\s*(\d*\.?\d+|\d+\.)", value)
    if not found:
        msg = (
            f"$P{i}E is {value!r}; expected two numbers, as in 0,0 (linear) or 4,1 (four decades): {DAMAGED}"
        )
        raise InputError(msg)
    decades, least = float(found[1]), float(found[2])
    # 4,0 is forbidden, common, and by the standard to be read as 4,1.
    return decades, least or 1.0


def reading_notes(keywords: Mapping[str, str]) -> list[str]:
    """List what the keywords announce and the reader does not do, in words."""
    notes = []
    if number(keywords, "$NEXTDATA", default=0):
        notes.append("the file holds several data sets; only the first was read")
    floats = keywords["$DATATYPE"].upper() != "I"
    if floats and any(amplification(keywords, i)[0] for i in range(1, number(keywords, "$PAR") + 1)):
        notes.append(
            "$PnE announces log amplification of floats, which the standard forbids; values taken as linear"
        )
    if any(keywords.get(key) for key in ("$SPILLOVER", "SPILL", "$COMP")):
        notes.append(
            "the file carries a compensation matrix, which was not applied: values are taken as stored"
        )
    return notes
