"""Plain networks; a game takes any ``nn.Module``."""

from cellgan.core.nets.committee import Committee
from cellgan.core.nets.convolutional import patch_discriminator
from cellgan.core.nets.dcgan import dcgan_discriminator, dcgan_generator
from cellgan.core.nets.flat import from_image_mlp, image_mlp
from cellgan.core.nets.mlp import mlp
from cellgan.core.nets.noisy_mlp import Noise, noisy_mlp
from cellgan.core.nets.pixel_noise import PixelNoise
from cellgan.core.nets.residual import Residual, residual_mlp
from cellgan.core.nets.unet import UNet

__all__ = [
    "Committee",
    "Noise",
    "PixelNoise",
    "Residual",
    "UNet",
    "dcgan_discriminator",
    "dcgan_generator",
    "from_image_mlp",
    "image_mlp",
    "mlp",
    "noisy_mlp",
    "patch_discriminator",
    "residual_mlp",
]
