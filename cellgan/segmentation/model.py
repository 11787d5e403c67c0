"""A trained segmenter: what it was trained with, its weights, and the folder that they are kept in.

The folder holds ``model.safetensors``, which is all that is needed; ``model.json``, the same settings for
people to read; and ``losses.json``, what was descended. None holds code, and nothing is ever unpickled.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from cellgan.atomic import atomic, make_folder
from cellgan.core.checkpoint import read_tensors, write_tensors
from cellgan.core.device import pick
from cellgan.core.randomness import seeded
from cellgan.errors import ConfigError, ModelError
from cellgan.segmentation.config import SegmentConfig
from cellgan.segmentation.familiarity import KnownCases
from cellgan.segmentation.game import segmenter
from cellgan.segmentation.intensity import N_VIEWS
from cellgan.segmentation.loss_curves import LossCurves, read_loss_curves
from cellgan.segmentation.whereabouts import N_PLACES, Whereabouts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cellgan.core.device import DeviceName
    from cellgan.core.nets import Committee

WEIGHTS, READABLE, LOSSES = "model.safetensors", "model.json", "losses.json"
_KIND, _KNOWN = "segmentation", "known cases: "


@dataclass(frozen=True, eq=False)
class SegmentationModel:
    """All that is needed to segment.

    Attributes
    ----------
    network
        From ``(n, seen_channels, size, size)`` to raw scores of the labels.
    config
        What it was trained with.
    counts
        Channels of each of a case's files.
    n_labels
        Labels with the background.
    pixel
        Distance of the training grid's pixels in mm.
    about
        Version and cases of the training; JSON.
    losses
        Of its rounds.
    whereabouts
        Where each label but the background lies.
    known
        What is remembered of the training cases; None where nothing is.
    """

    network: Committee
    config: SegmentConfig
    counts: tuple[int, ...]
    n_labels: int
    pixel: float
    about: Mapping[str, Any]
    losses: LossCurves
    whereabouts: tuple[Whereabouts, ...] = ()
    known: KnownCases | None = None

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    @property
    def n_channels(self) -> int:
        """Channels a case."""
        return sum(self.counts)

    def save(self, folder: Path) -> None:
        """Write the model into a folder, which is made if its parent is there.

        Raises
        ------
        OutputError
            The folder or a file in it cannot be written.
        """
        meta = {
            "kind": _KIND,
            "config": asdict(self.config),
            "counts": list(self.counts),
            "n_labels": self.n_labels,
            "pixel": self.pixel,
            "whereabouts": [place.as_json() for place in self.whereabouts],
            "about": dict(self.about),
        }
        known = {} if self.known is None else self.known.tensors()
        tensors = self.network.state_dict() | {_KNOWN + name: values for name, values in known.items()}
        make_folder(folder)
        write_tensors(folder / WEIGHTS, tensors, meta)
        with atomic(folder / READABLE) as part:
            part.write_text(json.dumps(meta, indent=1, allow_nan=False), encoding="utf-8")
        self.losses.write(folder / LOSSES)


def load_model(folder: Path | str, *, device: DeviceName = "auto") -> SegmentationModel:
    """Read a model that `SegmentationModel.save` wrote.

    Parameters
    ----------
    folder
        Where it is.
    device
        Where it shall segment; ``"auto"`` takes the fastest that there is.

    Raises
    ------
    ConfigError
        There is no such device.
    ModelError
        There is none, it is damaged, or it is of another kind or version.
    """
    place = pick(device)
    path = Path(folder) / WEIGHTS
    if not path.is_file():
        found = f"holds no {WEIGHTS}" if Path(folder).is_dir() else "is no folder"
        msg = f"{folder} {found}; expected a folder that `cellgan segment train` wrote, with {WEIGHTS} in it"
        raise ModelError(msg)
    tensors, meta = read_tensors(path)
    if meta.get("kind") != _KIND:
        msg = f"{path} is of the kind {meta.get('kind')!r}; expected one that `cellgan segment train` wrote"
        raise ModelError(msg)
    try:
        config = SegmentConfig(**meta["config"])
        counts = tuple(map(int, meta["counts"]))
        n_labels = int(meta["n_labels"])
        network = empty_network(config, n_channels=sum(counts), n_labels=n_labels)
        kept = {
            name.removeprefix(_KNOWN): tensors.pop(name) for name in list(tensors) if name.startswith(_KNOWN)
        }
        network.load_state_dict(tensors)
        return SegmentationModel(
            network.to(place).eval(),
            config,
            counts,
            n_labels,
            float(meta["pixel"]),
            meta["about"],
            read_loss_curves(Path(folder) / LOSSES),
            tuple(Whereabouts.of(content) for content in meta["whereabouts"]),
            KnownCases.from_tensors(kept) if kept else None,
        )
    except (KeyError, TypeError, RuntimeError, ConfigError) as error:
        msg = f"{path} does not fit this cellgan: {error}. Use the version that wrote it"
        raise ModelError(msg) from error


def empty_network(config: SegmentConfig, *, n_channels: int, n_labels: int) -> Committee:
    """Return the network of a model, with the weights that its training starts from."""
    with seeded(config.seed), torch.enable_grad():
        return segmenter(config, seen_channels(config, n_channels), n_labels)


def seen_channels(config: SegmentConfig, n_channels: int) -> int:
    """Return how many maps the network sees of a slice: views, neighbours, and where it is."""
    return n_channels * N_VIEWS * (2 * config.neighbours + 1) + N_PLACES
