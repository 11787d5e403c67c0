"""TraVeLGAN from thin to bold digits: no way back, but what lies between two digits is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import cosine_similarity

from cellgan.core import Adam, Batches
from cellgan.core.nets import Residual, from_image_mlp, image_mlp
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.demos.translation import kept_measure, pairs_figure, truth_measure
from cellgan.images.domains import bold, unpaired
from cellgan.images.drawings import images as drawn_images
from cellgan.images.evaluation.sliced_wasserstein import sliced_wasserstein
from cellgan.images.image_data import digits
from cellgan.images.travelgan import TravelGan, differences

if TYPE_CHECKING:
    from markupsafe import Markup


def new_game(shape: tuple[int, ...], *, travel_weight: float = 0.1) -> TravelGan:
    """Return a game of perceptrons for images."""
    n = torch.Size(shape).numel()
    return TravelGan(
        Residual(image_mlp(n, shape, bounded=False)),
        from_image_mlp(shape, 16, hidden=(128,)),
        from_image_mlp(shape, 1),
        travel_weight=travel_weight,
        optimizer=Adam(lr=5e-4),
    )


def play(stage: Stage) -> Result:
    """Play, and compare what lies between digits before and after."""
    domains = unpaired(stage.pictures(), bold)
    thin, thick = domains.images_a.x_test, domains.images_b.x_test
    game = new_game(stage.pictures().shape)

    def show() -> Markup:
        with torch.no_grad():
            return drawn_images(game.generator(thin[:40]), alt="forty held-out digits, made bold")

    batches = Batches({"a": domains.a, "b": domains.b}, size=32, seed=stage.seed)
    played = stage.play(game, batches, show=show)
    with torch.no_grad():
        ab = game.generator(thin)
        before, after = (differences(game.siamese(x[:200])) for x in (thin, ab))
    floor = sliced_wasserstein(thick[::2], thick[1::2])
    return Result(
        played,
        measures=(
            Measure(
                "direction between digits",
                float(cosine_similarity(before, after).mean()),
                "Mean cosine of the transformation vectors of held-out digits, before and after.",
                at_least=0.94,
            ),
            Measure(
                "sliced Wasserstein to bold digits",
                sliced_wasserstein(ab, thick),
                "Less is better. Off: thin digits as they are.",
                floor=floor,
                off=sliced_wasserstein(thin, thick),
                at_most=0.13,
            ),
            kept_measure("bold", domains.images_b, ab, seed=stage.seed, at_least=0.77),
            truth_measure(ab, thick, thin),
        ),
        figures=(pairs_figure(thin, ab, thick),),
        notes=(
            "The generator adds to its input, as the paper's U-Net can; a plain one kept .24 of the classes.",
            "A map that let digits trade places, all of them alike, would keep the vectors just as well.",
        ),
    )


DEMO = Demo(
    paper="Amodio and Krishnaswamy (2019), TraVeLGAN: image-to-image translation by transformation vector "
    "learning. CVPR, arXiv:1902.09631.",
    idea="A siamese network says how two images differ; after translation they must differ in the same way.",
    objectives=(
        ("ν_ij = S(x_i) − S(x_j)", differences),
        (
            "G and S descend\nL_adv + λ (E max(0, δ − ‖ν‖) + E ‖ν − ν'‖² − E cos(ν, ν'))",
            TravelGan.generate,
        ),
    ),
    rounds=1500,
    play=play,
    images=digits,
)
