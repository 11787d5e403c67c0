"""What is known of a predicted mask, in a JSON file beside it: how it was made, and whether to trust it.

The file of ``X_mask.nii.gz`` is ``X_mask.json``, as BIDS has it (Gorgolewski et al. 2016).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch

from cellgan.atomic import atomic
from cellgan.errors import InputError
from cellgan.segmentation.familiarity import Familiarity
from cellgan.segmentation.volumes import stem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cellgan.segmentation.config import Pieces
    from cellgan.segmentation.model import SegmentationModel

FORMAT = 1
POINTS = 50  # of the losses


@dataclass(frozen=True)
class Sidecar:
    """What is known of a predicted mask.

    Attributes
    ----------
    familiarity
        Whether to trust it; None where the model could not tell.
    about
        How it was made; JSON.
    """

    familiarity: Familiarity | None
    about: dict[str, Any]


def sidecar_of(mask: Path) -> Path:
    """Return the file that belongs to a mask."""
    return mask.with_name(f"{stem(mask)}.json")


def write_sidecar(
    mask: Path,
    model: SegmentationModel,
    familiarity: Familiarity | None,
    *,
    images: Sequence[Path],
    pieces: Pieces,
) -> Path:
    """Write what is known of a mask beside it.

    Parameters
    ----------
    mask
        The mask's file.
    model
        What made it.
    familiarity
        What the model made of the case.
    images
        Files that were segmented.
    pieces
        Which pieces of each label were kept.

    Returns
    -------
    The file.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    content = {
        "format": FORMAT,
        "cellgan": version("cellgan"),
        "torch": torch.__version__,
        "images": [str(path) for path in images],
        "pieces": pieces,
        "trusted": None if familiarity is None else familiarity.trusted,
        "distance": None if familiarity is None else familiarity.distance,
        "reasons": [] if familiarity is None else list(familiarity.reasons),
        "model": {
            **model.about,
            "config": asdict(model.config),
            "pixel": model.pixel,
            "labels": model.n_labels - 1,
            "losses": asdict(model.losses.thinned(POINTS)),
        },
    }
    path = sidecar_of(mask)
    with atomic(path) as part:
        part.write_text(json.dumps(content, indent=1, allow_nan=False), encoding="utf-8")
    return path


def read_sidecar(mask: Path) -> Sidecar | None:
    """Read what is known of a mask; None where there is no file, or another program's.

    Raises
    ------
    InputError
        The file is damaged, or of another version.
    """
    path = sidecar_of(mask)
    if not path.exists():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if "cellgan" not in content:
            return None
        familiarity = (
            None
            if content["trusted"] is None
            else Familiarity(content["distance"], tuple(map(str, content["reasons"])))
        )
        number = content["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = (
            f"cannot read {path}, which says how {mask.name} was made: {error!r}. Delete it to go on without"
        )
        raise InputError(msg) from error
    if number != FORMAT:
        msg = f"{path} has format {number!r}; this cellgan reads {FORMAT}. Delete it to go on without"
        raise InputError(msg)
    return Sidecar(familiarity, content)
