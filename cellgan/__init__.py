"""cellgan: align cytometry batches and panels, and see whether to trust the result.

>>> import cellgan
>>> alignment = cellgan.align([batch1, batch2])  # doctest: +SKIP
>>> alignment.adata.layers["aligned"]  # doctest: +SKIP

Public names are loaded on first use, so that ``import cellgan`` needs neither torch nor scanpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellgan.lazy import loader

if TYPE_CHECKING:
    from cellgan.cytof.adapt_cells import CellsConfig, adapt_cells
    from cellgan.cytof.align import align
    from cellgan.cytof.alignment import Alignment, load
    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.simulate import simulate
    from cellgan.cytof.validate import validate
    from cellgan.errors import CellganError

__version__ = "0.1.0"
__all__ = [
    "AlignConfig",
    "Alignment",
    "CellganError",
    "CellsConfig",
    "__version__",
    "adapt_cells",
    "align",
    "load",
    "simulate",
    "validate",
]

_HOMES = {
    "adapt_cells": "cytof.adapt_cells",
    "CellsConfig": "cytof.adapt_cells",
    "align": "cytof.align",
    "Alignment": "cytof.alignment",
    "load": "cytof.alignment",
    "AlignConfig": "cytof.config",
    "simulate": "cytof.simulate",
    "validate": "cytof.validate",
    "CellganError": "errors",
}

__getattr__ = loader(__name__, _HOMES)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
