"""A conditional VAE that completes the lower half of small images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from cellgan.core import Adam, Batches, seeded
from cellgan.core.nets import PixelNoise, mlp
from cellgan.core.regression import Regression
from cellgan.images.conditional_vae import ConditionalVae
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.drawings import images as drawn_images
from cellgan.images.image_data import digits
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup

N_LATENT, DRAWS = 8, 20
FAST = Adam(lr=2e-3, betas=(0.9, 0.999))


def halves(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the upper and the lower half of images, flattened."""
    upper, lower = x.chunk(2, 2)
    return upper.flatten(1), lower.flatten(1)


def new_game(n_x: int, n_y: int, *, kl_weight: float = 1.0) -> ConditionalVae:
    """Return perceptrons from n_x to n_y pixels."""
    return ConditionalVae(
        mlp(n_x + n_y, 2 * N_LATENT, hidden=(128, 64)),
        mlp(n_x, 2 * N_LATENT, hidden=(64,)),
        mlp(n_x + N_LATENT, n_y, hidden=(128, 128)),
        PixelNoise((n_y,)),
        kl_weight=kl_weight,
        optimizer=FAST,
    )


def best(answers: Tensor, y: Tensor) -> float:
    """Return the mean squared error of the best of several answers ``(n_draws, n, n_y)``."""
    return float((answers - y).square().mean(2).min(0).values.mean())


def play(stage: Stage) -> Result:
    """Play, and let it complete held-out images twenty times each."""
    images = stage.pictures()
    (x, y), (x_test, y_test) = halves(images.x), halves(images.x_test)
    game = new_game(x.shape[1], y.shape[1])
    upper = images.x_test.chunk(2, 2)[0]

    def whole(answer: Tensor) -> Tensor:
        return torch.cat(
            [upper[: len(answer)], answer.reshape(len(answer), images.shape[0], -1, images.shape[2])], 2
        )

    def show() -> Markup:
        with torch.no_grad(), seeded(stage.seed + 1):
            return drawn_images(whole(game.draw(x_test[:40])), alt="forty completed images")

    pairs = Batches({"x": x, "y": y}, together=(("x", "y"),), size=64, seed=stage.seed)
    played = stage.play(game, pairs, show=show)
    one = Regression(mlp(x.shape[1], y.shape[1], hidden=(128, 128)), FAST, inputs="x", outputs="y")
    stage.play(one, pairs, rounds=math.ceil(stage.rounds / 2), label="a regression, to compare")
    with torch.no_grad(), seeded(stage.seed + 2):
        answers = torch.stack([game.draw(x_test) for _ in range(DRAWS)])
        mean = one.network(x_test)
        spread = (one.network(x) - y).std(0)
        noisy = mean + answers.std(0).mean() / spread.mean() * spread * torch.randn(DRAWS, *mean.shape)
    error = float(mse_loss(mean, y_test))
    shown = torch.cat([whole(y_test[:8]), whole(mean[:8]), *(whole(answer[:8]) for answer in answers[:5])])
    return Result(
        played,
        measures=(
            Measure(
                "best of twenty answers",
                best(answers, y_test) / error,
                "Mean squared error of the nearest of twenty draws, over that of a regression's one answer. "
                "Off: noise around the regression, of the draws' own spread, each pixel by itself.",
                off=best(noisy, y_test) / error,
                at_most=0.69,
            ),
            Measure(
                "mean of twenty answers",
                float(mse_loss(answers.mean(0), y_test)) / error,
                "Mean squared error of their mean, over the regression's: near 1 where nothing was lost.",
            ),
        ),
        figures=(
            Figure(
                drawn_images(shown, columns=8, alt="completions"),
                "Upper half given, lower half completed",
                "from the top: the truth, the regression, five draws",
            ),
        ),
    )


DEMO = Demo(
    paper="Sohn, Lee and Yan (2015), Learning structured output representation using deep conditional "
    "generative models. NeurIPS.",
    idea="One question, many answers: a latent code says which, so that each answer is sharp, where a "
    "regression gives the mean of all.",
    objectives=(
        ("all ascend\nE over q of log p(y|x, z) − KL(q(z|x, y) ‖ p(z|x))", ConditionalVae.explain),
        ("an answer: z drawn from p(z|x), decoded", ConditionalVae.draw),
    ),
    rounds=2000,
    play=play,
    images=digits,
)
