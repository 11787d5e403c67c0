"""A BiGAN on small images: an encoder that has never seen what its codes are decoded to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cellgan.core import Adam, Batches, seeded
from cellgan.core.nets import from_image_mlp, image_mlp, mlp
from cellgan.images.bigan import BiGan
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.demos.translation import kept_measure, reconstructions_figure
from cellgan.images.drawings import images as drawn_images
from cellgan.images.evaluation.classifier import train_classifier
from cellgan.images.evaluation.panel import image_measures
from cellgan.images.image_data import digits

if TYPE_CHECKING:
    from markupsafe import Markup

N_LATENT = 8


def agreement(z: Tensor, again: Tensor) -> float:
    """Return the mean correlation of a code's numbers with those of the code that is read back."""
    both = [torch.corrcoef(torch.stack([z[:, i], again[:, i]]))[0, 1] for i in range(z.shape[1])]
    return float(torch.stack(both).mean())


def play(stage: Stage) -> Result:
    """Play, and see what is left of an image after its code."""
    images = stage.pictures()
    game = BiGan(
        image_mlp(N_LATENT, images.shape),
        from_image_mlp(images.shape, N_LATENT),
        mlp(images.x[0].numel() + N_LATENT, 1, hidden=(128, 128)),
        N_LATENT,
        optimizer=Adam(lr=5e-4),
    )
    with seeded(stage.seed + 1):
        z = torch.randn(len(images.x_test), N_LATENT)

    def drawn() -> Tensor:
        with torch.no_grad():
            made: Tensor = game.generator(z)
            return made

    def show() -> Markup:
        return drawn_images(drawn()[:40], alt="forty generated images")

    played = stage.play(game, Batches({"x": images.x}, size=64, seed=stage.seed), show=show)
    with torch.no_grad():
        codes = game.encoder(drawn())
        again = game.generator(game.encoder(images.x_test))
    judge = train_classifier(images, seed=stage.seed)
    return Result(
        played,
        measures=(
            kept_measure("itself", images, again, seed=stage.seed, at_least=0.2),
            Measure(
                "codes read back",
                agreement(z, codes),
                "Mean correlation of a code with the code of what is generated from it.",
                floor=1.0,
                at_least=0.3,
            ),
            *image_measures(drawn(), images, judge),
        ),
        figures=(
            reconstructions_figure(
                images.x_test, again, "alike in kind, not in each pixel: nothing compares the two"
            ),
        ),
        notes=(
            "By chance one class in ten is kept. The paper, too, shows images of the same kind, not copies.",
        ),
    )


DEMO = Demo(
    paper="Donahue et al. (2017), Adversarial feature learning. ICLR, arXiv:1605.09782. "
    "Dumoulin et al. (2017), Adversarially learned inference. ICLR, arXiv:1606.00704.",
    idea="The discriminator sees data and code together, and so teaches an encoder to undo the generator.",
    objectives=(
        ("D ascends\nE log D(x, E(x)) + E log(1 − D(G(z), z))", BiGan.discriminate),
        ("G and E descend\n−E log(1 − D(x, E(x))) − E log D(G(z), z)", BiGan.generate),
    ),
    rounds=2500,
    play=play,
    images=digits,
)
