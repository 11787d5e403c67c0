"""A CatGAN on two circles, one within the other, with ten labels and with none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from cellgan.core import Adam, Batches, seeded
from cellgan.core.nets import mlp, noisy_mlp
from cellgan.images.catgan import CatGan, entropy, marginal_entropy
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.drawings import points
from cellgan.images.toys import two_rings
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup
    from torch import Tensor

N, KNOWN = 2000, 5  # points; labels a circle
NOISE = 0.3


def new_game(*, labels: bool, noise: float = NOISE, rounds: int) -> CatGan:
    """Return a game of perceptrons; the discriminator's layers are noisy."""
    return CatGan(
        mlp(8, 2, hidden=(32, 32)),
        noisy_mlp(2, 2, hidden=(64, 64, 64), noise=noise),
        n_noise=8,
        label_weight=3.0 if labels else 0.0,
        optimizer=Adam(lr=2e-3, decay_steps=rounds),
    )


def mini_batches(x: Tensor, y: Tensor, *, labels: bool, seed: int) -> Batches:
    """Return mini-batches of points, with the few labels where they are to be seen."""
    if not labels:
        return Batches({"x": x}, size=100, seed=seed)
    known = torch.cat([torch.where(y == c)[0][:KNOWN] for c in (0, 1)])
    rows = {"x": x, "known": x[known], "label": y[known]}
    return Batches(rows, size=100, seed=seed, together=(("known", "label"),))


def agreement(found: Tensor, y: Tensor) -> float:
    """Return the share of points in the right class, whichever way round the two are called."""
    right = float((found == y).float().mean())
    return max(right, 1 - right)


def play(stage: Stage) -> Result:
    """Play with ten labels, then with none."""
    x, y = two_rings(N, seed=stage.seed)
    fresh, truth = two_rings(N, seed=10_000 + stage.seed)
    with_labels, without = (new_game(labels=labels, rounds=stage.rounds) for labels in (True, False))

    def classes(game: CatGan) -> Tensor:
        with torch.no_grad():
            return game.discriminator(fresh).argmax(1)  # type: ignore[no-any-return]

    def drawn(game: CatGan) -> Markup:
        found = classes(game)
        with torch.no_grad(), seeded(stage.seed + 1):
            generated = game.draw(torch.empty(300))
        return points(
            [generated, fresh[found == 0], fresh[found == 1]],
            alt="points by the class that they are put into",
        )

    played = stage.play(
        with_labels,
        mini_batches(x, y, labels=True, seed=stage.seed),
        show=lambda: drawn(with_labels),
    )
    stage.play(without, mini_batches(x, y, labels=False, seed=stage.seed), label="without a label")
    with torch.no_grad():
        log_p = without.discriminator(fresh).log_softmax(1)
        own = float(entropy(log_p) - marginal_entropy(log_p))
    return Result(
        played,
        measures=(
            Measure(
                "right with ten labels",
                agreement(classes(with_labels), truth),
                "Share of fresh points in the class of their circle; half is chance.",
                floor=1.0,
                at_least=0.95,
            ),
            Measure(
                "right without a label",
                agreement(classes(without), truth),
                "The same, either way round. No bound: it depends on the seed.",
                floor=1.0,
            ),
            Measure(
                "objective without a label",
                own,
                "E H(p(y|x)) − H(p(y)) on fresh points; −0.693 is the least. A straight cut comes near.",
            ),
        ),
        figures=(
            Figure(drawn(without), "Without a label", "classes blue and vermilion, generated points grey"),
        ),
        notes=(
            "Without labels, nothing but the few points on it speaks against a straight cut through both.",
        ),
    )


DEMO = Demo(
    paper="Springenberg (2016), Unsupervised and semi-supervised learning with categorical generative "
    "adversarial networks. ICLR, arXiv:1511.06390.",
    idea="The discriminator is a classifier: sure of real data, balanced over the classes, unsure of what is "
    "generated. So its borders lie where no data are.",
    objectives=(
        ("D ascends\nH(p(y)) − E H(p(y|x)) + E H(p(y|G(z)))\n+ λ E log p(label|x)", CatGan.classify),
        ("G ascends\nH(p_G(y)) − E H(p(y|G(z)))", CatGan.generate),
    ),
    rounds=1000,
    play=play,
)
