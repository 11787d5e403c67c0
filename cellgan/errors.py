"""Every mistake that a user or an input can make ends in one of these."""

from __future__ import annotations


class CellganError(Exception):
    """An error with a message for people: what, the value seen, what was expected, how to fix it."""

    def __str__(self) -> str:
        """Return the message, followed by the notes (file, key) that were added on its way up."""
        return "\n".join([super().__str__(), *getattr(self, "__notes__", ())])


class ConfigError(CellganError):
    """A setting that cannot be used; the command line ends with exit code 2."""


class InputError(CellganError):
    """A file or table that cannot be used as it is."""


class PanelError(InputError):
    """Markers of two batches that do not fit together."""


class OutputError(CellganError):
    """A place where results cannot be written."""


class ModelError(CellganError):
    """A saved model or checkpoint that cannot be read, or does not fit what it is asked to do."""


class DivergedError(CellganError):
    """A game whose term became NaN or infinite: names the player, the term and the round."""
