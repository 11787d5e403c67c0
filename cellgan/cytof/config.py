"""The settings of one alignment; the command line reads its defaults here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from cellgan.errors import ConfigError

Transform = Literal["auto", "arcsinh", "none"]
Method = Literal["matched", "magan", "quantiles"]
Device = Literal["auto", "cpu", "cuda", "mps"]

LABELS = "labels:"
MAX_SEED = 2**32  # the least that one of the libraries takes


@dataclass(frozen=True, kw_only=True)
class AlignConfig:
    """How to align batches onto a reference.

    Attributes
    ----------
    reference
        Name of the reference batch, whose cells are not moved; the first batch if not given.
    transform
        ``arcsinh``: values are ion counts; ``none``: they are on the arcsinh scale already; ``auto`` decides
        from the values, and stops where they leave it open.
    cofactor
        ``arcsinh(x / cofactor)``; 5 is customary for mass cytometry.
    markers
        Markers to align; all shared protein markers if empty.
    correspondence
        What ties a cell to its counterpart: ``shared`` (its own values on shared markers), ``labels:KEY``
        (cells with the same value of ``obs[KEY]``), or ``none``.
    method
        ``matched``: the game finds who corresponds to whom, monotone maps inside the matches move the cells;
        ``magan``: the generator moves them, as published (but starts as the identity); ``quantiles``:
        per-marker quantile matching.
    rounds
        Rounds of the game. The cost of training does not depend on the number of cells.
    seed
        Seed of everything random.
    device
        Where the game is played.
    threads
        Threads for computation; 0 leaves the choice to the libraries.

    Raises
    ------
    ConfigError
        A value is out of range or would make the alignment do nothing.
    """

    reference: str | None = None
    transform: Transform = "auto"
    cofactor: float = 5.0
    markers: tuple[str, ...] = ()
    correspondence: str = "shared"
    method: Method = "matched"
    rounds: int = 300
    seed: int = 0
    device: Device = "auto"
    threads: int = 0

    def __post_init__(self) -> None:
        _one_of("transform", self.transform, get_args(Transform))
        _one_of("method", self.method, get_args(Method))
        _one_of("device", self.device, get_args(Device))
        if self.correspondence not in {"shared", "none"} and not self.label_key:
            msg = f"correspondence is {self.correspondence!r}; expected 'shared', 'none' or '{LABELS}KEY'"
            raise ConfigError(msg)
        if not 0 < self.cofactor < float("inf"):
            msg = f"cofactor is {self.cofactor}; expected a positive number (CyTOF: 5, flow cytometry: 150)"
            raise ConfigError(msg)
        if self.rounds < 1:
            msg = f"rounds is {self.rounds}; a game of no rounds aligns nothing: give at least 1"
            raise ConfigError(msg)
        if not 0 <= self.seed < MAX_SEED:
            msg = f"seed is {self.seed}; expected a whole number from 0 to {MAX_SEED - 1}"
            raise ConfigError(msg)
        if self.threads < 0:
            msg = f"threads is {self.threads}; expected a positive number, or 0 to leave it to the libraries"
            raise ConfigError(msg)
        markers: object = self.markers  # not everybody has a type checker
        if isinstance(markers, str):
            msg = f"markers is the text {markers!r}; expected a tuple of names, such as ('CD3', 'CD19')"
            raise ConfigError(msg)
        if len(self.markers) == 1:
            msg = f"only one marker was chosen, {self.markers[0]!r}; cells are matched on two markers or more"
            raise ConfigError(msg)

    @property
    def label_key(self) -> str | None:
        """The ``obs`` column behind ``labels:KEY``; None for other correspondences."""
        return (
            self.correspondence.removeprefix(LABELS) or None
            if self.correspondence.startswith(LABELS)
            else None
        )


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        msg = f"{name} is {value!r}; expected one of {', '.join(choices)}"
        raise ConfigError(msg)
