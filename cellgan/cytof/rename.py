"""Columns under other names: a user says which of them mean the same protein.

New names count in all that is written. The model keeps the names that the files have, since cells measured
later come with these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from cellgan.cytof.input_files import check_name, naming
from cellgan.cytof.marker_names import marker_key
from cellgan.cytof.text_table import read_table
from cellgan.errors import InputError, PanelError
from cellgan.report.numbers import listing

if TYPE_CHECKING:
    from pathlib import Path

    from cellgan.cytof.read_write import CellBatch

ALL = "*"  # in place of a batch's name


@dataclass(frozen=True)
class Renaming:
    """One column gets another name.

    Attributes
    ----------
    batch
        Whose column; `ALL` for every batch that has one of that name.
    old, new
        The names.
    said
        Where that was said, for messages: ``line 3``.
    """

    batch: str
    old: str
    new: str
    said: str


def rename_by_table(batches: Sequence[CellBatch], path: Path) -> list[CellBatch]:
    """Rename columns as a table says; see `read_renamings` and `rename_columns`."""
    renamings = read_renamings(path, batches=[batch.name for batch in batches])
    with naming(path):
        return rename_columns(batches, renamings)


def rename_in_memory(
    batches: Sequence[CellBatch], rename: Mapping[str, Mapping[str, str]]
) -> list[CellBatch]:
    """Rename columns as a user says from Python; see `rename_columns`.

    Parameters
    ----------
    batches
        As read.
    rename
        By name of batch, or ``*`` for all of them: new names by old ones.

    Raises
    ------
    InputError
        It is something else or empty, a batch is unknown, or an entry says nothing.
    PanelError
        A column cannot be renamed so.
    """
    given: object = rename  # not everybody has a type checker
    with naming("rename"):
        if not isinstance(given, Mapping) or not all(isinstance(own, Mapping) for own in given.values()):
            msg = (
                f"it is {given!r}; expected new names by old ones, and these by name of batch or '{ALL}' for "
                f"all, as in {{'{ALL}': {{'CD8a': 'CD8'}}}}"
            )
            raise InputError(msg)
        found = [
            Renaming(str(batch), str(old), str(new), f"{str(batch)!r}, {str(old)!r}")
            for batch, own in rename.items()
            for old, new in own.items()
        ]
        if not found:
            msg = "it is empty: name a column that is to get another name, or leave rename out"
            raise InputError(msg)
        _check(found, [batch.name for batch in batches])
        return rename_columns(batches, found)


def read_renamings(path: Path, *, batches: Sequence[str] | None = None) -> list[Renaming]:
    """Read which columns get another name.

    Parameters
    ----------
    path
        A ``.csv`` or ``.tsv`` table with the columns ``from``, ``to`` and ``batch``; others are ignored.
        Where the batch is left out, or is ``*``, all batches are meant.
    batches
        Names of the batches; None where they are not known yet, and then not checked.

    Raises
    ------
    InputError
        The table cannot be read or is empty, a column or a value is missing, a batch is unknown, or a line
        says what another one says, or nothing. Names the line.
    """
    with naming(path):
        rows = read_table(path, ("from", "to"), optional=("batch",), each="a column that gets another name")
        if not rows:
            msg = "the table renames nothing: give one line a column, with its name and its new one"
            raise InputError(msg)
        found = [Renaming(row["batch"] or ALL, row["from"], row["to"], f"line {line}") for line, row in rows]
        _check(found, batches)
    return found


def rename_columns(batches: Sequence[CellBatch], renamings: Sequence[Renaming]) -> list[CellBatch]:
    """Return the batches with their columns renamed and a note on it; those given are not changed.

    A column is meant by its name as the file has it or else, where only one is meant then, by another
    spelling. All columns of a batch get their new names at once, so two may swap theirs.

    Parameters
    ----------
    batches
        As read.
    renamings
        Of batches that are there.

    Raises
    ------
    PanelError
        A column is not there, has that name already, or is renamed twice; or two would get one name.
    """
    plans: dict[str, dict[int, Renaming]] = {batch.name: {} for batch in batches}
    for each in renamings:
        found = [
            (batch, column)
            for batch in batches
            if each.batch in {ALL, batch.name} and (column := _column(batch, each)) is not None
        ]
        if not found:
            raise PanelError(_not_there(each, batches))
        found = [(batch, column) for batch, column in found if batch.markers[column] != each.new]
        if not found:
            msg = f"{each.said}: {each.old!r} is called {each.new!r} already; take this out"
            raise PanelError(msg)
        for batch, column in found:
            if earlier := plans[batch.name].get(column):
                msg = (
                    f"{each.said}: {each.old!r} of batch {batch.name!r} is renamed already, to "
                    f"{earlier.new!r} by {earlier.said}; keep one of the two"
                )
                raise PanelError(msg)
            plans[batch.name][column] = each
    return [_renamed(batch, plans[batch.name]) for batch in batches]


def _check(renamings: Sequence[Renaming], batches: Sequence[str] | None) -> None:
    """Check what can be checked without the columns."""
    seen: dict[tuple[str, str], str] = {}
    for each in renamings:
        if batches is not None and each.batch != ALL and each.batch not in batches:
            msg = f"{each.said}: there is no batch {each.batch!r}; the batches are {', '.join(batches)}"
            raise InputError(msg)
        check_name(each.old, f"{each.said}: the column")
        check_name(each.new, f"{each.said}: the new name")
        if each.old == each.new:
            msg = f"{each.said}: {each.old!r} is renamed to itself; give another name, or take this out"
            raise InputError(msg)
        if first := seen.get((each.batch, each.old)):
            msg = f"{each.said}: {each.old!r} is renamed a second time, after {first}; keep one of the two"
            raise InputError(msg)
        seen[each.batch, each.old] = each.said


def _column(batch: CellBatch, renaming: Renaming) -> int | None:
    """Return the column that is meant: of that very name, else of the only name that is a spelling of it."""
    names = batch.markers
    if renaming.old in names:
        return names.index(renaming.old)
    key = marker_key(renaming.old)
    meant = [i for i, name in enumerate(names) if marker_key(name) == key]
    if len(meant) > 1:
        msg = (
            f"{renaming.said}: {renaming.old!r} could be {' or '.join(names[i] for i in meant)} in batch "
            f"{batch.name!r}: give the exact name"
        )
        raise PanelError(msg)
    return meant[0] if meant else None


def _not_there(renaming: Renaming, batches: Sequence[CellBatch]) -> str:
    """Say that a column is not there, what may have been meant, and which other batch has it."""
    everywhere = renaming.batch == ALL
    where = "no batch has a" if everywhere else f"batch {renaming.batch!r} has no"
    keys = {
        marker_key(name): name
        for batch in batches
        if everywhere or batch.name == renaming.batch
        for name in batch.markers
    }
    close = [keys[key] for key in get_close_matches(marker_key(renaming.old), list(keys), n=3, cutoff=0.6)]
    hint = f"did you mean {listing(close)}?" if close else f"there are {listing(list(keys.values()), 60)}"
    elsewhere = [b.name for b in batches if not everywhere and renaming.old in b.markers]
    there = f" ({listing(elsewhere)} has)" if elsewhere else ""
    return f"{renaming.said}: {where} column {renaming.old!r}{there}; {hint}"


def _renamed(batch: CellBatch, plan: Mapping[int, Renaming]) -> CellBatch:
    """Return a batch whose columns have new names; only the names take memory of their own."""
    if not plan:
        return batch
    before = batch.markers
    names = [plan[i].new if i in plan else name for i, name in enumerate(before)]
    for i, each in plan.items():
        if len(same := [before[j] for j, name in enumerate(names) if name == each.new]) > 1:
            msg = (
                f"{each.said}: {listing(same)} of batch {batch.name!r} would both be called {each.new!r}; "
                f"two columns cannot have one name: rename the other one too, or do not rename {before[i]!r}"
            )
            raise PanelError(msg)
    told = ", ".join(f"{before[i]} to {names[i]}" for i in sorted(plan))
    files = {name: batch.spelling(i) for i, name in enumerate(names) if name != batch.spelling(i)}
    notes = (*batch.notes, f"renamed as told: {told}")
    return replace(batch, cells=batch.cells.renamed(names), renamed=files, notes=notes)
