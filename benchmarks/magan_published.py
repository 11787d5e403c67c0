"""MAGAN's two published tasks with a known answer: three Gaussians, and digits turned by 120 degrees.

    python benchmarks/magan_published.py --digits mnist_12k.npz --runs 20

Task 1 (figure 4a-b of the paper): three Gaussians in two dimensions, in each of two domains. The first column
is shared. Without correspondence any of the pairings is as good as another; with it one is right.

Task 2 (figure 4c-d): digits 3 and 7, and the same turned by 120 degrees, with one labelled pair. A digit is
right if the nearest real digit of where it is mapped is of its own class.

Task 2 departs from the paper, which gives neither sizes nor a preparation of the images:
- Images are reduced to 30 principal components of both domains together, in one common unit.
- Generators are one linear layer each, some rotation at first: turning an image is linear in its pixels.
  Three-layer perceptrons (``--generators mlp``) pair the classes as well, but stay at about 98 % of digits
  right.
- Discriminators pay for their slope at real digits (R1, weight 0.3) instead of dropping nine tenths of their
  units.
- Learning rate 0.005, batches of 128, 2,000 rounds instead of 100,000.
- Several starts, of which the one that reconstructs best is kept. Nothing but the labelled pair's place is
  known to it.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import rotate
from torch import Tensor, nn

from cellgan.core import Adam, Batches, Match, play, seeded
from cellgan.core.nets import mlp
from cellgan.cytof.magan import LabelledPairs, Magan, SharedMarkers

CENTRES_A = torch.tensor([[-1.3, 2.2], [0.1, 1.8], [0.8, 2.0]])
CENTRES_B = torch.tensor([[-0.9, -2.0], [0.0, -2.3], [1.5, -1.5]])
ADAM = Adam(lr=5e-3, betas=(0.5, 0.99))


def right(mapped: Tensor, real: Tensor, classes: Tensor) -> float:
    """Return the share of mapped points whose nearest real point is of their own class; rows correspond."""
    nearest = torch.cat([torch.cdist(part, real).argmin(1) for part in mapped.split(2000)])
    return float((classes[nearest] == classes).float().mean())


@dataclass(frozen=True)
class Outcome:
    """How a run ended: shares of points that are right, each way, and how well the game reconstructs."""

    ab: float
    ba: float
    reconstruction: float

    @property
    def good(self) -> bool:
        """Tell whether at least 99 % are right, each way."""
        return min(self.ab, self.ba) >= 0.99


def outcome(game: Magan, a: Tensor, b: Tensor, classes: Tensor) -> Outcome:
    """Map everything and count."""
    with torch.no_grad():
        ab, ba = game.generator_ab(a), game.generator_ba(b)
        cycled = (game.generator_ba(ab) - a).square().mean() + (game.generator_ab(ba) - b).square().mean()
    return Outcome(right(ab, b, classes), right(ba, a, classes), float(cycled))


def gaussians(seed: int, *, known: bool, rounds: int = 1200, n: int = 5000) -> Outcome:
    """Play task 1 once."""
    generator = torch.Generator().manual_seed(seed)
    classes = torch.arange(3).repeat_interleave(n)
    a, b = (
        centres[classes] + 0.1 * torch.randn(3 * n, 2, generator=generator)
        for centres in (CENTRES_A, CENTRES_B)
    )
    with seeded(seed):
        game = Magan(
            mlp(2, 2, hidden=(64, 64)),
            mlp(2, 2, hidden=(64, 64)),
            mlp(2, 1, hidden=(64, 64)),
            mlp(2, 1, hidden=(64, 64)),
            correspondence=SharedMarkers((0,), (0,)) if known else None,
        )
    play(Match(game, seed=seed), Batches({"a": a, "b": b}, size=128, seed=seed), rounds=rounds)
    some = torch.randperm(3 * n, generator=generator)[:1500]
    return outcome(game, a[some], b[some], classes[some])


@dataclass(frozen=True)
class Digits:
    """3s and 7s, and the same turned, in principal components: rows correspond, for scoring alone."""

    a: Tensor
    b: Tensor
    classes: Tensor


def read_digits(path: Path, *, n_components: int = 30) -> Digits:
    """Read, turn and reduce the digits."""
    with np.load(path) as file:
        chosen = np.isin(file["y"], (3, 7))
        upright, classes = file["x"][chosen].reshape(-1, 28, 28) / np.float32(255), file["y"][chosen]
    turned = rotate(upright, 120, axes=(1, 2), reshape=False, order=1)
    both = torch.from_numpy(np.concatenate([upright, turned]).reshape(-1, 28 * 28))
    both = both - both.mean(0)
    _, directions = torch.linalg.eigh(both.T @ both)
    reduced = both @ directions[:, -n_components:].flip(1)
    reduced = reduced / reduced.square().mean().sqrt()
    return Digits(
        reduced[: len(classes)], reduced[len(classes) :], torch.from_numpy(classes.astype(np.int64))
    )


def linear(n: int) -> nn.Module:
    """Return a linear generator that is some rotation at first, another one at every start."""
    layer = nn.Linear(n, n)
    with torch.no_grad():
        nn.init.orthogonal_(layer.weight)
        layer.bias.zero_()
    return layer


@dataclass(frozen=True)
class Setting:
    """How task 2 is played."""

    known: bool = True
    generators: str = "linear"
    starts: int = 5
    rounds: int = 2000

    def __str__(self) -> str:
        """Return a row's title."""
        return f"digits, {self.generators} generators, {'one pair' if self.known else 'no pair'}"


