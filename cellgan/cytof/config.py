"""The settings of one alignment; the command line reads its defaults here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, get_args

from cellgan.errors import ConfigError
from cellgan.seeds import check_seed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Transform = Literal["auto", "arcsinh", "none"]
Method = Literal["matched", "magan", "quantiles"]
Device = Literal["auto", "cpu", "cuda", "mps"]

LABELS = "labels:"
LEARNING_SEED = 0  # see `AlignConfig.for_learning`
CONSENSUS = "consensus"


@dataclass(frozen=True, kw_only=True)
class AlignConfig:
    """How to align batches onto a reference.

    Attributes
    ----------
    reference
        Name of the reference batch, whose cells are not moved; the first batch if not given. ``consensus``:
        the frame is made from all batches, and none is privileged.
    transform
        ``arcsinh``: values are ion counts; ``none``: they are on the arcsinh scale already; ``auto`` decides
        from the values, and stops where they leave it open.
    cofactor
        ``arcsinh(x / cofactor)``; ``auto`` chooses by how far values spread around zero: 5 for mass, 150 for
        flow, 6000 for spectral flow cytometry, or what suits them, and stops where they leave it open.
    cofactors
        Own ones of some markers, by name.
    markers
        Markers to align; all shared protein markers if empty.
    correspondence
        What ties a cell to its counterpart: ``shared`` (its own values on shared markers), ``labels:KEY``
        (cells with the same value of ``obs[KEY]``), or ``none``.
    condition
        Column of ``obs`` with a treatment or a group that shall not be mistaken for a batch effect: the
        alignment is learned from cells drawn so that both batches hold equal shares of every condition.
    anchor_key
        Control cells that were measured in every batch, from which alone the alignment is learned:
        ``KEY`` (where the yes-or-no column ``obs[KEY]`` says yes) or ``KEY=VALUE`` (where ``obs[KEY]`` is
        VALUE).
    method
        ``matched``: the game finds who corresponds to whom, monotone maps inside the matches move the cells;
        ``magan``: the generator moves them, as published (but starts as the identity); ``quantiles``:
        per-marker quantile matching.
    rounds
        Rounds of the game. The cost of training does not depend on the number of cells.
    impute
        Whether markers that a batch did not measure are learned from another that did.
    draws
        How many values to draw for each imputed one.
    seed
        Seed of what is drawn: values of imputed markers, networks that impute, cells that figures show.
        Aligned values are the same for all seeds.
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
    cofactor: float | Literal["auto"] = "auto"
    cofactors: Mapping[str, float] = field(default_factory=dict)
    markers: tuple[str, ...] = ()
    correspondence: str = "shared"
    condition: str | None = None
    anchor_key: str | None = None
    method: Method = "matched"
    rounds: int = 200
    impute: bool = True
    draws: int = 1
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
        self._check_cofactors()
        if self.rounds < 1:
            msg = f"rounds is {self.rounds}; a game of no rounds aligns nothing: give at least 1"
            raise ConfigError(msg)
        if self.draws < 1:
            msg = f"draws is {self.draws}; expected 1 or more. To impute nothing: --no-impute, impute=False"
            raise ConfigError(msg)
        if self.draws > 1 and not self.impute:
            msg = f"draws is {self.draws}, but nothing is to be imputed: leave one of the two out"
            raise ConfigError(msg)
        check_seed(self.seed)
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

        self._check_controls()

    def for_learning(self) -> AlignConfig:
        """Return the settings that aligned values are learned with: the seed is always the same.

        Where clusters begin, how a game goes and which cells are held out could have been chosen otherwise.
        Nobody gains by choosing anew in each run: so aligned values are a function of the cells and settings
        alone, and `aligned_sd` tells how far they may be off, other choices included.
        """
        return replace(self, seed=LEARNING_SEED)

    @property
    def label_key(self) -> str | None:
        """The ``obs`` column behind ``labels:KEY``; None for other correspondences."""
        return (
            self.correspondence.removeprefix(LABELS) or None
            if self.correspondence.startswith(LABELS)
            else None
        )

    def _check_cofactors(self) -> None:
        """See that cofactors are positive numbers."""
        given: dict[str, object] = {f"cofactors[{name!r}]": value for name, value in self.cofactors.items()}
        if self.cofactor != "auto":
            given["cofactor"] = self.cofactor
        for name, value in given.items():
            if not isinstance(value, (int, float)) or not 0 < value < float("inf"):
                msg = (
                    f"{name} is {value}; expected a positive number (CyTOF: 5, flow cytometry: 150), or "
                    "auto to choose by the values"
                )
                raise ConfigError(msg)

    def _check_controls(self) -> None:
        """See that condition and anchor_key name a column, and go together with the other settings."""
        for name, value in (("condition", self.condition), ("anchor_key", self.anchor_key)):
            if value is not None and not value.strip():
                msg = f"{name} is {value!r}; expected the name of an obs column, or None to leave it out"
                raise ConfigError(msg)
        if self.anchor_key is not None and self.anchor_key.strip()[0] == "=":
            msg = f"anchor_key is {self.anchor_key!r}, with no column before '='; expected KEY or KEY=VALUE"
            raise ConfigError(msg)
        if self.condition is not None and self.anchor_key is not None:
            msg = (
                f"condition is {self.condition!r} and anchor_key is {self.anchor_key!r}: give one of them. "
                "Controls were treated alike in every batch, so nothing is left for the condition to say"
            )
            raise ConfigError(msg)
        others = {"condition": self.condition, "anchor_key": self.anchor_key}
        if self.label_key:
            others["correspondence"] = self.correspondence
        for name, value in others.items():
            if self.reference == CONSENSUS and value is not None:
                msg = (
                    f"reference is {CONSENSUS!r} and {name} is {value!r}: these do not go together yet; "
                    f"name a batch as the reference, or leave {name} out"
                )
                raise ConfigError(msg)


def check_anchors(config: AlignConfig) -> None:
    """See that a table of anchors goes together with the settings.

    Raises
    ------
    ConfigError
        A setting says otherwise where the alignment is to be learned from, or does not go with it yet.
    """
    for name, value in (("anchor_key", config.anchor_key), ("condition", config.condition)):
        if value is not None:
            msg = (
                f"anchors were given and {name} is {value!r}: give one of them. Both say which cells the "
                "alignment is learned from"
            )
            raise ConfigError(msg)
    if config.reference == CONSENSUS:
        msg = (
            f"anchors were given and reference is {CONSENSUS!r}: these do not go together yet; name a batch "
            "as the reference, or leave the anchors out"
        )
        raise ConfigError(msg)


def check_reference(config: AlignConfig, batches: Sequence[str]) -> None:
    """See that ``consensus`` does not mean a batch and the frame of all batches at once.

    Parameters
    ----------
    config
        Settings.
    batches
        Names of the batches, of which the first one is the reference if `config` names none.

    Raises
    ------
    ConfigError
        The reference is called so, and a batch is.
    """
    reference = batches[0] if config.reference is None else config.reference
    if reference == CONSENSUS and CONSENSUS in batches:
        msg = (
            f"the reference is {CONSENSUS!r}, which stands for a frame that is made from all batches, but "
            "one of the batches is called so: give that batch another name"
        )
        raise ConfigError(msg)


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        msg = f"{name} is {value!r}; expected one of {', '.join(choices)}"
        raise ConfigError(msg)
