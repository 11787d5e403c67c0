"""Segmentation of MRI volumes, adversarially: NIfTI in, NIfTI out.

>>> from cellgan import segmentation
>>> model = segmentation.train("CASES.csv")  # doctest: +SKIP
>>> segmentation.predict(model, "new.nii.gz").mask.shape  # doctest: +SKIP

Names are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellgan.segmentation.config import SegmentConfig
    from cellgan.segmentation.crossval import cross_validate
    from cellgan.segmentation.evaluation import evaluate
    from cellgan.segmentation.model import load_model
    from cellgan.segmentation.prediction import predict
    from cellgan.segmentation.training import train

__all__ = ["SegmentConfig", "cross_validate", "evaluate", "load_model", "predict", "train"]

_HOMES = {
    "SegmentConfig": "config",
    "cross_validate": "crossval",
    "evaluate": "evaluation",
    "load_model": "model",
    "predict": "prediction",
    "train": "training",
}


def __getattr__(name: str) -> object:
    """Load a public name from its home (PEP 562)."""
    if name not in _HOMES:
        msg = f"module 'cellgan.segmentation' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"cellgan.segmentation.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
