"""DiscoGAN between three and three Gaussians: one-to-one, but which to which is chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cellgan.core import Adam, Batches
from cellgan.core.losses import tell_apart
from cellgan.core.nets import mlp
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.discogan import DiscoGan
from cellgan.images.domains import CENTRES_A, CENTRES_B, three_and_three
from cellgan.images.drawings import points
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup

    from cellgan.images.stage import Played

STARTS = 6
PURE = 0.95


def new_game() -> DiscoGan:
    """Return a game of perceptrons for points in the plane."""
    ab, ba, d_a, d_b = (mlp(2, n, hidden=(64, 64)) for n in (2, 2, 1, 1))
    return DiscoGan(ab, ba, d_a, d_b, optimizer=Adam(lr=1e-3))


def pairing(game: DiscoGan, a: Tensor, which: Tensor) -> tuple[int, ...] | None:
    """Return where each Gaussian of a is mapped to; None unless it is one-to-one and comes back."""
    with torch.no_grad():
        ab = game.generator_ab(a)
        home = torch.cdist(game.generator_ba(ab), CENTRES_A).argmin(1)
    to = torch.cdist(ab, CENTRES_B).argmin(1)
    shares = torch.stack([torch.bincount(to[which == k], minlength=3) for k in range(3)]).float()
    shares = shares / shares.sum(1, keepdim=True)
    found = tuple(int(k) for k in shares.argmax(1))
    whole = float(shares.amax(1).min()) >= PURE and float((home == which).float().mean()) >= PURE
    return found if whole and len(set(found)) == 3 else None


def play(stage: Stage) -> Result:
    """Play from several starts, and see who was paired with whom."""
    a, b, which = three_and_three(6000, seed=stage.seed)
    batches = Batches({"a": a, "b": b}, size=128, seed=stage.seed)
    games = [new_game() for _ in range(STARTS)]

    def drawn(game: DiscoGan) -> Markup:
        with torch.no_grad():
            mapped = [game.generator_ab(a[which == k][:300]) for k in range(3)]
        return points([b, *mapped], alt="the points of b, and those of a mapped, a colour each", span=3)

    matches: list[Played] = []
    for number, game in enumerate(games):
        label = f"start {number + 1} of {STARTS}"
        matches.append(
            stage.play(game, batches, show=(lambda: drawn(games[0])) if not number else None, label=label)
        )
    found = [pairing(game, a, which) for game in games]
    kinds = {p for p in found if p is not None}
    return Result(
        matches[0],
        measures=(
            Measure(
                "starts that are one-to-one",
                sum(p is not None for p in found),
                f"Of {STARTS}: each Gaussian goes whole to one of its own, and {PURE:.0%} of it come back.",
                at_least=STARTS - 1,
            ),
            Measure(
                "different pairings",
                len(kinds),
                "Among these: which to which is for the start to decide. MAGAN's correspondence settles it.",
                at_least=2,
            ),
        ),
        figures=tuple(
            Figure(
                drawn(game),
                f"start {number + 1}",
                "not one-to-one" if p is None else f"1, 2, 3 to {spoken(p)}",
            )
            for number, (game, p) in enumerate(zip(games, found, strict=True))
        ),
        notes=("Grey: the points of the other domain. Colours: the three Gaussians, after the map.",),
    )


def spoken(found: tuple[int, ...]) -> str:
    """Return a pairing as text."""
    return ", ".join(str(k + 1) for k in found)


DEMO = Demo(
    paper="Kim et al. (2017), Learning to discover cross-domain relations with generative adversarial "
    "networks. ICML, arXiv:1703.05192.",
    idea="Two GANs, one each way, that must undo each other: relations are found without any pairs.",
    objectives=(
        ("L_G = d(aba, a) + d(bab, b) − E log D_b(ab) − E log D_a(ba)", DiscoGan.generate),
        ("L_D = −E log D_b(b) − E log(1 − D_b(ab)), and in a", tell_apart),
    ),
    rounds=600,
    play=play,
)
