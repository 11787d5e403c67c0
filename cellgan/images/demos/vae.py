"""A variational autoencoder on small images: its bound beside simpler densities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cellgan.core import Adam, Batches, seeded
from cellgan.core.losses import Gaussian
from cellgan.core.nets import PixelNoise, from_image_mlp, image_mlp
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.demos.translation import reconstructions_figure
from cellgan.images.drawings import images as drawn_images
from cellgan.images.evaluation.classifier import train_classifier
from cellgan.images.evaluation.gaussians import full_model, pixel_model
from cellgan.images.evaluation.panel import image_measures
from cellgan.images.image_data import Images, digits
from cellgan.images.vae import Vae

if TYPE_CHECKING:
    from markupsafe import Markup

N_LATENT = 8
GREYS = 16  # steps of a pixel; noise of one step makes its density finite


def new_game(images: Images, *, kl_weight: float = 1.0) -> Vae:
    """Return perceptrons for images."""
    return Vae(
        from_image_mlp(images.shape, 2 * N_LATENT, hidden=(128, 64)),
        image_mlp(N_LATENT, images.shape, hidden=(64, 128), bounded=False),
        PixelNoise(images.shape),
        N_LATENT,
        kl_weight=kl_weight,
        optimizer=Adam(lr=2e-3, betas=(0.9, 0.999)),
    )


def dequantised(x: Tensor, *, seed: int) -> Tensor:
    """Return images with noise of one step of grey, so that pixels that never vary have a finite density."""
    with seeded(seed):
        return x + (torch.rand_like(x) - 0.5) * 2 / GREYS


def kl_error(q: Gaussian) -> float:
    """Return how far the closed form of the divergence is from its mean over draws, as a share."""
    z = [q.draw() for _ in range(200)]
    prior = Gaussian(torch.zeros_like(q.mean), torch.zeros_like(q.mean))
    drawn = torch.stack([q.log_likelihood(each) - prior.log_likelihood(each) for each in z]).mean()
    return abs(float(drawn / q.kl()) - 1)


def play(stage: Stage) -> Result:
    """Play, and score held-out images."""
    images = stage.pictures()
    x, x_test = (dequantised(part, seed=stage.seed) for part in (images.x, images.x_test))
    game = new_game(images)

    def drawn(n: int) -> Tensor:
        with torch.no_grad(), seeded(stage.seed + 1):
            return game.draw(n)

    def show() -> Markup:
        return drawn_images(drawn(40), alt="forty generated images")

    played = stage.play(game, Batches({"x": x}, size=64, seed=stage.seed), show=show)
    with torch.no_grad(), seeded(stage.seed + 2):
        elbo, q = game.bound(x_test), Gaussian.of(game.encoder(x_test))
        error, again = kl_error(q), game.decoder(q.mean)
    alone, full = pixel_model(x, x_test), full_model(x, x_test)
    judge = train_classifier(images, seed=stage.seed)
    return Result(
        played,
        measures=(
            Measure(
                "bound less the pixel model",
                elbo - alone,
                f"Nats an image, held out: {elbo:.1f} against {alone:.1f} of a Gaussian a pixel.",
                at_least=10,
            ),
            Measure(
                "bound less one full Gaussian",
                elbo - full,
                f"The same against a Gaussian with all covariances, {full:.1f}: below 0 the VAE is behind.",
            ),
            Measure(
                "error of the closed KL",
                error,
                "Share by which it differs from its mean over 200 draws a held-out image.",
                at_most=0.02,
            ),
            Measure("KL", float(q.kl()), f"Nats an image, in {N_LATENT} numbers: what the code says."),
            *image_measures(drawn(len(x_test)), images, judge),
        ),
        figures=(reconstructions_figure(images.x_test, again, f"from {N_LATENT} numbers"),),
        notes=(
            "Pixels carry noise of one step of grey, so that those that never vary have a finite density.",
        ),
    )


DEMO = Demo(
    paper="Kingma and Welling (2014), Auto-encoding variational Bayes. ICLR, arXiv:1312.6114.",
    idea="No opponent: an encoder and a decoder ascend a bound of the data's likelihood.",
    objectives=(
        ("both ascend\nE over q of log p(x|z) − KL(q(z|x) ‖ N(0, 1))", Vae.explain),
        ("KL = ½ Σ s² + m² − 1 − log s²", Gaussian.kl),
        ("z = m + s ε", Gaussian.draw),
    ),
    rounds=2000,
    play=play,
    images=digits,
)
