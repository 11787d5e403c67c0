"""cellgan: align cytometry batches and panels, and see whether to trust the result.

>>> import cellgan
>>> alignment = cellgan.align([batch1, batch2])  # doctest: +SKIP
>>> alignment.adata.layers["aligned"]  # doctest: +SKIP

Public names are loaded on first use, so that ``import cellgan`` needs neither torch nor scanpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellgan.cytof.align import align
    from cellgan.cytof.alignment import Alignment, load
    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.simulate import simulate
    from cellgan.cytof.validate import validate
    from cellgan.errors import CellganError

__version__ = "0.1.0"
__all__ = ["AlignConfig", "Alignment", "CellganError", "__version__", "align", "load", "simulate", "validate"]

_HOMES = {
    "align": "cellgan.cytof.align",
    "Alignment": "cellgan.cytof.alignment",
    "load": "cellgan.cytof.alignment",
    "AlignConfig": "cellgan.cytof.config",
    "simulate": "cellgan.cytof.simulate",
    "validate": "cellgan.cytof.validate",
    "CellganError": "cellgan.errors",
}


def __getattr__(name: str) -> object:
    """Load a public name from its home (PEP 562)."""
    if name not in _HOMES:
        msg = f"module 'cellgan' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
