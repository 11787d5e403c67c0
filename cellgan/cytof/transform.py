"""The arcsinh scale, how to tell that values are on it, and standard units.

Ion counts span five decades; every method here works on ``arcsinh(counts / cofactor)``, which is linear near
zero and logarithmic far from it. Files do not say which of the two they hold, so the values decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from cellgan.cytof.cofactors import MASS, Cofactors, Noise, choose_cofactor, torn
from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cellgan.cytof.config import Transform

Float = TypeVar("Float", np.float32, np.float64)

# arcsinh(262144 / 5) = 11.6, and 262,144 is the top of flow cytometers: nothing on the scale lies above this.
_HIGHEST_ARCSINH = 12.0
# Where the 99.9% quantile of the brightest marker lies for counts, and never for arcsinh or logarithms.
_LOWEST_COUNTS = 20.0
# On the arcsinh scale bright markers end in a shoulder: their 99.9% quantile is at most 1.16 times their 99%
# quantile. Counts have longer tails, 1.3 to 2.5. (Nine data sets of mass cytometry, parts of 1,000 cells.)
_SHOULDER = 1.25
# Counts of one dim cell may look like arcsinh values: up to 1 in 150 in these data sets; of five cells none.
_FEW = 5
_SETTLE = "settle it with --transform arcsinh (they are counts) or --transform none (they are transformed)"


@dataclass(frozen=True)
class Decision:
    """Whether values are to be transformed, and why.

    Attributes
    ----------
    name
        ``arcsinh``: transform them; ``none``: take them as they are.
    cofactors
        Of the arcsinh scale, for the way there or back.
    reason
        Half a sentence for the user.
    warning
        A doubt that the user should know of; empty if there is none.
    """

    name: Literal["arcsinh", "none"]
    cofactors: Cofactors
    reason: str
    warning: str = ""


@dataclass(frozen=True)
class _Evidence:
    scale: Literal["counts", "arcsinh", "unclear"]
    brightest: float
    why: str


def decide(
    values: Sequence[NDArray[np.float32]],
    *,
    requested: Transform,
    cofactor: float | Literal["auto"] = "auto",
    own: Mapping[str, float] | None = None,
    names: Sequence[str] = (),
    instruments: Sequence[str] = (),
) -> Decision:
    """Decide, for all batches together, whether their values still need the arcsinh transform.

    Parameters
    ----------
    values
        One array per batch, each (n_cells, n_markers), of protein markers only.
    requested
        What the user asked for; ``auto`` leaves it to the values.
    cofactor
        Of the arcsinh scale; ``auto`` leaves it to the values.
    own
        Cofactors of some markers, by `marker_key`.
    names
        Names of the batches, for messages; numbers from 1 if not given.
    instruments
        What their files call the instruments that measured them; empty where a file does not say.

    Returns
    -------
    Decision
        What to do and why.

    Raises
    ------
    InputError
        The values leave it open, the batches are on different scales, or arcsinh was asked for values that
        are plainly transformed already.
    """
    judged = [_judge(np.asarray(batch)) for batch in values]
    called = [f"batch {name!r}" for name in names] or [f"batch {i}" for i in range(1, len(judged) + 1)]
    counts, arcsinh = ([e for e in judged if e.scale == scale] for scale in ("counts", "arcsinh"))
    there = Cofactors(MASS if cofactor == "auto" else cofactor, own or {})

    def noise() -> dict[str, Noise]:
        told = [*instruments, *[""] * (len(values) - len(instruments))]
        return {
            name: Noise.of(np.asarray(batch), instrument)
            for name, batch, instrument in zip(called, values, told, strict=True)
        }

    because = max(counts or arcsinh, key=lambda e: e.brightest).why if counts or arcsinh else ""
    if requested == "none":
        doubt = f"the values were taken as they are, but look like counts: {because}" if counts else ""
        return Decision("none", there, "taken as they are, as asked", doubt)
    if requested == "arcsinh":
        if arcsinh:
            msg = (
                "--transform arcsinh was asked for, but the values look transformed already: "
                f"{arcsinh[0].why}. Use --transform none, or give the raw counts"
            )
            raise InputError(msg)
        return _to_arcsinh(cofactor, own, noise(), "as asked")
    if counts and arcsinh:
        told = "; ".join(f"{name}: {e.scale}, {e.why}" for name, e in zip(called, judged, strict=True))
        msg = f"the batches are on different scales ({told}). Give all as counts, or all transformed alike"
        raise InputError(msg)
    for name, evidence in zip(called, judged, strict=True):
        # A batch too small or too dim to tell is judged with its siblings if it reaches about as high.
        sibling = any(1 / 3 < evidence.brightest / e.brightest < 3 for e in counts or arcsinh)
        if evidence.scale == "unclear" and not sibling:
            msg = f"are the values of {name} counts or transformed? {evidence.why}; {_SETTLE}"
            raise InputError(msg)
    if counts:
        return _to_arcsinh(cofactor, own, noise(), f"since the values are counts: {because}")
    return Decision("none", there, f"taken as they are, since they are transformed already: {because}")


def scale_of(values: NDArray[np.float32]) -> tuple[Literal["counts", "arcsinh", "unclear"], str]:
    """Tell the scale of protein markers, ``(n_cells, n_markers)``, and in words what it was told by."""
    evidence = _judge(values)
    if evidence.scale == "arcsinh" and len(values) < _FEW:
        return "unclear", "too few cells to tell"
    return evidence.scale, evidence.why


def other_scale(values: NDArray[np.float32], transform: Literal["arcsinh", "none"], *, insisted: bool) -> str:
    """Say in words how further cells are plainly on another scale than the first ones; empty if they are not.

    Parameters
    ----------
    values
        Protein markers of the further cells, ``(n_cells, n_markers)``.
    transform
        What was decided for the first ones.
    insisted
        Whether these were taken as they are although they look like counts.
    """
    scale, why = scale_of(values)
    if (transform, scale) == ("arcsinh", "arcsinh"):
        return f"ion counts, but these look transformed already: {why}"
    if (transform, scale) == ("none", "counts") and not insisted:
        return f"transformed values, but these look like ion counts: {why}"
    return ""


def to_arcsinh(counts: NDArray[Float], cofactor: float | NDArray[np.float32]) -> NDArray[Float]:
    """Bring counts to the arcsinh scale, by one cofactor or one a column; negative counts are fine."""
    scaled: NDArray[Float] = np.arcsinh(counts / np.asarray(cofactor, dtype=counts.dtype))
    return scaled


def to_linear(values: NDArray[Float], cofactor: float | NDArray[np.float32]) -> NDArray[Float]:
    """Bring values on the arcsinh scale back to counts: the inverse of `to_arcsinh`."""
    counts: NDArray[Float] = np.sinh(values) * np.asarray(cofactor, dtype=values.dtype)
    return counts


@dataclass(frozen=True, eq=False)
class Standardise:
    """Standard units per marker: subtract the mean, divide by the standard deviation.

    Attributes
    ----------
    mean
        Means, (n_markers,).
    sd
        Standard deviations, (n_markers,), all positive.
    """

    mean: NDArray[np.float32]
    sd: NDArray[np.float32]

    @classmethod
    def of(cls, values: NDArray[np.float32], *, floor: float = 0.05) -> Standardise:
        """Measure the units of `values`.

        Parameters
        ----------
        values
            (n_cells, n_markers).
        floor
            No standard deviation is taken for smaller than this share of the median one: a marker that is
            constant in one batch would otherwise turn the faintest noise of another into the loudest marker.

        Returns
        -------
        Standardise
            Of `values`.
        """
        sd = values.std(axis=0, dtype=np.float64)
        positive = sd[sd > 1e-6]  # a constant column has a standard deviation of rounding errors
        least = floor * float(np.median(positive)) if positive.size else 1.0
        mean = values.mean(axis=0, dtype=np.float64)
        return cls(mean.astype(np.float32), np.maximum(sd, least).astype(np.float32))

    def at(self, columns: Sequence[int]) -> Standardise:
        """Return the units of some of the markers."""
        return Standardise(self.mean[list(columns)], self.sd[list(columns)])

    def apply(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring values, (n_cells, n_markers), to standard units."""
        return (values - self.mean) / self.sd

    def invert(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring standard units, (n_cells, n_markers), back to values."""
        return values * self.sd + self.mean

    def to_values(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """Do the same in double precision."""
        return cells * self.sd + self.mean

    def to_units(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bring values to standard units in double precision."""
        return (values - self.mean) / self.sd


def _judge(values: NDArray[np.float32]) -> _Evidence:
    """Tell the scale of one batch, (n_cells, n_markers), and in words what it was told by."""
    q99, top = np.quantile(values, [0.99, 0.999], axis=0)
    brightest = float(top.max())
    seen = f"the 99.9% quantile of the brightest marker is {brightest:.4g}"
    doubt = ""
    if brightest > _LOWEST_COUNTS:
        low = float(np.mean(top <= _HIGHEST_ARCSINH))
        if low <= 0.75:
            return _Evidence("counts", brightest, seen)
        doubt = f"but {low:.0%} of the markers stay below {_HIGHEST_ARCSINH:g}"
    elif brightest > _HIGHEST_ARCSINH:
        doubt = "high for the arcsinh scale and low for counts"
    elif brightest < 2:
        doubt = "low for both (perhaps they were rescaled to 0..1)"
    elif _standardised(values):
        doubt = "and every marker has mean 0 and standard deviation 1, so they were standardised"
    elif np.array_equal(values, np.round(values)):
        doubt = "but all values are whole numbers"
    else:
        bright = np.argsort(-q99)[: max(2, len(top) // 4)]
        if np.median(top[bright] / np.maximum(q99[bright], 1e-9)) > _SHOULDER:
            doubt = "but the tails are as long as those of counts"
    if doubt:
        return _Evidence("unclear", brightest, f"{seen}, {doubt}")
    return _Evidence("arcsinh", brightest, f"{seen} and the tails are short")


def _standardised(values: NDArray[np.float32]) -> bool:
    mean, sd = values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)
    return bool(np.all(np.abs(mean) < 0.05) and np.all(np.abs(sd - 1) < 0.05))


def _to_arcsinh(
    cofactor: float | Literal["auto"], own: Mapping[str, float] | None, noise: Mapping[str, Noise], why: str
) -> Decision:
    """Decide for the transform, with the cofactor that was asked for or that suits the noise of batches."""
    doubt = ""
    if cofactor == "auto":
        cofactor, suits = choose_cofactor(noise)
        why = f"{why}; the cofactor since {suits}"
    elif not own:
        doubt = torn(cofactor, noise)
    besides = " (some markers by cofactors of their own)" if own else ""
    reason = f"arcsinh(x / {cofactor:g}){besides}, {why}"
    return Decision("arcsinh", Cofactors(cofactor, own or {}), reason, doubt)
