"""The cofactor of the arcsinh scale, ``arcsinh(x / cofactor)``: told by the cells, by the file, or by a user.

Around zero the scale is linear, and where that ends is the cofactor's to say. It should end beyond the noise
of cells that lack a marker: with a smaller one these are torn into two humps, above and below zero, which
alignment then takes for populations. Mass cytometers have hardly any noise, and 5 is customary for their
counts; conventional flow cytometers have some hundred units, and 150 is; unmixed spectral values have some
thousand, and 6,000 is. So negative values, which are noise by definition, decide. Where there are none among
values that no mass cytometer reaches, only the file's word for its instrument (``$CYT``) can tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cellgan.cytof.input_files import naming
from cellgan.cytof.marker_names import marker_key
from cellgan.cytof.text_table import read_table
from cellgan.errors import InputError
from cellgan.report.numbers import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

MASS, FLOW, SPECTRAL = 5.0, 150.0, 6000.0
_NAMES = {MASS: "mass cytometry", FLOW: "flow cytometry", SPECTRAL: "spectral flow cytometry"}
_FITS = (1 / 5, 3 / 2)  # times a customary cofactor, for a spread that it suits
_OWN = 2.0  # times the spread, where no customary one does
_TORN = 2.0  # times the cofactor, for a spread that it tears apart
_DISAGREE = 4.0  # spreads, or cofactors, of two batches that differ by more are not of one technology
_LEAST_NEGATIVE, _LEAST_SHARE = 20, 0.005  # cells below zero, of a marker whose noise is measured
_BRIGHT, _BRIGHT_SHARE = 20_000.0, 0.25  # counts that mass cytometers reach in few markers, if any
_INSTRUMENTS = {
    SPECTRAL: r"aurora|northern ?lights|cytek|id7000|sp6800|a5 ?se|s8\b",
    MASS: r"cytof(?!lex)|helios|dvs|fluidigm|standard ?biotools|hyperion",
    FLOW: r"fortessa|canto|lsr|symphony|facs|accuri|cytoflex|attune|navios|gallios|macsquant|novocyte|"
    r"quanteon|cyan|celesta|lyric|melody|influx|calibur|guava|zE5|bigfoot",
}


@dataclass(frozen=True)
class Cofactors:
    """What counts are divided by.

    Attributes
    ----------
    usual
        Of all markers without an own one.
    own
        Of some, by `marker_key`.
    """

    usual: float
    own: Mapping[str, float] = field(default_factory=dict)

    def each(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Return what columns of these names are divided by, ``(n,)``."""
        return np.array([self.own.get(marker_key(name), self.usual) for name in names], dtype=np.float32)


@dataclass(frozen=True)
class Noise:
    """What was measured of one batch.

    Attributes
    ----------
    spread
        Standard deviation of the noise around zero, the median over markers; NaN where hardly a value lies
        below zero.
    bright
        Whether many markers reach what mass cytometers do not.
    instrument
        The file's word for it; empty if there is none.
    """

    spread: float
    bright: bool
    instrument: str = ""

    @classmethod
    def of(cls, counts: NDArray[np.float32], instrument: str = "") -> Noise:
        """Measure counts, ``(n_cells, n_markers)``."""
        spreads = []
        for column in counts.T:
            below = column[column < 0].astype(np.float64)
            if len(below) >= max(_LEAST_NEGATIVE, _LEAST_SHARE * len(column)):
                spreads.append(float(np.sqrt((below**2).mean())))  # of a normal distribution around zero
        tops = np.quantile(counts, 0.999, axis=0)
        enough = len(spreads) >= max(1, counts.shape[1] / 4)
        return cls(
            float(np.median(spreads)) if enough else float("nan"),
            bool(np.mean(tops > _BRIGHT) >= _BRIGHT_SHARE),
            instrument,
        )

    @property
    def technology(self) -> float | None:
        """The cofactor that is customary for the instrument; None where its name tells nothing."""
        for cofactor, names in _INSTRUMENTS.items():
            if re.search(names, self.instrument, re.IGNORECASE):
                return cofactor
        return None


