"""Whether a case is like those that a model was trained on: of others nobody knows how good its masks are.

What the network sees in a case is summed up by the means and the spreads of the channels in the middle of its
way down, over all positions and slices. Each figure is measured in spreads of the training cases, and a case
is as strange as its two nearest training cases are far. What is usual is learned by leaving each training
case out once: at distance 1, 19 in 20 of them would be nearer, if the logarithms of distances are normal.

Beside that, plain figures are held against the training cases: an empty mask, a volume of more than twice the
largest or less than half of the smallest, a mask that is cut off by the edge of the training grid, and slices
1.5 times further apart, or nearer, than any.

References
----------
Sun et al. (2022), Out-of-distribution detection with deep nearest neighbors, with means and spreads in place
of the last layer, since a segmenter has no single feature vector of an image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from cellgan.core.nets import Committee

FEWEST = 5  # training cases below which nothing is said of distances
NEAREST = 2
_QUANTILE = 1.645  # of a normal distribution: 95 %
_TIMES, _GAP_TIMES = 2.0, 1.5


@dataclass(frozen=True)
class Familiarity:
    """What is known of a case that was segmented.

    Attributes
    ----------
    distance
        To the nearest training cases; above 1 is unusual. None where they were too few to tell.
    reasons
        Why the mask should not be trusted, in words; none if nothing was found.
    """

    distance: float | None
    reasons: tuple[str, ...]

    @property
    def trusted(self) -> bool:
        """Whether nothing was found against the mask."""
        return not self.reasons


class Sight:
    """What a network sees while it segments: of each channel the mean and the spread, slice by slice.

    Parameters
    ----------
    network
        Of its first member the middle of the way down is looked at while the ``with`` block lasts.
    """

    def __init__(self, network: Committee) -> None:
        blocks = list(network.body.get_submodule("0.down"))  # type: ignore[call-overload]
        self._block: nn.Module = blocks[len(blocks) // 2]
        self._seen: list[Tensor] = []

    def __enter__(self) -> Self:
        self._hook = self._block.register_forward_hook(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        self._hook.remove()

    def _look(self, _block: nn.Module, _inputs: object, values: Tensor) -> None:
        means, spreads = values.mean((2, 3)), values.std((2, 3))
        self._seen.append(torch.cat([means, spreads], 1).detach().cpu())

    def figures(self) -> NDArray[np.float64]:
        """Return the figures of one case, ``(2 * n_channels,)``: means, and logarithms of spreads."""
        means, spreads = torch.cat(self._seen).double().mean(0).chunk(2)
        return torch.cat([means, (spreads + 1e-6).log()]).numpy()


@dataclass(frozen=True, eq=False)
class KnownCases:
    """What is remembered of the training cases.

    Attributes
    ----------
    figures
        What the network saw in each, ``(n_cases, n_figures)``.
    volumes
        Of each label in each, ``(n_cases, n_labels - 1)``, in ml.
    gaps
        Distance of each one's slices in mm, ``(n_cases,)``.
    """

    figures: NDArray[np.float64]
    volumes: NDArray[np.float64]
    gaps: NDArray[np.float64]

    def tensors(self) -> dict[str, Tensor]:
        """Return all of it as tensors, to be written."""
        return {name: torch.from_numpy(getattr(self, name)) for name in ("figures", "volumes", "gaps")}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """Undo `tensors`."""
        return cls(*(tensors[name].numpy() for name in ("figures", "volumes", "gaps")))

    def judge(
        self, figures: NDArray[np.float64], labels: NDArray[np.uint8], *, area: float, gap: float
    ) -> Familiarity | None:
        """Hold a case against the training cases.

        Parameters
        ----------
        figures
            What the network saw in it.
        labels
            The mask on the training grid, ``(n_slices, size, size)``.
        area
            Of a pixel of the grid in mm².
        gap
            Distance of the slices in mm.

        Returns
        -------
        What was found; None where nothing was, and the training cases are too few to tell.
        """
        distance = self.distance(figures)
        reasons = [*self._gap(gap), *self._volumes(labels, area * gap / 1000)]
        if distance is not None and distance > 1:
            reasons.insert(
                0,
                f"what the network sees in it is unlike the training cases (distance {distance:.2f}; above 1 "
                "is unusual)",
            )
        return None if distance is None and not reasons else Familiarity(distance, tuple(reasons))

    def distance(self, figures: NDArray[np.float64]) -> float | None:
        """Return how far a case is from the nearest training cases; 1 is the end of what is usual."""
        if len(self.figures) < FEWEST:
            return None
        rows = np.arange(len(self.figures))
        usual = np.log([_to_nearest(self.figures[rows != row], self.figures[row]) for row in rows])
        limit = np.exp(usual.mean() + _QUANTILE * usual.std(ddof=1))
        return float(_to_nearest(self.figures, figures) / limit)

    def _gap(self, gap: float) -> list[str]:
        low, high = float(self.gaps.min()), float(self.gaps.max())
        if low / _GAP_TIMES <= gap <= high * _GAP_TIMES:
            return []
        return [f"its slices lie {gap:.3g} mm apart; those of the training cases {_span(low, high)} mm"]

    def _volumes(self, labels: NDArray[np.uint8], voxel: float) -> list[str]:
        reasons = []
        for number, column in enumerate(self.volumes.T, start=1):
            inside, known = labels == number, column[column > 0]
            ml = float(inside.sum() * voxel)
            what = "the mask" if self.volumes.shape[1] == 1 else f"label {number}"
            if not inside.any():
                if len(known) == len(column):
                    reasons.append(f"{what} is empty; no training case’s is")
                continue
            low, high = float(known.min()), float(known.max())
            if not low / _TIMES <= ml <= high * _TIMES:
                reasons.append(f"{what} holds {ml:.3g} ml; in the training cases {_span(low, high)} ml")
            if inside[:, [0, -1]].any() or inside[:, :, [0, -1]].any():
                reasons.append(f"{what} is cut off by the edge of the square that the network sees")
        return reasons


def known_cases(
    figures: Sequence[NDArray[np.float64]],
    labels: Sequence[NDArray[np.uint8]],
    *,
    n_labels: int,
    area: float,
    gaps: Sequence[float],
) -> KnownCases:
    """Remember training cases.

    Parameters
    ----------
    figures
        What the network saw in each.
    labels
        The masks on the training grid, ``(n_slices, size, size)`` each.
    n_labels
        Labels with the background.
    area
        Of a pixel in mm².
    gaps
        Distance of each one's slices in mm.
    """
    counts = np.array([np.bincount(each.ravel(), minlength=n_labels)[1:] for each in labels], dtype=float)
    return KnownCases(np.stack(figures), counts * area / 1000 * np.array(gaps)[:, None], np.array(gaps))


def _to_nearest(known: NDArray[np.float64], figures: NDArray[np.float64]) -> Any:  # noqa: ANN401 - a numpy scalar
    """Return the mean distance to the nearest cases, in spreads of the known ones."""
    spread = known.std(0, ddof=1)
    spread = np.maximum(spread, 0.5 * np.median(spread) + 1e-9)  # what hardly varies decides nothing
    apart = np.sqrt((((known - figures) / spread) ** 2).mean(1))
    return np.sort(apart)[:NEAREST].mean()


def _span(low: float, high: float) -> str:
    a, b = f"{low:.3g}", f"{high:.3g}"
    return a if a == b else f"{a} to {b}"
