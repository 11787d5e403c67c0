"""The demos: one module each, with a `Demo` called ``DEMO``; the list of them loads none."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from cellgan.images.demo import Demo

TITLES = {
    "gan": "Generative adversarial network, on a ring of eight Gaussians",
    "optimal-discriminator": "The best discriminator, and what the game is worth",
    "lsgan": "Least squares GAN, on a ring of eight Gaussians",
    "gmmn": "Generative moment matching: a kernel instead of an opponent",
    "wgan": "Wasserstein GAN, across a gap between two segments",
    "wgan-gp": "Wasserstein GAN with gradient penalty: a gap in true units",
    "conditional-gan": "Conditional GAN: digits that were asked for",
    "dcgan": "Deep convolutional GAN: simulated shapes, and walks between them",
    "catgan": "CatGAN: two circles told apart without a label",
    "infogan": "InfoGAN: a code that comes to stand for the digit",
    "adversarial-autoencoder": "Adversarial autoencoder: codes like draws of a prior",
    "vae": "Variational autoencoder: digits and their likelihood",
    "conditional-vae": "Conditional variational autoencoder: the other half of a digit",
    "vae-gan": "VAE-GAN: reconstructions judged by the discriminator's eyes",
    "bigan": "BiGAN: an encoder that learns to undo the generator, unseen",
    "lapgan": "LAPGAN: a small image first, then its detail",
    "gran": "Recurrent adversarial network: points painted in three strokes",
    "discogan": "DiscoGAN: one-to-one, and which to which is chance",
    "cyclegan": "CycleGAN: thin digits and bold ones, without a pair",
    "magan": "MAGAN: turned digits, and the one pair that settles it",
    "travelgan": "TraVeLGAN: what lies between two digits is kept",
    "unit": "UNIT: one code for thin and bold digits",
    "stargan": "StarGAN: one generator for three styles of digits",
    "progressive": "Progressive growing: shapes of 4, 8, then 16 pixels",
}
"""What each demo shows. The module of ``two-words`` is ``two_words``."""


def find(name: str) -> Demo:
    """Load a demo.

    Raises
    ------
    ConfigError
        If there is none of this name.
    """
    if name not in TITLES:
        msg = f"There is no demo {name!r}; expected one of {', '.join(TITLES)}."
        raise ConfigError(msg)
    demo: Demo = import_module(f"cellgan.images.demos.{name.replace('-', '_')}").DEMO
    return demo
