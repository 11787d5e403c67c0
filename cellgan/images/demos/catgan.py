"""A CatGAN on two circles, one within the other, told apart without a label."""

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
    from torch import Tensor, nn

N = 2000
NOISE = 0.3


def new_game(discriminator: nn.Module, *, rounds: int) -> CatGan:
    """Return a game against a discriminator, to be played for so many rounds."""
    return CatGan(
        mlp(8, 2, hidden=(32, 32)), discriminator, n_noise=8, optimizer=Adam(lr=2e-3, decay_steps=rounds)
    )


def classes(game: CatGan, x: Tensor) -> Tensor:
    """Return the class of each point, ``(n,)``."""
    with torch.no_grad():
        return game.discriminator(x).argmax(1)  # type: ignore[no-any-return]


def agreement(found: Tensor, y: Tensor) -> float:
    """Return the share of points in the right class, whichever way round the two are called."""
    right = float((found == y).float().mean())
    return max(right, 1 - right)


def objective(game: CatGan, x: Tensor) -> float:
    """Return E H(p(y|x)) - H(p(y)), what the discriminator descends on real points."""
    with torch.no_grad():
        log_p = game.discriminator(x).log_softmax(1)
        return float(entropy(log_p) - marginal_entropy(log_p))


def play(stage: Stage) -> Result:
    """Play with noisy, normalised layers, then with plain ones."""
    x, _ = two_rings(N, seed=stage.seed)
    fresh, truth = two_rings(N, seed=10_000 + stage.seed)
    game = new_game(noisy_mlp(2, 2, hidden=(64, 64, 64), noise=NOISE), rounds=stage.rounds)
    plain = new_game(mlp(2, 2, hidden=(64, 64, 64)), rounds=stage.rounds)

    def drawn(of: CatGan) -> Markup:
        found = classes(of, fresh)
        with torch.no_grad(), seeded(stage.seed + 1):
            generated = of.draw(torch.empty(300))
        clouds = [generated, fresh[found == 0], fresh[found == 1]]
        return points(clouds, alt="real points in the two colours of their classes, generated ones in grey")

    batches = Batches({"x": x}, size=100, seed=stage.seed)
    played = stage.play(game, batches, show=lambda: drawn(game))
    stage.play(plain, batches, label="with plain layers")
    return Result(
        played,
        measures=(
            Measure(
                "in the class of their circle",
                agreement(classes(game, fresh), truth),
                "Share of fresh points, either way round; half is chance. No label is ever seen. Off: plain "
                "layers, without noise and normalisation.",
                floor=1.0,
                off=agreement(classes(plain, fresh), truth),
                at_least=0.95,
            ),
            Measure(
                "its objective",
                objective(game, fresh),
                "E H(p(y|x)) − H(p(y)); −0.693 is the least. Plain layers cut both circles in half and do as "
                "well: only noise speaks against it.",
                off=objective(plain, fresh),
            ),
        ),
        figures=(
            Figure(
                drawn(game), "Noisy, normalised layers", "classes blue and vermilion, generated points grey"
            ),
            Figure(drawn(plain), "Plain layers", "the same game"),
        ),
        notes=("Classes are blue and vermilion; here what is generated is grey.",),
    )


DEMO = Demo(
    paper="Springenberg (2016), Unsupervised and semi-supervised learning with categorical generative "
    "adversarial networks. ICLR, arXiv:1511.06390.",
    idea="The discriminator is a classifier: sure of real data, balanced over the classes, unsure of what is "
    "generated. So its borders lie where no data are.",
    objectives=(
        ("D ascends\nH(p(y)) − E H(p(y|x)) + E H(p(y|G(z)))", CatGan.classify),
        ("G ascends\nH(p_G(y)) − E H(p(y|G(z)))", CatGan.generate),
        ("H(p) = −Σ p log p", entropy),
    ),
    rounds=1000,
    play=play,
)
