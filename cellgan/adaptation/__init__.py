"""Carry a model to the next site without its labels: adversarial discriminative domain adaptation.

>>> from cellgan import adaptation
>>> domains = adaptation.Domains(source, labels, target)  # doctest: +SKIP
>>> found = adaptation.adapt(encoder, head, domains)  # doctest: +SKIP
>>> found.kept, found.encoder  # doctest: +SKIP

Tensors in, networks out. Cells are brought here by `cellgan.cytof.adapt_cells`, volumes by
`cellgan.segmentation.adapt_volumes`. Names are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellgan.lazy import loader

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

__getattr__ = loader(__name__, _HOMES)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
