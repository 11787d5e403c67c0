"""Segmentation of MRI volumes, adversarially: NIfTI in, NIfTI out.

>>> from cellgan import segmentation
>>> model = segmentation.train("CASES.csv")  # doctest: +SKIP
>>> segmentation.predict(model, "new.nii.gz").mask.shape  # doctest: +SKIP

Names are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellgan.lazy import loader

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

__getattr__ = loader(__name__, _HOMES)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
