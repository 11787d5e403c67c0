"""MAGAN between two batches or panels of cells: `cellgan.core.magan` with networks that suit cells.

The paper's networks "depended on the dataset": `magan_for_cells` says which it takes. It has neither the
paper's dropout nor its minibatch discrimination, as the released code has neither.

References
----------
Amodio and Krishnaswamy (2018), MAGAN: aligning biological manifolds. ICML, arXiv:1803.00385.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

from cellgan.core.magan import Correspondence, LabelledPairs, Magan
from cellgan.core.nets import mlp, residual_mlp
from cellgan.core.randomness import seeded
from cellgan.cytof.magan_correspondence import SharedMarkers
from cellgan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Correspondence", "LabelledPairs", "Magan", "SharedMarkers", "magan_for_cells"]


def magan_for_cells(
    n_a: int,
    n_b: int,
    *,
    seed: int,
    correspondence: Correspondence | None = None,
    correspondence_weight: float = 1.0,
    generators: Literal["residual", "plain"] = "plain",
    hidden: Sequence[int] = (128, 128),
) -> Magan:
    """Return the game with networks that suit standardised cells.

    Parameters
    ----------
    n_a
        Markers of a.
    n_b
        Markers of b.
    seed
        Of the networks' first weights.
    correspondence
        What is known about who belongs to whom.
    correspondence_weight
        Weight of that term.
    generators
        ``"residual"`` generators start as the identity; they need equally many markers, in the same order.
    hidden
        Hidden widths, the same for generators and discriminators.

    Raises
    ------
    ConfigError
        If residual generators are asked for between different panels.
    """
    if generators == "residual" and n_a != n_b:
        msg = (
            f"Residual generators add to their input: both sides need the same markers; got {n_a} and {n_b}."
        )
        raise ConfigError(msg)
    with seeded(seed), torch.enable_grad():
        if generators == "residual":
            ab, ba = residual_mlp(n_a, hidden=hidden), residual_mlp(n_b, hidden=hidden)
        else:
            ab, ba = mlp(n_a, n_b, hidden=hidden), mlp(n_b, n_a, hidden=hidden)
        return Magan(
            generator_ab=ab,
            generator_ba=ba,
            discriminator_a=mlp(n_a, 1, hidden=hidden),
            discriminator_b=mlp(n_b, 1, hidden=hidden),
            correspondence=correspondence,
            correspondence_weight=correspondence_weight,
        )
