"""Looks at the target encoder while the game is played, and keeps every candidate until one is chosen."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

from cellgan.adaptation.criterion import Look
from cellgan.atomic import make_folder
from cellgan.core.checkpoint import check_same_start, load_match, read_tensors, save_match, write_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Tensor, nn

    from cellgan.adaptation.adda import Adda
    from cellgan.adaptation.config import AdaptConfig
    from cellgan.core.match import Match
    from cellgan.core.watch import RoundReport

UNFINISHED, CANDIDATES = "unfinished.safetensors", "unfinished_candidates.safetensors"


class Keep(NamedTuple):
    """Where a match and its candidates are kept while it is played.

    Attributes
    ----------
    folder
        It is made if its parent is there.
    resume
        Go on with the match that is kept there, if there is one; otherwise it is thrown away.
    """

    folder: Path
    resume: bool = False


class Chooser:
    """A watcher that looks at the averaged encoder, and remembers it.

    Parameters
    ----------
    game
        What is played.
    look_at
        From a round and an encoder to what is known of it without target labels.
    config
        How often it looks.
    keep
        Where the match and the candidates are kept at each look; None keeps them in memory alone.

    Attributes
    ----------
    looks
        The source encoder's first.
    """

    def __init__(
        self,
        game: Adda,
        look_at: Callable[[int, nn.Module], Look],
        config: AdaptConfig,
        *,
        keep: Keep | None,
    ) -> None:
        self._game, self._look_at = game, look_at
        self._folder = keep.folder if keep else None
        self._resume = keep is not None and keep.resume
        self._every = max(1, config.rounds // max(1, config.checkpoints))
        self._settings: dict[str, object] = {}
        self._states: list[dict[str, Tensor]] = []
        self.looks: list[Look] = []

    def start(self, match: Match, settings: Mapping[str, object]) -> None:
        """Look at the source encoder; or take up a match that was kept.

        Raises
        ------
        ModelError
            It was started with other data or settings, or is damaged.
        """
        self._settings = json.loads(json.dumps(dict(settings)))
        kept = self._folder and self._folder / CANDIDATES
        if self._resume and kept is not None and kept.exists():
            tensors, meta = read_tensors(kept)
            check_same_start(kept, meta["settings"], self._settings)
            load_match(match, kept.with_name(UNFINISHED))
            looks = [Look(**each) for each in meta["looks"]]
            # A run that was killed between its two files looks once more.
            self.looks = [each for each in looks if each.round <= match.round]
            self._states = [
                {name.split("/", 1)[1]: t for name, t in tensors.items() if name.startswith(f"{k}/")}
                for k in range(len(self.looks))
            ]
            for place, each in enumerate(self.looks):  # who looks may remember what it saw
                self._look_at(each.round, self.encoder(place))
            return
        if self._folder is not None:
            make_folder(self._folder)
            self.clear()
        self._remember(0)

    def wants(self, number: int, last_round: int) -> bool:
        """Tell whether this round is looked at."""
        return number == last_round or number % self._every == 0

    def __call__(self, report: RoundReport) -> None:
        """Look, and keep."""
        if not self.wants(report.round, report.last_round):
            return
        self._remember(report.round)
        if self._folder is None:
            return
        tensors = {f"{k}/{name}": t for k, state in enumerate(self._states) for name, t in state.items()}
        meta = {"settings": self._settings, "looks": [asdict(each) for each in self.looks]}
        write_tensors(self._folder / CANDIDATES, tensors, meta)
        save_match(report.match, self._folder / UNFINISHED)

    def encoder(self, place: int) -> nn.Module:
        """Return a candidate as a network of its own."""
        network = deepcopy(self._game.averaged)
        network.load_state_dict(self._states[place])
        return network.eval()

    def clear(self) -> None:
        """Remove what was kept on disk."""
        if self._folder is not None:
            for name in (CANDIDATES, UNFINISHED):
                (self._folder / name).unlink(missing_ok=True)

    def _remember(self, number: int) -> None:
        encoder = self._game.averaged.eval()
        self.looks.append(self._look_at(number, encoder))
        self._states.append({name: t.detach().cpu().clone() for name, t in encoder.state_dict().items()})