def choose_cofactor(batches: Mapping[str, Noise]) -> tuple[float, str]:
    """Choose one cofactor for all batches, and say why.

    Parameters
    ----------
    batches
        By what a batch is called in a message.

    Returns
    -------
    The cofactor, and half a sentence.

    Raises
    ------
    InputError
        The values leave it open, or batches disagree.
    """
    found = {name: _suiting(name, noise) for name, noise in batches.items()}
    values = [cofactor for cofactor, _ in found.values()]
    scales = [
        noise.spread if np.isfinite(noise.spread) else found[name][0] for name, noise in batches.items()
    ]
    if max(values) > min(values) and max(scales) > _DISAGREE * min(scales):
        told = "; ".join(f"{name}: {cofactor:g}, {why}" for name, (cofactor, why) in found.items())
        msg = f"the batches ask for different cofactors ({told}): are they of one instrument? {_SETTLE}"
        raise InputError(msg)
    largest = max(found, key=lambda name: found[name][0])
    return found[largest]


def torn(cofactor: float, batches: Mapping[str, Noise]) -> str:
    """Say in words that a cofactor tears cells that lack a marker apart; empty if it does not."""
    worst = max(batches, key=lambda name: np.nan_to_num(batches[name].spread))
    spread = batches[worst].spread
    if not spread > _TORN * cofactor:
        return ""
    return (
        f"the values of {worst} spread by {count(round(spread))} around zero, so that arcsinh(x / "
        f"{cofactor:g}) tears cells that lack a marker into two humps: --cofactor {_rounded(spread)[0]:g} "
        "or --cofactor auto would not"
    )


def read_cofactors(path: Path) -> dict[str, float]:
    """Read own cofactors of markers: a .csv or .tsv table with the columns marker and cofactor.

    Raises
    ------
    InputError
        The table cannot be read, or a line is no positive number or names a marker again.
    """
    found: dict[str, float] = {}
    with naming(path):
        for line, row in read_table(path, ("marker", "cofactor"), each="a marker"):
            try:
                value = float(row["cofactor"])
            except ValueError:
                value = float("nan")
            if not 0 < value < float("inf"):
                told = f"the cofactor of {row['marker']} is {row['cofactor']!r}"
                msg = f"line {line}: {told}; expected a positive number"
                raise InputError(msg)
            if marker_key(row["marker"]) in map(marker_key, found):
                msg = f"line {line}: {row['marker']} has a cofactor already"
                raise InputError(msg)
            found[row["marker"]] = value
    return found


_SETTLE = (
    "settle it with --cofactor 5 (mass cytometry), 150 (flow cytometry), 6000 (spectral), or what suits it"
)


def _suiting(name: str, noise: Noise) -> tuple[float, str]:
    """Return what suits one batch, and why."""
    if np.isfinite(noise.spread):
        cofactor, why = _rounded(noise.spread)
        told = noise.technology
        if told == MASS and cofactor != MASS:
            msg = (
                f"{name} was measured by {noise.instrument!r}, but its values spread by "
                f"{count(round(noise.spread))} around zero, which counts of ions do not: {_SETTLE}"
            )
            raise InputError(msg)
        return cofactor, f"values spread by {_figure(noise.spread)} around zero{why}"
    if not noise.bright:
        return MASS, "customary for counts of mass cytometry"
    if noise.technology is not None:
        return noise.technology, f"customary for {_NAMES[noise.technology]}, measured by {noise.instrument!r}"
    msg = (
        f"which cofactor suits {name}? Its values reach what mass cytometers do not, and none lies below "
        f"zero to tell the noise by: {_SETTLE}"
    )
    raise InputError(msg)


def _rounded(spread: float) -> tuple[float, str]:
    """Return the cofactor that suits a spread of noise, and whose it is."""
    if spread <= _TORN * MASS:
        return MASS, f", as in {_NAMES[MASS]}"
    for cofactor in (FLOW, SPECTRAL):
        if _FITS[0] * cofactor <= spread <= _FITS[1] * cofactor:
            return cofactor, f", as in {_NAMES[cofactor]}"
    return float(f"{_OWN * spread:.1g}"), ", and the cofactor is twice that"


def _figure(value: float) -> str:
    return f"{value:.2g}" if value < 10 else count(round(value))
