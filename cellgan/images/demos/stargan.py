"""StarGAN between thin, bold and pale digits: one generator for all six ways."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cellgan.core import Adam, Batches
from cellgan.core.nets import from_image_mlp, image_mlp
from cellgan.images.demo import Demo, Measure, Result, Stage
from cellgan.images.demos.translation import kept_measure
from cellgan.images.domains import STYLES, bold, mixed_styles, pale, styled, unpaired
from cellgan.images.drawings import images as drawn_images
from cellgan.images.evaluation.classifier import train_classifier
from cellgan.images.image_data import Images, digits
from cellgan.images.stargan import StarGan
from cellgan.report.page import Figure

if TYPE_CHECKING:
    from markupsafe import Markup


class Changing(nn.Module):
    """A generator that adds to the image what the style asks for."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.channels = shape[0]
        n_in = (shape[0] + len(STYLES)) * shape[1] * shape[2]
        self.change = image_mlp(n_in, shape, bounded=False)

    def forward(self, told: Tensor) -> Tensor:
        """Return images; `told` has the styles in its last channels."""
        return torch.add(told[:, : self.channels], self.change(told))


def play(stage: Stage) -> Result:
    """Play, and see whether each arrives in its style and keeps its digit."""
    images = stage.pictures()
    x, style = mixed_styles(images)
    game = StarGan(
        Changing(images.shape),
        from_image_mlp(images.shape, 1 + len(STYLES)),
        len(STYLES),
        n_critic=2,
        optimizer=Adam(lr=5e-4, betas=(0.5, 0.999)),
    )

    def mapped(source: Tensor, to: int) -> Tensor:
        with torch.no_grad():
            return game.translate(source, torch.full((len(source),), to))

    def show() -> Markup:
        sheet = torch.cat([mapped(images.x_test[:10], to) for to in range(3)])
        return drawn_images(sheet, alt="three styles", columns=10)

    rows = Batches({"x": x, "domain": style}, size=64, seed=stage.seed, together=(("x", "domain"),))
    played = stage.play(game, rows, show=show)
    real = styled(images.x_test)
    n = len(images.x_test)
    told = Images(x, style, torch.cat(real), torch.arange(3).repeat_interleave(n), STYLES, images.origin)
    judge = train_classifier(told, seed=stage.seed)
    to_bold, to_pale = mapped(real[2], 1), mapped(real[0], 2)
    ways = permutations(range(3), 2)
    arrived = [(judge.labels(mapped(real[s], to)) == to).float().mean() for s, to in ways]
    return Result(
        played,
        measures=(
            Measure(
                "style that was asked for",
                float(torch.stack(arrived).mean()),
                "Share of held-out images, all six ways, that a classifier calls by the style asked for.",
                floor=judge.accuracy,
                at_least=0.91,
            ),
            kept_measure("bold", unpaired(images, bold).images_b, to_bold, seed=stage.seed, at_least=0.54),
            kept_measure("pale", unpaired(images, pale).images_b, to_pale, seed=stage.seed, at_least=0.89),
        ),
        figures=tuple(
            Figure(
                drawn_images(
                    torch.cat([real[s][:10], *(mapped(real[s][:10], to) for to in range(3))]),
                    columns=10,
                    alt="styles",
                ),
                f"From {STYLES[s]}",
                f"the image, then as {', '.join(STYLES)}",
            )
            for s in range(3)
        ),
        notes=(
            "Digits kept to bold start from pale ones, to pale from thin ones.",
            "With black and white swapped as the third style, it was reached, and digits traded places.",
            "Nothing in the game says that an inverted 3 is a 3.",
        ),
    )


DEMO = Demo(
    paper="Choi et al. (2018), StarGAN: unified generative adversarial networks for multi-domain "
    "image-to-image translation. CVPR, arXiv:1711.09020.",
    idea="One generator is told where to go, and a critic that names domains sees whether it got there.",
    objectives=(
        (
            "D descends\nE D(G(x, c)) − E D(x) + λ_gp E (‖∇D‖ − 1)² − λ_cls E log D_cls(c'|x)",
            StarGan.discriminate,
        ),
        (
            "G descends\n−E D(G(x, c)) − λ_cls E log D_cls(c|G(x, c)) + λ_rec E |G(G(x, c), c') − x|",
            StarGan.generate,
        ),
    ),
    rounds=1100,
    play=play,
    images=digits,
)
