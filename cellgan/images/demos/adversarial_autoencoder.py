"""An adversarial autoencoder on small images, its codes beside those of a VAE."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cellgan.core import Adam, Batches, seeded
from cellgan.core.losses import Gaussian, squared_mmd
from cellgan.core.nets import PixelNoise, from_image_mlp, image_mlp, mlp
from cellgan.images.adversarial_autoencoder import AdversarialAutoencoder
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.demos.translation import reconstructions_figure
from cellgan.images.drawings import images as drawn_images
from cellgan.images.drawings import points
from cellgan.images.evaluation.classifier import train_classifier
from cellgan.images.evaluation.neighbour_test import neighbour_accuracy
from cellgan.images.evaluation.panel import image_measures
from cellgan.images.image_data import Images, digits
from cellgan.images.vae import Vae
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup

N_LATENT = 2
FAST = Adam(lr=2e-3, betas=(0.9, 0.999))


def coders(images: Images, n_out: int) -> tuple[nn.Module, nn.Module]:
    """Return an encoder to n_out numbers, and a decoder of codes."""
    encoder = from_image_mlp(images.shape, n_out, hidden=(128, 64))
    return encoder, image_mlp(N_LATENT, images.shape, hidden=(64, 128))


def new_game(images: Images, *, rounds: int) -> AdversarialAutoencoder:
    """Return a game of perceptrons for images, to be played for so many rounds."""
    encoder, decoder = coders(images, N_LATENT)
    return AdversarialAutoencoder(
        encoder,
        decoder,
        mlp(N_LATENT, 1, hidden=(64, 64)),
        N_LATENT,
        optimizer=Adam(lr=1e-3, betas=(0.9, 0.999), decay_steps=rounds),
        adversarial_optimizer=Adam(lr=3e-3, decay_steps=rounds),
    )


def play(stage: Stage) -> Result:
    """Play the game, then a VAE, and compare where their codes lie."""
    images = stage.pictures()
    game = new_game(images, rounds=stage.rounds)
    encoder, decoder = coders(images, 2 * N_LATENT)
    vae = Vae(encoder, decoder, PixelNoise(images.shape), N_LATENT, optimizer=FAST)
    prior = torch.randn(len(images.x_test), N_LATENT, generator=torch.Generator().manual_seed(stage.seed))

    def codes() -> Tensor:
        with torch.no_grad():
            return game.encoder(images.x_test)  # type: ignore[no-any-return]

    def show() -> Markup:
        return points([prior, codes()], span=4.0, alt="draws of the prior, and the codes of held-out images")

    batches = Batches({"x": images.x}, size=64, seed=stage.seed)
    played = stage.play(game, batches, show=show)
    stage.play(vae, batches, rounds=math.ceil(stage.rounds / 2), label="a VAE, to compare")
    with torch.no_grad(), seeded(stage.seed + 1):
        q = Gaussian.of(vae.encoder(images.x_test)).draw()
        again = game.decoder(codes())
        generated = game.draw(len(images.x_test))
        fresh = torch.randn_like(prior)
    near, near_vae, near_prior = (
        float(squared_mmd(z, prior, bandwidths=(0.5, 1.0))) for z in (codes(), q, fresh)
    )
    error = float((again - images.x_test).square().mean() / images.x_test.var(0).mean())
    judge = train_classifier(images, seed=stage.seed)
    return Result(
        played,
        measures=(
            Measure(
                "codes told from the prior",
                neighbour_accuracy(codes(), prior),
                "By five neighbours, on held-out images: half of them is chance.",
                floor=neighbour_accuracy(fresh, prior),
                at_most=0.67,
            ),
            Measure(
                "error of reconstruction",
                error,
                "Mean squared, of held-out images from two numbers, over the variance of a pixel.",
                at_most=0.78,
            ),
            Measure("kernel MMD of codes and prior, squared", near, "Less is better.", floor=near_prior),
            Measure("the same of the VAE's codes", near_vae, "Draws of q(z|x), held out.", floor=near_prior),
            *image_measures(generated, images, judge),
        ),
        figures=(
            Figure(points([prior, q], span=4.0, alt="the VAE's codes"), "The VAE's codes", "the prior grey"),
            reconstructions_figure(images.x_test, again, "from two numbers"),
            Figure(drawn_images(generated[:40], alt="new images"), "New images", "decoded from the prior"),
        ),
    )


DEMO = Demo(
    paper="Makhzani et al. (2016), Adversarial autoencoders. ICLR workshop, arXiv:1511.05644.",
    idea="A discriminator, instead of a divergence, makes an autoencoder's codes lie like draws of a prior.",
    objectives=(
        ("encoder and decoder descend\n‖x − decode(encode(x))‖²", AdversarialAutoencoder.reconstruct),
        ("D ascends\nE log D(z) + E log(1 − D(encode(x)))", AdversarialAutoencoder.discriminate),
        ("the encoder ascends\nE log D(encode(x))", AdversarialAutoencoder.encode),
    ),
    rounds=2000,
    play=play,
    images=digits,
)