def turned_digits(digits: Digits, setting: Setting, *, seed: int) -> list[Outcome]:
    """Play task 2 once, from several starts."""
    n = digits.a.shape[1]
    pair = int(torch.randint(len(digits.a), (1,), generator=torch.Generator().manual_seed(seed)))
    outcomes = []
    for start in range(1000 * seed, 1000 * seed + setting.starts):
        with seeded(start):
            if setting.generators == "linear":
                generators, optimizer = (linear(n), linear(n)), ADAM
            else:
                generators = mlp(n, n, hidden=(128, 128)), mlp(n, n, hidden=(128, 128))
                optimizer = Adam(lr=2e-3, betas=(0.5, 0.99))
            game = Magan(
                *generators,
                mlp(n, 1, hidden=(128, 128)),
                mlp(n, 1, hidden=(128, 128)),
                correspondence=LabelledPairs(digits.a[[pair]], digits.b[[pair]]) if setting.known else None,
                slope_weight=0.3,
                optimizer=optimizer,
            )
        batches = Batches({"a": digits.a, "b": digits.b}, size=128, seed=start)
        play(Match(game, seed=start), batches, rounds=setting.rounds)
        outcomes.append(outcome(game, digits.a, digits.b, digits.classes))
        print(f"{setting}, seed {seed}, start {start}: {outcomes[-1]}", file=sys.stderr, flush=True)
    return outcomes


def best(outcomes: list[Outcome]) -> Outcome:
    """Choose among starts without looking at the classes."""
    return min(outcomes, key=lambda o: o.reconstruction)


def table(title: str, outcomes: list[Outcome], seconds: float) -> None:
    """Print a row."""
    good = sum(o.good for o in outcomes)
    shares = sorted((o.ab + o.ba) / 2 for o in outcomes)
    swapped = sum(share < 0.5 for share in shares)
    print(
        f"| {title} | {good} of {len(outcomes)} | {np.median(shares):.3f} | {shares[0]:.3f} | {swapped} "
        f"| {seconds / len(outcomes):.1f} |",
        flush=True,
    )


def main() -> None:
    """Run both tasks and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--digits", type=Path, help="an .npz file with MNIST images x and classes y")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--starts", type=int, default=5, help="starts of task 2, of which the best is kept")
    parser.add_argument("--rounds", type=int, default=2000, help="rounds of task 2")
    parser.add_argument("--generators", choices=("linear", "mlp"), default="linear", help="of task 2")
    parser.add_argument("--task", choices=("gaussians", "digits"), help="one of the two only")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.runs)
    print("| task | runs with >= 99 % right | median right | worst | runs below half | s/run |")
    print("|---|---|---|---|---|---|")
    if options.task != "digits":
        for known in (True, False):
            began = time.perf_counter()
            outcomes = [gaussians(seed, known=known) for seed in seeds]
            title = f"Gaussians, {'one shared column' if known else 'nothing known'}"
            table(title, outcomes, time.perf_counter() - began)
    if options.task != "gaussians" and options.digits:
        digits = read_digits(options.digits)
        for known, starts in ((True, options.starts), (False, 1)):
            setting = Setting(known, options.generators, starts, options.rounds)
            began = time.perf_counter()
            played = [turned_digits(digits, setting, seed=seed) for seed in seeds]
            seconds = time.perf_counter() - began
            if starts > 1:
                table(f"{setting}, best of {starts}", [best(outcomes) for outcomes in played], seconds)
            table(f"{setting}, first start", [outcomes[0] for outcomes in played], seconds / starts)
    if options.task != "gaussians" and not options.digits:
        print("No --digits: task 2 left out.", file=sys.stderr)


if __name__ == "__main__":
    main()
