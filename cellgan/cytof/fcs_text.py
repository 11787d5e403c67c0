"""The HEADER and TEXT segments of an FCS file: where things are, and what the keywords say.

References
----------
Spidlen J et al. Data File Standard for Flow Cytometry, version FCS 3.1. Cytometry A 77, 97-100 (2010).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

HEADER_BYTES = 58
DAMAGED = "the file is damaged or incomplete: copy or download it again"


@dataclass(frozen=True)
class Header:
    """The first 58 bytes: version and byte offsets, first and last byte included; 0 where not given."""

    version: str
    text: tuple[int, int]
    data: tuple[int, int]


def read_header(file: BinaryIO) -> Header:
    """Read the HEADER segment.

    Parameters
    ----------
    file
        Open at any place.

    Returns
    -------
    Header
        Version and offsets.

    Raises
    ------
    InputError
        This is not an FCS file, or its header is damaged.
    """
    file.seek(0)
    raw = file.read(HEADER_BYTES)
    if not re.match(rb"FCS\d\.\d", raw):
        msg = f"this is not an FCS file: it begins with {raw[:12]!r}, not with b'FCS3.0' or another version"
        raise InputError(msg)
    if raw[3:4] not in b"23":
        msg = f"this file is in version {raw[3:6].decode()} of FCS; 2.0, 3.0, 3.1 and 3.2 can be read"
        raise InputError(msg)
    offsets = [_offset(raw[i : i + 8]) for i in range(10, 42, 8)]
    if len(raw) < HEADER_BYTES or not HEADER_BYTES <= offsets[0] < offsets[1]:
        msg = f"the header of this FCS file is damaged: {raw!r}; {DAMAGED}"
        raise InputError(msg)
    return Header(raw[3:6].decode(), (offsets[0], offsets[1]), (offsets[2], offsets[3]))


def read_keywords(file: BinaryIO, header: Header) -> dict[str, str]:
    """Read the TEXT segment, and the supplemental one if there is one.

    Parameters
    ----------
    file
        Open at any place.
    header
        Of this file.

    Returns
    -------
    dict[str, str]
        Keywords in upper case.

    Raises
    ------
    InputError
        The segment is cut off, or lacks keywords that say how to read the cells.
    """
    raw = _segment(file, *header.text)
    read = [parse_keywords(raw, empty_values=empty) for empty in (False, True)]
    # A doubled delimiter is an escaped one (the standard) or stands around an empty value (some writers).
    # Read the wrong way, an empty value glues the next keyword to its own, or shifts all that follow.
    delimiter = raw[:1].decode("latin-1")
    sound = (k for k in read if not missing_keywords(k) and not any(delimiter in key for key in k))
    keywords = next(sound, read[0])
    if lacking := missing_keywords(keywords):
        msg = f"the file's TEXT segment lacks {', '.join(lacking)}; {DAMAGED}"
        raise InputError(msg)
    first, last = (number(keywords, f"${edge}STEXT", default=0) for edge in ("BEGIN", "END"))
    if 0 < first < last and (first, last) != header.text:
        keywords = parse_keywords(_segment(file, first, last), empty_values=keywords is read[1]) | keywords
    return keywords


def parse_keywords(raw: bytes, *, empty_values: bool) -> dict[str, str]:
    """Split a TEXT segment into keywords.

    Parameters
    ----------
    raw
        The segment; its first byte is the delimiter.
    empty_values
        Whether a doubled delimiter surrounds an empty value; otherwise it is one delimiter within a value.

    Returns
    -------
    dict[str, str]
        Keywords in upper case, values without surrounding blanks.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    text = text.rstrip(" \r\n\0")
    if not text:
        return {}
    delimiter, body = text[0], text[1:].removesuffix(text[0])
    if empty_values:
        words = body.split(delimiter)
    else:
        words = [w.replace("\0", delimiter) for w in body.replace(delimiter * 2, "\0").split(delimiter)]
    return {key.strip().upper(): value.strip() for key, value in zip(words[::2], words[1::2], strict=False)}


def missing_keywords(keywords: Mapping[str, str]) -> list[str]:
    """List the keywords that are needed to read the cells and are not there."""
    lacking = [key for key in ("$PAR", "$DATATYPE", "$BYTEORD") if not keywords.get(key)]
    if lacking:
        return lacking
    needed = (f"$P{i}{letter}" for i in range(1, number(keywords, "$PAR") + 1) for letter in "NB")
    # The first few are enough, and a damaged $PAR may be in the billions.
    return list(islice((key for key in needed if not keywords.get(key)), 5))


def number(keywords: Mapping[str, str], key: str, *, default: int | None = None) -> int:
    """Return a keyword's whole number.

    Parameters
    ----------
    keywords
        Of the file.
    key
        Which one.
    default
        What to return where it is missing or blank; if None, it must be there.

    Returns
    -------
    int
        Not negative.

    Raises
    ------
    InputError
        It is missing, or not a whole number.
    """
    value = keywords.get(key, "")
    if not value and default is not None:
        return default
    if not re.fullmatch(r"\d{1,15}(\.0*)?", value):
        msg = f"{key} is {value!r}; expected a whole number: {DAMAGED}"
        raise InputError(msg)
    return int(float(value))


def format_keywords(keywords: Mapping[str, str]) -> bytes:
    """Write keywords as a TEXT segment.

    Parameters
    ----------
    keywords
        Upper-case keys; empty values are left out, since FCS has none.

    Returns
    -------
    bytes
        UTF-8, with a delimiter that occurs in no keyword.
    """
    pairs = [(key, value) for key, value in keywords.items() if key and value]
    words = [word for pair in pairs for word in pair]
    delimiter = next((c for c in "|/\\\f!~^\x1e\x1f" if not any(c in word for word in words)), "\x1d")
    return (delimiter + delimiter.join(word.replace("\x1d", " ") for word in words) + delimiter).encode()


def _segment(file: BinaryIO, first: int, last: int) -> bytes:
    file.seek(first)
    raw = file.read(last - first + 1)
    if len(raw) < last - first + 1:
        msg = f"the file ends within its TEXT segment, which should end at byte {last}; {DAMAGED}"
        raise InputError(msg)
    return raw


def _offset(raw: bytes) -> int:
    text = raw.strip()
    return int(text) if text.isdigit() else 0
