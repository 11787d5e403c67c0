"""UNIT between thin and bold digits: one code for both."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cellgan.core import Adam, Batches
from cellgan.core.nets import from_image_mlp, image_mlp, mlp
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.demos.translation import kept_measure, pairs_figure, truth_measure
from cellgan.images.domains import bold, unpaired
from cellgan.images.drawings import images as drawn_images
from cellgan.images.image_data import digits
from cellgan.images.unit import Unit

if TYPE_CHECKING:
    from markupsafe import Markup

    from cellgan.images.unit import Domain

N_HIDDEN, N_LATENT = 64, 32


def new_game(shape: tuple[int, ...]) -> Unit:
    """Return a game of perceptrons for images, whose domains start alike."""
    encoder = from_image_mlp(shape, N_HIDDEN, hidden=())
    generator = image_mlp(N_HIDDEN, shape, hidden=())
    return Unit(
        encoders={"a": encoder, "b": deepcopy(encoder)},
        to_code=mlp(N_HIDDEN, N_LATENT),
        from_code=mlp(N_LATENT, N_HIDDEN),
        generators={"a": generator, "b": deepcopy(generator)},
        discriminators={name: from_image_mlp(shape, 1) for name in ("a", "b")},
        adversary_weight=1.0,
        kl_weight=0.01,
        likelihood_weight=30.0,
        optimizer=Adam(lr=1e-3),
    )


def play(stage: Stage) -> Result:
    """Play, and see which digit each has become."""
    domains = unpaired(stage.pictures(), bold)
    thin, thick = domains.images_a.x_test, domains.images_b.x_test
    game = new_game(stage.pictures().shape)

    def mapped(source: Tensor, there: tuple[Domain, Domain]) -> Tensor:
        with torch.no_grad():
            return game.decode(there[1], game.encode(there[0], source).mean)

    def show() -> Markup:
        return drawn_images(mapped(thin[:40], ("a", "b")), alt="forty held-out digits, made bold")

    batches = Batches({"a": domains.a, "b": domains.b}, size=64, seed=stage.seed)
    played = stage.play(game, batches, show=show)
    ab, ba, aa = mapped(thin, ("a", "b")), mapped(thick, ("b", "a")), mapped(thin, ("a", "a"))
    return Result(
        played,
        measures=(
            kept_measure("bold", domains.images_b, ab, seed=stage.seed, at_least=0.84),
            kept_measure("thin", domains.images_a, ba, seed=stage.seed, at_least=0.81),
            Measure(
                "reconstruction",
                float((aa - thin).abs().mean()),
                f"Mean absolute distance of a pixel, from {N_LATENT} numbers, held out; black to white is 2.",
                at_most=0.19,
            ),
            truth_measure(ab, thick, thin),
        ),
        figures=(pairs_figure(thin, ab, thick),),
        notes=(
            "Both domains have one layer each way of their own, and these start alike.",
            "From starts of their own, digits traded places: in one run, shared layers alone did not do.",
        ),
    )


DEMO = Demo(
    paper="Liu et al. (2017), Unsupervised image-to-image translation networks. NeurIPS, arXiv:1703.00848.",
    idea="Both domains share one latent space: encoders end, and generators begin, in the same layers.",
    objectives=(
        ("q(z|x) = N(E(x), 1)", Unit.encode),
        ("x = G(z), z from either domain", Unit.decode),
        (
            "λ1 KL + λ2 E |aa − a| − λ0 E log D_b(ab)\n+ λ3 (KL of a's code and of ab's) + λ4 E |aba − a|",
            Unit.translate,
        ),
    ),
    rounds=1200,
    play=play,
    images=digits,
)
