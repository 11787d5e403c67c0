"""MAGAN between digits and the same turned by 120 degrees: one labelled pair says which is which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cellgan.core import Batches
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.demos.translation import pairs_figure
from cellgan.images.domains import turned
from cellgan.images.drawings import images as drawn_images
from cellgan.images.image_data import digits
from cellgan.images.magan import Components, LabelledPairs, Magan, magan_for_images

if TYPE_CHECKING:
    from markupsafe import Markup

    from cellgan.images.stage import Played

N_COMPONENTS = 16
DEGREES = 120.0
STARTS = 4
TWO = (3, 7)  # classes, as in the paper; the first and the last where there are fewer


def right(mapped: Tensor, real: Tensor, y: Tensor) -> float:
    """Return the share whose nearest real image is of their own class; rows correspond."""
    return float((y[torch.cdist(mapped, real).argmin(1)] == y).float().mean())


def cycled(game: Magan, a: Tensor, b: Tensor) -> float:
    """Return how far both ways there and back end from home."""
    shown = game.translate({"a": a, "b": b})
    return float((shown["aba"] - a).square().mean() + (shown["bab"] - b).square().mean())


def play(stage: Stage) -> Result:
    """Play from several starts, keep the one that reconstructs best, and count."""
    images = stage.pictures()
    first, second = TWO if images.n_classes > max(TWO) else (0, images.n_classes - 1)
    chosen = (images.y == first) | (images.y == second)
    x, y = images.x[chosen], images.y[chosen]
    components = Components.of(torch.cat([x, turned(x, DEGREES)]), min(N_COMPONENTS, x[0].numel()))
    a, b = components.encode(x), components.encode(turned(x, DEGREES))
    pair = int(torch.randint(len(a), (1,)))
    known = LabelledPairs(a[[pair]], b[[pair]])
    batches = Batches({"a": a, "b": b}, size=64, seed=stage.seed)
    starts: list[tuple[float, Magan, Played]] = []
    for number in range(STARTS):
        game = magan_for_images(a.shape[1], correspondence=known)

        def show(game: Magan = game) -> Markup:
            with torch.no_grad():
                return drawn_images(components.decode(game.generator_ab(a[:40])), alt="forty digits, mapped")

        played = stage.play(game, batches, show=show, label=f"start {number + 1} of {STARTS}")
        with torch.no_grad():
            starts.append((cycled(game, a, b), game, played))
    unguided = magan_for_images(a.shape[1], correspondence=None)
    stage.play(unguided, batches, label="without the pair")
    _, game, played = min(starts, key=lambda start: start[0])
    with torch.no_grad():
        ab, ba, chance = game.generator_ab(a), game.generator_ba(b), unguided.generator_ab(a)
        shares = [right(g.generator_ab(a), b, y) for _, g, _ in starts]
    return Result(
        played,
        measures=(
            Measure(
                "right, there",
                right(ab, b, y),
                "Share of digits whose nearest turned digit, where they are mapped to, is of their class. "
                "Off: one start without the pair, near 1 or near 0.",
                floor=1.0,
                off=right(chance, b, y),
                at_least=0.94,
            ),
            Measure("right, back", right(ba, a, y), "The same the other way.", floor=1.0, at_least=0.94),
            Measure(
                "right, there, of a single start",
                sum(shares) / len(shares),
                f"Mean over all {STARTS} starts, of which the one that reconstructs best is kept.",
            ),
        ),
        figures=(pairs_figure(x, components.decode(ab), turned(x, DEGREES), what="Images"),),
        notes=(
            f"All that is known of who belongs to whom is one pair out of {len(a)}.",
            "Starts are chosen by how well they reconstruct; the classes have no say.",
            "Shown and counted are the images that were played with: none is held out.",
        ),
    )


DEMO = Demo(
    paper="Amodio and Krishnaswamy (2018), MAGAN: aligning biological manifolds. ICML, arXiv:1803.00385.",
    idea="A third term says what is known about who belongs to whom, and settles which one-to-one map it is.",
    objectives=(
        ("L_G = MSE(a, aba) − E log D_b(ab) + L_c, and back", Magan.generate),
        ("L_c = MSE(G_ab(a_i), b_j) + MSE(G_ba(b_j), a_i)", LabelledPairs.__call__),
        ("L_D = −E log D_a(a) − E log D_a(aba) − E log(1 − D_a(ba)), and in b", Magan.discriminate),
    ),
    rounds=800,
    play=play,
    images=digits,
)
