"""Cross-validation by case: every case is segmented by a model that has seen none of its slices."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from cellgan.atomic import make_folder
from cellgan.core.device import pick
from cellgan.errors import ConfigError, InputError
from cellgan.segmentation.evaluation import Evaluation, evaluate_pairs
from cellgan.segmentation.pairs import Pair
from cellgan.segmentation.prediction import outputs, predict
from cellgan.segmentation.training import train
from cellgan.segmentation.training_set import read_training_set

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cellgan.core.device import DeviceName
    from cellgan.segmentation.cases import Case
    from cellgan.segmentation.config import Pieces, SegmentConfig
    from cellgan.segmentation.training import Progress


def cross_validate(
    cases: Sequence[Case],
    config: SegmentConfig,
    *,
    folds: int,
    folder: Path,
    pieces: Pieces = "as-trained",
    device: DeviceName = "auto",
    progress: Progress | None = None,
) -> Evaluation:
    """Train once a fold on the cases outside of it, and score the cases within.

    Parameters
    ----------
    cases
        All cases.
    config
        Settings of each training.
    folds
        How many.
    folder
        Gets the masks of all cases, with maps of probability and uncertainty; made if its parent is there.
    pieces
        See `cellgan.segmentation.predict`.
    device
        Where models are trained and used.
    progress
        Called with a stage and the part of it that is done.

    Returns
    -------
    The scores of all cases.

    Raises
    ------
    ConfigError
        There are too few or many folds, or there is no such device.
    InputError
        A case cannot be used, or two have images of one name.
    """
    fold = folds_of(cases, folds, seed=config.seed)
    pick(device)
    names = Counter(outputs(case.images[0], uncertainty=False)[0] for case in cases)
    if twice := [name for name, n in names.items() if n > 1]:
        msg = f"the masks of {names[twice[0]]} cases would all be called {twice[0]}; rename their images"
        raise InputError(msg)
    say = progress or (lambda _stage, _done: None)
    say("reading the cases", 0.0)
    read_training_set(cases, config)  # a case that cannot be used is told now, not after hours
    make_folder(folder)
    pairs: dict[str, Pair] = {}
    for number in range(folds):

        def told(stage: str, done: float, at: int = number) -> None:
            say(f"fold {at + 1} of {folds}: {stage}", done)

        others = [case for case, k in zip(cases, fold, strict=True) if k != number]
        model = train(others, config, device=device, progress=told)
        for case in (case for case, k in zip(cases, fold, strict=True) if k == number):
            mask, *_ = predict(model, case.images, pieces=pieces).write(folder, uncertainty=True)
            pairs[case.name] = Pair(case.name, case.site, mask, case.mask, case.images[0])
    return evaluate_pairs([pairs[case.name] for case in cases])


def folds_of(cases: Sequence[Case], folds: int, *, seed: int) -> list[int]:
    """Return the fold of each case: the cases of each site, shuffled, are dealt out in turn.

    Raises
    ------
    ConfigError
        There are fewer than two folds, or fewer cases than folds.
    """
    if not 2 <= folds <= len(cases):
        msg = f"folds is {folds}; expected from 2 to the number of cases, {len(cases)}"
        raise ConfigError(msg)
    shuffled = np.random.default_rng(seed).permutation(len(cases)).tolist()
    order = sorted(shuffled, key=lambda row: cases[row].site)
    found = [0] * len(cases)
    for turn, row in enumerate(order):
        found[row] = turn % folds
    return found
