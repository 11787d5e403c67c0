"""All figures for generated images in one list, each beside the same figure of real images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellgan.images.demo import Measure
from cellgan.images.evaluation.frechet import frechet_distance
from cellgan.images.evaluation.inception_score import class_score
from cellgan.images.evaluation.kernel_test import kernel_test
from cellgan.images.evaluation.memorisation import memorisation
from cellgan.images.evaluation.neighbours import neighbourhoods
from cellgan.images.evaluation.parzen import parzen
from cellgan.images.evaluation.sliced_wasserstein import sliced_wasserstein

if TYPE_CHECKING:
    from torch import Tensor

    from cellgan.images.evaluation.classifier import Classifier
    from cellgan.images.image_data import Images

_DEALS = 100
_EYES = "a small classifier of our own, trained on these images"


def image_measures(generated: Tensor, images: Images, classifier: Classifier) -> tuple[Measure, ...]:
    """Return every figure of generated images that needs no labels of theirs, without bounds.

    The floor of each puts half of the held-out images in the place of the generated ones; both are compared
    with the other half, and as many generated images are used.

    Parameters
    ----------
    generated
        ``(n, c, h, w)``; not fewer than half of the held-out images.
    images
        The real ones.
    classifier
        Trained on them.
    """
    half = len(images.x_test) // 2
    real, standing_in = images.x_test[:half], images.x_test[half : 2 * half]

    def both(name: str, figures: tuple[float, float], meaning: str) -> Measure:
        return Measure(name, figures[0], meaning, floor=figures[1])

    samples = (generated[:half], standing_in)
    scores = [class_score(classifier.probabilities(x)) for x in samples]
    frechet = [frechet_distance(classifier.features(x), classifier.features(real)) for x in samples]
    near = [neighbourhoods(x, real) for x in samples]
    tests = [kernel_test(x, real, deals=_DEALS) for x in samples]
    windows = [parzen(x, real[: half // 2], real[half // 2 :]).log_likelihood for x in samples]
    sliced = [sliced_wasserstein(x, real) for x in samples]
    copied = [memorisation(x, images.x, real) for x in samples]
    seen = f"{_EYES}, which gets {classifier.accuracy:.0%} of held-out images right"
    return (
        both("class score", _pair(scores), f"The Inception Score's formula with {seen}; more is better."),
        both("Frechet distance of class features", _pair(frechet), f"With {_EYES}: no FID; less is better."),
        both("kernel MMD, squared", _pair([t.squared_mmd for t in tests]), "On pixels; less is better."),
        both("p of the kernel MMD", _pair([t.p for t in tests]), "Small: not one distribution, on pixels."),
        both(
            "sliced Wasserstein",
            _pair(sliced),
            "Mean earth mover's distance along 200 lines; less is better.",
        ),
        both("precision", _pair([n.precision for n in near]), "Generated images near real ones."),
        both("recall", _pair([n.recall for n in near]), "Real images near generated ones."),
        both("density", _pair([n.density for n in near]), "Like precision, and firm against outliers."),
        both("coverage", _pair([n.coverage for n in near]), "Like recall, and firm against outliers."),
        both(
            "Parzen log-likelihood",
            _pair(windows),
            "In nats; in so many dimensions it says little (Theis et al. 2016).",
        ),
        both(
            "memorisation",
            _pair(copied),
            "Distance to the nearest training image, over that of held-out images; far below 1 is copying.",
        ),
    )


def _pair(values: list[float]) -> tuple[float, float]:
    generated, real = values
    return generated, real
