"""The ring of eight Gaussians as a test: which were found, and how much of what is drawn lies in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellgan.images.demo import Measure
from cellgan.images.evaluation.modes import count_modes
from cellgan.images.evaluation.parzen import parzen
from cellgan.images.evaluation.sliced_wasserstein import sliced_wasserstein
from cellgan.images.toys import RING_SD, ring, ring_centres

if TYPE_CHECKING:
    from torch import Tensor


def ring_measures(points: Tensor, *, seed: int, modes: int, inside: float) -> tuple[Measure, ...]:
    """Return the figures of generated points, beside those of as many fresh ones of the ring.

    Parameters
    ----------
    points
        ``(n, 2)``.
    seed
        The points that were learned from had this one; fresh ones get others.
    modes, inside
        Bounds: how many are to be found, and the share of points that is to lie in them.
    """
    n = len(points)
    fresh, held_out = ring(n, seed=10_000 + seed), ring(n, seed=20_000 + seed)
    found, real = (count_modes(p, ring_centres(), sd=RING_SD) for p in (points, fresh))
    windows = [parzen(p, held_out[::2], held_out[1::2]).log_likelihood for p in (points, fresh)]
    sliced = [sliced_wasserstein(p, held_out) for p in (points, fresh)]
    return (
        Measure(
            "modes found",
            found.found,
            "Gaussians, of eight, that hold at least 1 % of the points.",
            floor=real.found,
            at_least=modes,
        ),
        Measure(
            "points inside",
            found.inside,
            "Share of points within three standard deviations of a centre.",
            floor=real.inside,
            at_least=inside,
        ),
        Measure(
            "sliced Wasserstein",
            sliced[0],
            "Mean earth mover's distance along 200 lines; less is better.",
            floor=sliced[1],
        ),
        Measure(
            "Parzen log-likelihood",
            windows[0],
            "Of held-out points, in nats; in two dimensions it can be believed.",
            floor=windows[1],
        ),
    )
