"""Train a segmenter on a table of cases."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from cellgan.atomic import atomic, make_folder
from cellgan.core.checkpoint import check_same_start, digest_of, load_match
from cellgan.core.device import DeviceName, Execution, pick
from cellgan.core.match import Match, play
from cellgan.core.watch import SaveEvery, Told
from cellgan.errors import ModelError
from cellgan.segmentation.cases import TRAINED_ON, Case, read_cases, write_cases
from cellgan.segmentation.config import SegmentConfig
from cellgan.segmentation.familiarity import KnownCases, Sight, known_cases
from cellgan.segmentation.game import game_of
from cellgan.segmentation.loss_curves import LossKeeper
from cellgan.segmentation.model import SegmentationModel, seen_channels
from cellgan.segmentation.prediction import probabilities
from cellgan.segmentation.training_set import AugmentedSlices, TrainingSet, read_training_set

if TYPE_CHECKING:
    from cellgan.core.watch import Watcher

Progress = Callable[[str, float], None]

UNFINISHED, STARTED_WITH, LOSSES = "unfinished.safetensors", "unfinished.json", "unfinished_losses.json"
_SAVE_EVERY = 100  # rounds: half a minute


def train(
    cases: Path | str | Sequence[Case],
    config: SegmentConfig | None = None,
    *,
    folder: Path | None = None,
    resume: bool = False,
    device: DeviceName = "auto",
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> SegmentationModel:
    """Train a segmenter.

    Parameters
    ----------
    cases
        A table of cases (CASES.csv), or the cases.
    config
        Settings; None takes the defaults.
    folder
        Where the match is kept while it is played, so that it can be resumed, and the model in the end. None
        writes nothing.
    resume
        Go on with the match that is kept in the folder, if there is one: the model gets the same bytes as if
        nothing had stopped it.
    device
        Where the match is played; ``"auto"`` takes the fastest that there is.
    progress
        Called with a stage and the part of it that is done.
    warn
        Called with each thing that is odd about the files, before the training.

    Returns
    -------
    The model.

    Raises
    ------
    ConfigError
        There is no such device.
    InputError
        A case cannot be used.
    ModelError
        The match that is to be resumed was started with other cases or settings.
    """
    config, place = config or SegmentConfig(), pick(device)
    cases = (
        list(cases) if isinstance(cases, Sequence) and not isinstance(cases, str) else read_cases(Path(cases))
    )
    say, tell = progress or (lambda _stage, _done: None), warn or (lambda _line: None)
    say("reading the cases", 0.0)
    data = read_training_set(cases, config)
    for line in data.warnings:
        tell(line)
    game = game_of(
        config,
        n_channels=seen_channels(config, sum(data.counts)),
        n_labels=data.n_labels,
        shares=data.shares(),
    )
    match = Match(game, seed=config.seed, device=place, execution=Execution(config.precision))
    settings = {
        "version": version("cellgan"),
        "config": asdict(config),
        "cases": [case.name for case in cases],
        "data": digest_of(data.images, data.masks),
    }
    losses = LossKeeper(config.steps, path=folder and folder / LOSSES, save_every=_SAVE_EVERY)
    watchers: list[Watcher] = [Told(say, "training"), losses]
    if folder is not None:
        make_folder(folder)
        _prepare(folder, match, settings, resume=resume)
        losses.resume(match.round)
        watchers.append(SaveEvery(_SAVE_EVERY, folder / UNFINISHED))
    if match.round < config.steps:
        batches = AugmentedSlices(data, size=config.slices, seed=config.seed, device=place)
        play(match, batches, rounds=config.steps - match.round, watchers=watchers)
    about = {"version": version("cellgan"), "torch": torch.__version__, "cases": settings["cases"]}
    model = SegmentationModel(
        game.segmenter.eval(),
        config,
        data.counts,
        data.n_labels,
        data.pixel,
        about,
        losses.curves(),
        data.whereabouts(),
    )
    model = replace(model, known=remember(model, data))
    if folder is not None:
        model.save(folder)
        write_cases(folder / TRAINED_ON, cases)
        for name in (UNFINISHED, STARTED_WITH, LOSSES):
            (folder / name).unlink(missing_ok=True)
    return model


def remember(model: SegmentationModel, data: TrainingSet) -> KnownCases:
    """Note what the network sees in cases, and how large their masks are, for cases that come later."""
    figures = []
    for images, gap in zip(torch.split(data.images, list(data.lengths)), data.gaps, strict=True):
        with Sight(model.network) as sight:
            probabilities(model, images, gap=gap)
        figures.append(sight.figures())
    return known_cases(figures, data.by_case(), n_labels=data.n_labels, area=data.pixel**2, gaps=data.gaps)


def _prepare(folder: Path, match: Match, settings: dict[str, Any], *, resume: bool) -> None:
    """Load the match that was kept, or note what this one starts with."""
    kept = folder / UNFINISHED
    if resume and kept.exists():
        try:
            before = json.loads((folder / STARTED_WITH).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            msg = f"{kept} cannot be resumed, since {STARTED_WITH} is missing or damaged: {error}. Start anew"
            raise ModelError(msg) from error
        check_same_start(kept, before, settings)
        load_match(match, kept)
        return
    for name in (UNFINISHED, LOSSES):
        (folder / name).unlink(missing_ok=True)
    with atomic(folder / STARTED_WITH) as part:
        part.write_text(json.dumps(settings), encoding="utf-8")
