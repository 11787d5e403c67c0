"""A CycleGAN between thin and bold digits, which keeps the digit although it never sees a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cellgan.core import Adam, Batches
from cellgan.core.nets import from_image_mlp, image_mlp
from cellgan.images.cyclegan import CycleGan
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.demos.translation import kept, kept_measure, pairs_figure, truth_measure
from cellgan.images.domains import bold, unpaired
from cellgan.images.drawings import images as drawn_images
from cellgan.images.history import ImageHistory
from cellgan.images.image_data import digits

if TYPE_CHECKING:
    from markupsafe import Markup

HELD = 50


def new_game(shape: tuple[int, ...], *, identity_weight: float = 0.5) -> CycleGan:
    """Return a game of perceptrons for images."""
    n = torch.Size(shape).numel()
    return CycleGan(
        image_mlp(n, shape),
        image_mlp(n, shape),
        from_image_mlp(shape, 1),
        from_image_mlp(shape, 1),
        ImageHistory(HELD, shape),
        ImageHistory(HELD, shape),
        identity_weight=identity_weight,
        optimizer=Adam(lr=5e-4),
    )


def play(stage: Stage) -> Result:
    """Play, and see which digit each has become; then again without the identity term."""
    domains = unpaired(stage.pictures(), bold)
    thin, thick = domains.images_a.x_test, domains.images_b.x_test
    batches = Batches({"a": domains.a, "b": domains.b}, size=64, seed=stage.seed)
    game, control = new_game(stage.pictures().shape), new_game(stage.pictures().shape, identity_weight=0)

    def mapped() -> dict[str, Tensor]:
        with torch.no_grad():
            return dict(game.translate({"a": thin, "b": thick}))

    def show() -> Markup:
        return drawn_images(mapped()["ab"][:40], alt="forty held-out digits, made bold")

    played = stage.play(game, batches, show=show)
    stage.play(control, batches, label="without the identity term")
    with torch.no_grad():
        unguided = kept(domains.images_b, control.generator_ab(thin), seed=stage.seed)
    there = mapped()
    return Result(
        played,
        measures=(
            kept_measure("bold", domains.images_b, there["ab"], seed=stage.seed, at_least=0.82, off=unguided),
            kept_measure("thin", domains.images_a, there["ba"], seed=stage.seed, at_least=0.79),
            Measure(
                "there and back",
                float((there["aba"] - thin).abs().mean()),
                "Mean absolute distance of a pixel after both maps, held out; black to white is 2.",
                at_most=0.14,
            ),
            truth_measure(there["ab"], thick, thin),
        ),
        figures=(pairs_figure(thin, there["ab"], thick),),
        notes=(
            "Bold digits are thin ones with wider strokes, so the right answer is known. It is not shown.",
            "Off is the same game with ι = 0: the cycle alone lets digits trade places.",
        ),
    )


DEMO = Demo(
    paper="Zhu et al. (2017), Unpaired image-to-image translation using cycle-consistent adversarial "
    "networks. ICCV, arXiv:1703.10593.",
    idea="What is mapped there and back must be what it was, and what is there already must stay as it is.",
    objectives=(
        ("G_ab and G_ba descend\nE (D_b(ab) − 1)² + λ E |aba − a| + ι λ E |G_ab(b) − b|", CycleGan.generate),
        ("D_b descends, on half older images\nE (D_b(b) − 1)² + E D_b(ab)²", CycleGan.discriminate),
        ("half of what D sees is older", ImageHistory.forward),
    ),
    rounds=1500,
    play=play,
    images=digits,
)
