"""Carry a model to the next site without its labels: adversarial discriminative domain adaptation.

>>> from cellgan import adaptation
>>> domains = adaptation.Domains(source, labels, target)  # doctest: +SKIP
>>> found = adaptation.adapt(encoder, head, domains)  # doctest: +SKIP
>>> found.kept, found.encoder  # doctest: +SKIP

Tensors in, networks out. Cells are brought here by `cellgan.cytof.adapt_cells`, volumes by
`cellgan.segmentation.adapt_volumes`. Names are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellgan.adaptation.adaptation import Adaptation, adapt
    from cellgan.adaptation.adda import Adda
    from cellgan.adaptation.choice import Keep
    from cellgan.adaptation.classifier import Fit, fit_classifier
    from cellgan.adaptation.config import PUBLISHED, AdaptConfig
    from cellgan.adaptation.domains import Domains

__all__ = [
    "PUBLISHED",
    "AdaptConfig",
    "Adaptation",
    "Adda",
    "Domains",
    "Fit",
    "Keep",
    "adapt",
    "fit_classifier",
]

_HOMES = {
    "PUBLISHED": "config",
    "AdaptConfig": "config",
    "Adaptation": "adaptation",
    "Adda": "adda",
    "Domains": "domains",
    "Fit": "classifier",
    "Keep": "choice",
    "adapt": "adaptation",
    "fit_classifier": "classifier",
}


def __getattr__(name: str) -> object:
    """Load a public name from its home (PEP 562)."""
    if name not in _HOMES:
        msg = f"module 'cellgan.adaptation' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"cellgan.adaptation.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
