"""A VAE-GAN on small images: reconstructions that are judged by the discriminator's eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cellgan.core import Adam, Batches, seeded
from cellgan.core.losses import Gaussian
from cellgan.core.nets import from_image_mlp, image_mlp
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.demos.translation import kept_measure, reconstructions_figure
from cellgan.images.drawings import images as drawn_images
from cellgan.images.evaluation.classifier import train_classifier
from cellgan.images.evaluation.panel import image_measures
from cellgan.images.image_data import digits
from cellgan.images.vae_gan import VaeGan
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup

N_LATENT, N_FEATURES = 16, 64


def sharpness(x: Tensor) -> float:
    """Return the mean squared difference of neighbouring pixels."""
    return float((x[..., 1:] - x[..., :-1]).square().mean())


def new_game(shape: tuple[int, ...]) -> VaeGan:
    """Return a game of perceptrons for images."""
    return VaeGan(
        from_image_mlp(shape, 2 * N_LATENT),
        image_mlp(N_LATENT, shape),
        nn.Sequential(from_image_mlp(shape, N_FEATURES, hidden=(128,)), nn.LeakyReLU(0.2)),
        nn.Linear(N_FEATURES, 1),
        prior_weight=0.05,
        optimizer=Adam(lr=5e-4),
    )


def play(stage: Stage) -> Result:
    """Play, and see whether reconstructions keep their class and their sharpness."""
    images = stage.pictures()
    game = new_game(images.shape)

    def drawn(n: int) -> Tensor:
        with torch.no_grad(), seeded(stage.seed + 1):
            made: Tensor = game.decoder(torch.randn(n, N_LATENT))
            return made

    def show() -> Markup:
        return drawn_images(drawn(40), alt="forty generated images")

    played = stage.play(game, Batches({"x": images.x}, size=64, seed=stage.seed), show=show)
    with torch.no_grad():
        again = game.decoder(Gaussian.of(game.encoder(images.x_test)).mean)
        mean = Gaussian.of(game.encoder(images.x_test[:2])).mean
        walk = game.decoder(torch.lerp(mean[:1], mean[1:], torch.linspace(0, 1, 10)[:, None]))
    judge = train_classifier(images, seed=stage.seed)
    return Result(
        played,
        measures=(
            kept_measure("itself", images, again, seed=stage.seed, at_least=0.77),
            Measure(
                "sharpness of reconstructions",
                sharpness(again) / sharpness(images.x_test),
                "Mean squared difference of neighbouring pixels, over that of real images: blur is below 1.",
                floor=1.0,
                at_least=0.92,
            ),
            *image_measures(drawn(len(images.x_test)), images, judge),
        ),
        figures=(
            reconstructions_figure(images.x_test, again, f"from {N_LATENT} numbers"),
            Figure(
                drawn_images(walk, columns=10, alt="a walk between two codes"), "From one code to another", ""
            ),
        ),
        notes=(
            "No pixel of a reconstruction is compared with the image: only the discriminator's features are.",
        ),
    )


DEMO = Demo(
    paper="Larsen et al. (2016), Autoencoding beyond pixels using a learned similarity metric. ICML, "
    "arXiv:1512.09300.",
    idea="An autoencoder whose images are compared by what a discriminator sees in them, not pixel by pixel.",
    objectives=(
        ("the encoder descends\nKL(q(z|x) ‖ N(0, 1)) + L_llike", VaeGan.encode),
        ("L_llike = ½ Σ (Dis_l(x̃) − Dis_l(x))²", VaeGan.unlike),
        ("the decoder descends\nγ L_llike − log Dis(x̃) − log Dis(x_p)", VaeGan.decode),
        ("the discriminator ascends\nlog Dis(x) + log(1 − Dis(x̃)) + log(1 − Dis(x_p))", VaeGan.discriminate),
    ),
    rounds=1500,
    play=play,
    images=digits,
)
