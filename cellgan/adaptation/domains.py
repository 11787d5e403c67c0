"""Rows of two domains, of which one has labels."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from cellgan.errors import InputError


class Domains(NamedTuple):
    """Source rows with labels, and target rows, both through one preprocessing.

    Attributes
    ----------
    source
        ``(n, ...)``.
    labels
        Of the source rows, ``(n,)``, 0 to K - 1. The adaptation uses them for looking, and for the anchor if
        there is one.
    target
        ``(m, ...)``.
    """

    source: Tensor
    labels: Tensor
    target: Tensor

    def check(self) -> None:
        """Refuse what cannot be adapted.

        Raises
        ------
        InputError
            Rows are missing, not finite, of different shapes or of one class; or both domains are the same.
        """
        check_rows("the source", self.source)
        check_rows("the target", self.target)
        check_labels(self.source, self.labels)
        a, b = tuple(self.source.shape[1:]), tuple(self.target.shape[1:])
        if a != b:
            msg = f"source rows are {a}, target rows {b}; expected one shape and one preprocessing for both"
            raise InputError(msg)
        if self.source.shape == self.target.shape and bool((self.source == self.target).all()):
            msg = "the target is the source: the same rows in the same order. Give the other site's rows"
            raise InputError(msg)


def check_rows(name: str, values: Tensor) -> None:
    """Refuse no rows, and NaN or infinite values; InputError names which."""
    if not len(values):
        msg = f"{name} has no rows; expected at least one"
        raise InputError(msg)
    odd = ~torch.isfinite(values).flatten(1).all(1)
    if bool(odd.any()):
        msg = (
            f"{name} has NaN or infinite values in {int(odd.sum())} of {len(values)} rows, the first in row "
            f"{int(odd.nonzero()[0])}; expected numbers. Leave these rows out, or mend them"
        )
        raise InputError(msg)


def check_labels(rows: Tensor, labels: Tensor) -> None:
    """Refuse labels that are not one a row, or all the same."""
    if labels.shape != rows.shape[:1]:
        msg = f"{len(rows)} source rows have labels of shape {tuple(labels.shape)}; expected one a row"
        raise InputError(msg)
    if bool((labels == labels[0]).all()):
        msg = f"all source rows have the label {int(labels[0])}; expected at least two classes"
        raise InputError(msg)
