"""What a column's name says: which protein, or which other kind of channel.

Vendors, labs and converters write one marker in many ways (``142Nd_CD19``, ``CD19(Nd142)Di``, ``HLA-DR``,
``HLADR``). Names are compared by a key that keeps what distinguishes proteins and drops the rest.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["marker", "time", "scatter", "dna", "bead", "barcode", "viability", "event", "empty"]

_ELEMENTS = (
    "Y|Rh|Pd|Ag|Cd|In|Sn|Te|I|Xe|Cs|Ba|La|Ce|Pr|Nd|Pm|Sm|Eu|Gd|Tb|Dy|Ho|Er|Tm|Yb|Lu|Hf|Os|Ir|Pt|Au|Hg|Pb|Bi"
)
_MASS = r"(?:89|1\d\d|20\d)"
# Case matters: Cd112 is cadmium, CD112 a protein. Mouse proteins are written Cd163, so of Cd only real masses
# count, and a bare Cd112 is taken for the protein.
_ELEMENT = rf"(?!Cd(?!\(?(?:10[68]|11[0-46])))(?:{_ELEMENTS})"
_ISOTOPE = rf"\(?(?:{_ELEMENT}[ (]?{_MASS}|{_MASS}[ _-]?(?:{_ELEMENTS}))(?:D[id])?\)?(?:D[id])?"
_AT_START = re.compile(rf"{_ISOTOPE}(?=$|[^A-Za-z0-9])")
_AT_END = re.compile(rf"(?:(?<![A-Za-z0-9])|(?=\()){_ISOTOPE}$")
_ALONE = re.compile(
    rf"(?!Cd...$)\(?(?:({_ELEMENT})[ (]?({_MASS})|({_MASS})[ _-]?({_ELEMENTS}))(?:D[id])?\)?(?:D[id])?"
)
_GREEK = str.maketrans(
    {"α": "a", "β": "b", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "κ": "k", "λ": "l", "μ": "u"}
)

# Names of one and the same antigen. CD numbers are assigned one to one by the HLDA workshops. A chain of a
# complex is not the complex (CD8 is CD8aa too): users say where they mean the same, see `rename`.
_SAME = {
    "TCRGD": ("GDTCR",),
    "TCRAB": ("ABTCR",),
    "CD95": ("FAS",),
    "CD134": ("OX40",),
    "CD137": ("41BB", "4_1BB"),
    "CD152": ("CTLA4",),
    "CD154": ("CD40L",),
    "CD183": ("CXCR3",),
    "CD184": ("CXCR4",),
    "CD185": ("CXCR5",),
    "CD194": ("CCR4",),
    "CD195": ("CCR5",),
    "CD196": ("CCR6",),
    "CD197": ("CCR7",),
    "CD223": ("LAG3",),
    "CD273": ("PDL2",),
    "CD274": ("PDL1",),
    "CD278": ("ICOS",),
    "CD279": ("PD1",),
    "CD294": ("CRTH2",),
    "CD303": ("BDCA2",),
    "CD304": ("BDCA4", "NRP1"),
    "CD141": ("BDCA3",),
    "CD366": ("TIM3",),
    "GRANZYMEB": ("GZB", "GZMB", "GRZB", "GRNZB"),
    "IFNG": ("IFNGAMMA",),
    "TNFA": ("TNF", "TNFALPHA"),
}
_CANONICAL = {spelling: key for key, spellings in _SAME.items() for spelling in spellings}

_PATTERNS: dict[Kind, str] = {
    "time": r"time([^a-z]+(m?s|sec.*))?[^a-z]*$",
    "scatter": (
        r"(.*[^a-z])?(fsc|ssc)([^a-z].*|[ahw])?$"
        r"|(fs|ss)([-_ .](a|h|w|lin|log|int|area|height|width|peak|tof).*)?$"
    ),
    "event": r"(event|cell)[-_ .]*(length|number|no|num|id|#)?$|(center|offset|width|residual|amplitude)$",
    "dna": r"(ir[-_ ]?)?dna([^a-z].*)?$|intercalator|iridium|hoechst|dapi",
    "bead": r".*bead|eq[-_ ]?[46]$|norm(ali[sz]ation)?$|calibration",
    "barcode": r".*barcod|.*bar[-_ ]code|bc[-_ ]?\d+$|palladium",
    "viability": (
        r".*viab|.*cis[-_ ]?plat|cis[-_ ]?pt|live$|dead$|(live|l)[-_ /]*(dead|d)([^a-z].*)?$|zombie|ghost"
        r"|7[-_ ]?aad|pi$|propidium|fvd|fvs|rhodium|draq"
    ),
    "empty": r"\d*[-_ ]*(bckg|background)|blank|empty|unused|none$|null$|nan$|$",
}
_KINDS = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in _PATTERNS.items()}
# What a channel is used for when it carries no marker's name, by isotope.
_ISOTOPES: dict[str, Kind] = {
    **dict.fromkeys(("Ir191", "Ir193"), "dna"),
    "Ce140": "bead",
    "Rh103": "viability",
    **{f"Pd{mass}": "barcode" for mass in (102, 104, 105, 106, 108, 110)},
    **{f"Pt{mass}": "viability" for mass in (194, 195, 196, 198)},
    **dict.fromkeys(("I127", "Cs133", "Ba138", "Au197", "Hg202"), "empty"),
    **{f"Xe{mass}": "empty" for mass in (124, 126, 128, 129, 130, 131, 132, 134)},
    **{f"Sn{mass}": "empty" for mass in (112, 114, 116, 117, 118, 119, 120, 122, 124)},
    **{f"Pb{mass}": "empty" for mass in (204, 206, 207, 208)},
}


def isotope(name: str) -> str:
    """Return the isotope that `name` is nothing but, as in ``Nd142``; "" if it says more, or names none."""
    found = _ALONE.fullmatch(name.strip())
    return f"{found[1] or found[4]}{found[2] or found[3]}" if found else ""


def bare_name(name: str) -> str:
    """Return the name without the isotope or the detector that some programs put beside it."""
    name = name.rsplit("::", 1)[-1].strip()
    if start := _AT_START.match(name):
        name = name[start.end() :].strip(" _-.:()") or name
    if end := _AT_END.search(name):
        name = name[: end.start()].strip(" _-.:()") or name
    return name


def marker_key(name: str) -> str:
    """Return what two spellings of one marker have in common.

    Parameters
    ----------
    name
        A marker's or a channel's name.

    Returns
    -------
    str
        Upper case, without isotope and punctuation; one underscore stays between digits (``CD235-61`` is not
        ``CD23561``). Different names of one antigen (``PD-1``, ``CD279``) share a key.
    """
    if metal := isotope(name):
        return metal.upper() + "DI"
    plain = bare_name(name).translate(_GREEK).upper()
    # Some panels give both names of an antigen: CD279_PD-1.
    both = {_compact(part) for part in re.split(r"[\s_/()]+", plain) if part}
    return both.pop() if len(both) == 1 else _compact(plain)


def kind_of(channel: str, marker: str, *, panel_is_named: bool = True) -> Kind:
    """Tell what a column measures.

    Parameters
    ----------
    channel
        The detector (FCS ``$PnN``), or "".
    marker
        What is stained (FCS ``$PnS``), or "" where the file does not say.
    panel_is_named
        Whether other channels of the file carry marker names: a metal without one is then an empty channel.

    Returns
    -------
    Kind
        ``marker`` is a protein that can be aligned; all others are kept as they are.
    """
    metal = isotope(channel)
    if metal in {"Ir191", "Ir193"}:
        return "dna"
    if marker and not isotope(marker):
        name = bare_name(marker)
        return next((kind for kind, pattern in _KINDS.items() if pattern.match(name)), "marker")
    metal = metal or isotope(marker)
    if metal:
        return _ISOTOPES.get(metal, "empty" if panel_is_named else "marker")
    return next((kind for kind, pattern in _KINDS.items() if pattern.match(channel)), "marker")


def column_kinds(names: Sequence[str], channels: Sequence[str]) -> list[Kind]:
    """Tell what each column of one batch measures.

    Parameters
    ----------
    names
        Names of the columns; a column without a marker's name is called by its channel.
    channels
        FCS ``$PnN``, or "" where there is none.

    Returns
    -------
    list[Kind]
        One for each column.
    """
    stained = ["" if isotope(name) else name for name in names]
    pairs = list(zip(channels, stained, strict=True))
    if any(isotope(channel) for channel in channels):
        named = any(isotope(channel) and marker for channel, marker in pairs)
    else:
        named = any(marker and kind_of("", marker) == "marker" for marker in stained)
    # Without a channel the bare isotope in the column's name says which one it is.
    return [
        kind_of(channel or name, marker, panel_is_named=named)
        for name, (channel, marker) in zip(names, pairs, strict=True)
    ]


def _compact(name: str) -> str:
    key = re.sub(r"(?<!\d)_|_(?!\d)", "", re.sub(r"[\W_]+", "_", name))
    return _CANONICAL.get(key, key)
