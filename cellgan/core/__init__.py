"""Adversarial games on tensors: a game is players and objectives, and one loop plays it.

A game is any object with ``players()`` and ``spectators()``. A player has networks that move on its turn, and
an objective: from a mini-batch to named scalar terms, whose sum is descended. Freezing everybody else is the
loop's work.

>>> import torch
>>> from cellgan.core import Batches, History, Match, every, play
>>> from cellgan.cytof.magan import SharedMarkers, magan_for_cells
>>> a, b = torch.randn(1000, 5), torch.randn(900, 5) + 1
>>> game = magan_for_cells(5, 5, correspondence=SharedMarkers((0, 1, 2, 3, 4), (0, 1, 2, 3, 4)), seed=0)
>>> match = Match(game, seed=0)
>>> history = History()
>>> play(match, Batches({"a": a, "b": b}, size=256, seed=0), rounds=20, watchers=[every(10, history)])
>>> history.rounds
[10, 20]
>>> with torch.no_grad():
...     ab = game.generator_ab(a)
>>> ab.shape
torch.Size([1000, 5])
"""

from cellgan.core.batches import Batches
from cellgan.core.checkpoint import load_match, read_tensors, save_match, write_tensors
from cellgan.core.device import Execution, Processes, joined, pick
from cellgan.core.match import Match, play
from cellgan.core.player import Adam, Batch, Game, Player, Terms
from cellgan.core.randomness import seeded
from cellgan.core.watch import (
    EarlyStop,
    History,
    ProgressBar,
    RoundReport,
    SaveEvery,
    StopPlay,
    Told,
    Watcher,
    every,
)

__all__ = [
    "Adam",
    "Batch",
    "Batches",
    "EarlyStop",
    "Execution",
    "Game",
    "History",
    "Match",
    "Player",
    "Processes",
    "ProgressBar",
    "RoundReport",
    "SaveEvery",
    "StopPlay",
    "Terms",
    "Told",
    "Watcher",
    "every",
    "joined",
    "load_match",
    "pick",
    "play",
    "read_tensors",
    "save_match",
    "seeded",
    "write_tensors",
]
