"""Adapt an encoder to a target domain: play the game, look at it without labels, and choose."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Generator, Tensor, nn

from cellgan.adaptation.adda import Adda
from cellgan.adaptation.choice import Chooser, Keep
from cellgan.adaptation.config import AdaptConfig
from cellgan.adaptation.criterion import choose, look, right
from cellgan.core.batches import Batches
from cellgan.core.checkpoint import digest_of
from cellgan.core.device import Execution, Precision
from cellgan.core.match import Match, play
from cellgan.core.nets import mlp
from cellgan.core.randomness import numbered, seeded
from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellgan.adaptation.criterion import Look
    from cellgan.adaptation.domains import Domains
    from cellgan.core.match import BatchSource
    from cellgan.core.player import Batch
    from cellgan.core.watch import Watcher

Augment = Callable[[Tensor, Generator], Tensor]
Progress = Callable[[str, float], None]
LookAt = Callable[[int, nn.Module], "Look"]
ROWS = 512  # rows at a time, when networks are applied


@dataclass(frozen=True, eq=False)
class Adaptation:
    """The encoder to use for the target, and how it was chosen.

    Attributes
    ----------
    encoder
        From target rows to features; the head is the source's.
    head
        From features to raw scores.
    looks
        All candidates, the source encoder first.
    chosen
        The place of the one that is kept.
    candidates
        Their encoders, in the same order.
    config
        The settings.
    """

    encoder: nn.Module
    head: nn.Module
    looks: tuple[Look, ...]
    chosen: int
    candidates: tuple[nn.Module, ...]
    config: AdaptConfig

    @property
    def kept(self) -> Literal["adapted", "source"]:
        """Whether the encoder is an adapted one, or the source's since none looked better."""
        return "adapted" if self.chosen else "source"

    def probabilities(self, rows: Tensor) -> Tensor:
        """Return the labels' probabilities of target rows, ``(n, n_labels, ...)``."""
        return probabilities(self.encoder, self.head, rows)


def adapt(
    encoder: nn.Module,
    head: nn.Module,
    domains: Domains,
    config: AdaptConfig | None = None,
    *,
    augment: Augment | None = None,
    watchers: Sequence[Watcher] = (),
    keep: Keep | None = None,
) -> Adaptation:
    """Adapt a classifier's encoder to target rows that have no labels.

    The discriminator is the paper's, with 500 and 500 hidden features; for another, or for outputs that are
    maps, see `play_adaptation`.

    Parameters
    ----------
    encoder
        From rows ``(n, ...)`` to features ``(n, n_features)``, trained on the source.
    head
        From features to raw scores ``(n, n_labels)``, trained with it. Both are left alone, and used without
        dropout.
    domains
        Source rows with labels, and target rows.
    config
        Settings; None takes the defaults.
    augment
        Changes source and target rows alike, before each turn; None leaves them as they are.
    watchers
        Of the match.
    keep
        Where the match is kept while it is played, so that it can be resumed. None keeps nothing.

    Returns
    -------
    The adaptation.

    Raises
    ------
    ConfigError
        Pseudo-labels have a weight, which these mini-batches do not hold.
    InputError
        Rows are missing, not finite, alike, of different shapes, or of one class only.
    ModelError
        The match that is to be resumed is another one.
    """
    config = config or AdaptConfig()
    if config.pseudo_label_weight:
        msg = "pseudo_label_weight is for play_adaptation, with mini-batches that hold them; expected 0"
        raise ConfigError(msg)
    domains.check()
    encoder, head = (deepcopy(network).eval() for network in (encoder, head))
    with torch.no_grad():
        seen = encoder(domains.source[:2])
        seen = head(seen) if config.sees == "scores" else seen
    with seeded(config.seed), torch.enable_grad():
        discriminator = mlp(seen.shape[1], 1, hidden=(500, 500), slope=0.0)
    game = Adda.start(encoder, head, discriminator, config)

    def look_at(number: int, candidate: nn.Module) -> Look:
        kept = right(probabilities(candidate, head, domains.source), domains.labels)
        return look(number, probabilities(candidate, head, domains.target), source_kept=kept)

    batches = DomainBatches(domains, size=config.size, seed=config.seed, augment=augment)
    settings = {"config": asdict(config), "data": digest_of(*domains)}
    return play_adaptation(game, batches, look_at, settings=settings, watchers=watchers, keep=keep)


def play_adaptation(
    game: Adda,
    batches: BatchSource,
    look_at: LookAt,
    *,
    settings: Mapping[str, object],
    watchers: Sequence[Watcher] = (),
    keep: Keep | None = None,
    precision: Precision = "float32",
) -> Adaptation:
    """Play the game on any mini-batches, look at it, and choose.

    Parameters
    ----------
    game
        Fresh from `Adda.start`; it is played on the device of its source encoder.
    batches
        What its players take.
    look_at
        From a round and an encoder to what is known of it.
    settings
        What a match that is resumed must have been started with; JSON.
    watchers, keep
        As in `adapt`.
    precision
        What the match is computed in: see `cellgan.core.device.Execution`.
    """
    config = game.config
    device = next(game.source_encoder.parameters()).device
    match = Match(game, seed=config.seed, device=device, execution=Execution(precision))
    chooser = Chooser(game, look_at, config, keep=keep)
    chooser.start(match, settings)
    if match.round < config.rounds:
        play(match, batches, rounds=config.rounds - match.round, watchers=[*watchers, chooser])
    last = len(chooser.looks) - 1
    chosen = choose(chooser.looks, tolerance=config.tolerance) if config.checkpoints else last
    candidates = tuple(chooser.encoder(place) for place in range(last + 1))
    chooser.clear()
    return Adaptation(candidates[chosen], game.head, tuple(chooser.looks), chosen, candidates, config)


class DomainBatches:
    """Endless mini-batches of both domains; batch i is a function of the seed and i alone.

    Parameters
    ----------
    domains
        The rows.
    size
        Rows of each domain.
    seed
        Of the rows and of the augmentation.
    augment
        Changes the rows of both.
    """

    def __init__(self, domains: Domains, *, size: int, seed: int, augment: Augment | None = None) -> None:
        tables = {"source": domains.source, "label": domains.labels, "target": domains.target}
        self._rows = Batches(tables, size=size, seed=seed, together=[("source", "label")])
        self._seed, self._augment = seed, augment

    def __getitem__(self, index: int) -> Batch:
        """Return mini-batch number `index`."""
        batch = dict(self._rows[index])
        if self._augment is not None:
            generator = numbered(self._seed, "augment", index)
            batch |= {name: self._augment(batch[name], generator) for name in ("source", "target")}
        return batch


@torch.no_grad()
def probabilities(encoder: nn.Module, head: nn.Module, rows: Tensor) -> Tensor:
    """Return the labels' probabilities of rows, ``(n, n_labels, ...)``, a bounded number at a time."""
    return torch.cat([head(encoder(part)).softmax(1) for part in torch.split(rows, ROWS)])
