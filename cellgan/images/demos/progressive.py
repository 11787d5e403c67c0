"""Progressive growing on simulated shapes: 4, 8, then 16 pixels, beside a network that starts full-grown."""

from __future__ import annotations

import math
from statistics import mean
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cellgan.core import Adam, Batches, seeded
from cellgan.core.nets.growing import GrowingCritic, GrowingGenerator
from cellgan.core.nets.resizing import double
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.drawings import images as drawn_images
from cellgan.images.evaluation.classifier import train_classifier
from cellgan.images.evaluation.fading import change
from cellgan.images.evaluation.panel import image_measures
from cellgan.images.evaluation.sliced_wasserstein import sliced_wasserstein
from cellgan.images.image_data import shapes
from cellgan.images.progressive import ProgressiveGan
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup

N_NOISE = 16
WIDTHS = (24, 16, 12)
# The size that is worked on in each phase: it fades in, then is learned; the last one for two.
PHASES = (0, 1, 1, 2, 2, 2)
# A size has four times the pixels of the one before: so much computing, of as many rounds at the last one.
EFFORT = mean(4.0 ** (size - PHASES[-1]) for size in PHASES)


def new_game(channels: int, rounds: int, *, grown: bool = False) -> ProgressiveGan:
    """Return a game of so many rounds on images of 16 x 16 pixels, grown from the start if wanted."""
    generator = GrowingGenerator(N_NOISE, channels, widths=WIDTHS)
    critic = GrowingCritic(channels, widths=WIDTHS)
    adam = Adam(lr=1e-3, betas=(0.0, 0.99), decay_steps=rounds)
    game = ProgressiveGan(generator, critic, N_NOISE, phase=max(1, rounds // len(PHASES)), optimizer=adam)
    if grown:
        generator.rounds.fill_(len(PHASES) * game.phase)
        game.grow()
    return game


def play(stage: Stage) -> Result:
    """Play, look at a fading layer, and play again without growing."""
    images = stage.pictures()
    game = new_game(images.shape[0], stage.rounds)
    as_long = math.ceil(EFFORT * stage.rounds)
    direct = new_game(images.shape[0], as_long, grown=True)

    def drawn(of: ProgressiveGan, n: int) -> Tensor:
        with torch.no_grad(), seeded(stage.seed + 1):
            return of.draw(n)

    def show() -> Markup:
        return drawn_images(drawn(game, 32), alt="thirty-two generated images, of the size that is worked on")

    batches = Batches({"x": images.x}, size=32, seed=stage.seed)
    played = stage.play(game, batches, show=show)
    stage.play(direct, batches, rounds=as_long, label="full-grown from the start")
    n = len(images.x_test)
    generated, at_once = drawn(game, n), drawn(direct, n)
    while generated.shape[2] < images.shape[1]:  # after too few rounds to grow
        generated = double(generated)
    jump, without = (change(game, alpha, seed=stage.seed + 2) for alpha in (1e-3, 1.0))
    judge = train_classifier(images, seed=stage.seed)
    half = n // 2
    sheet = drawn_images(at_once[:32], alt="full-grown from the start")
    return Result(
        played,
        measures=(
            Measure(
                "change as a size begins to fade in",
                jump,
                "Mean absolute change of a pixel at α = 0.001; the image before is doubled. Off: at α = 1.",
                floor=0.0,
                off=without,
                at_most=0.01,
            ),
            Measure(
                "sliced Wasserstein",
                sliced_wasserstein(generated, images.x_test),
                "To held-out images; less is better. Off: the same networks full-grown from the start, for "
                f"as much computing, {EFFORT:.2f} times the rounds.",
                off=sliced_wasserstein(at_once, images.x_test),
                floor=sliced_wasserstein(images.x_test[:half], images.x_test[half:]),
                at_most=0.29,
            ),
            *image_measures(generated, images, judge),
        ),
        figures=(
            Figure(drawn_images(generated[:32], alt="grown"), "Grown", "after the last round"),
            Figure(sheet, "Full-grown from the start", "as much computing"),
        ),
        notes=(
            "Growing is no nearer to real shapes here than starting full-grown, for as much computing.",
            "What it does show is that nothing is lost as a size fades in.",
        ),
    )


DEMO = Demo(
    paper="Karras et al. (2018), Progressive growing of GANs for improved quality, stability, and variation. "
    "ICLR, arXiv:1710.10196.",
    idea="Both networks learn small images first; each further size fades in, so that nothing is lost.",
    objectives=(
        ("image = (1 − α) · doubled image before + α · new image", GrowingGenerator.forward),
        ("α rises with the rounds", ProgressiveGan.grow),
        ("the critic descends\nE f(G) − E f(x) + λ E (‖∇f‖ − 1)² + ε E f(x)²", ProgressiveGan.criticise),
    ),
    rounds=900,
    play=play,
    images=shapes,
    side=16,
)
