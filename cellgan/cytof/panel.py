"""Which columns of several batches measure the same protein, and which are not proteins at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cellgan.cytof.likely_pairs import likely_notes
from cellgan.cytof.panel_table import PanelTable
from cellgan.errors import ConfigError, PanelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellgan.cytof.marker_names import Kind
    from cellgan.cytof.read_write import CellBatch


@dataclass(frozen=True)
class Panel:
    """How the columns of several batches correspond.

    Attributes
    ----------
    shared
        Markers to align, named and ordered as in the reference: measured there and in some other batch.
    columns
        For every batch, the column of each shared marker that it measures.
    proteins
        For every batch, the column of each protein, the shared ones among them. A protein has one name in all
        batches: the reference's, or else that of the first batch that measures it.
    kept
        Columns that are carried over unaligned, as (name, kind); kind ``marker`` for proteins not chosen.
    private
        For the reference, the proteins that it alone measures; for every other batch, those that the
        reference does not measure.
    notes
        Matches across spellings and markers that could not be told apart, in words.
    """

    shared: tuple[str, ...]
    columns: Mapping[str, Mapping[str, int]]
    proteins: Mapping[str, Mapping[str, int]]
    kept: tuple[tuple[str, Kind], ...]
    private: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()


def without(panel: Panel, silent: Mapping[str, Sequence[str]], *, reference: str) -> Panel:
    """Take markers that say nothing in some batch out of what is aligned there.

    Parameters
    ----------
    panel
        As matched.
    silent
        By marker, the batches in which it says nothing, see `cellgan.cytof.silent`.
    reference
        What says nothing in this batch is aligned in none.

    Returns
    -------
    Panel
        With these markers kept as measured, and a note on each.

    Raises
    ------
    PanelError
        Fewer than two markers are left in some batch.
    """
    if not silent:
        return panel
    notes = [
        f"{marker} hardly varies in {', '.join(batches)} (a stain that failed?): kept as measured "
        f"{'' if reference in batches else 'there'}, not aligned and not matched by".replace(" ,", ",")
        for marker, batches in silent.items()
    ]
    columns = {
        name: {
            marker: at for marker, at in own.items() if not {name, reference} & set(silent.get(marker, ()))
        }
        for name, own in panel.columns.items()
    }
    if any(len(own) < 2 for own in columns.values()):
        msg = "fewer than two shared markers are left to align: " + "; ".join(notes)
        raise PanelError(msg)
    left = replace(panel, columns=columns)
    left = only(left, [m for m in panel.shared if any(m in columns[n] for n in columns if n != reference)])
    kept = (*panel.kept, *((marker, "marker") for marker in panel.shared if marker not in left.shared))
    return replace(left, kept=kept, notes=(*panel.notes, *notes))


def only(panel: Panel, markers: Sequence[str]) -> Panel:
    """Return the same with fewer shared markers, in the panel's order."""
    shared = tuple(marker for marker in panel.shared if marker in set(markers))
    columns = {name: {m: own[m] for m in shared if m in own} for name, own in panel.columns.items()}
    return replace(panel, shared=shared, columns=columns)


def everywhere(panel: Panel) -> Panel:
    """Return the same with those shared markers alone that every batch measured, and a note on the others.

    Raises
    ------
    PanelError
        These are fewer than two.
    """
    left = [m for m in panel.shared if all(m in own for own in panel.columns.values())]
    lost = [marker for marker in panel.shared if marker not in left]
    if not lost:
        return panel
    if len(left) < 2:
        msg = (
            f"fewer than two markers were measured in all of {', '.join(panel.columns)}, so there is nothing "
            "to make a consensus of: name a batch as the reference, which must share two with each other one"
        )
        raise PanelError(msg)
    note = f"kept as measured, not aligned, for not every batch measured them: {', '.join(lost)}"
    kept = (*panel.kept, *((marker, "marker") for marker in lost))
    return replace(only(panel, left), kept=kept, notes=(*panel.notes, note))


def match_panels(batches: Sequence[CellBatch], *, reference: str, markers: tuple[str, ...] = ()) -> Panel:
    """Find the proteins that batches share with the reference, under whatever spelling.

    Parameters
    ----------
    batches
        All batches, the reference among them.
    reference
        Name of the batch whose names and order count.
    markers
        Align only these; they may also be columns that would not be taken for proteins by their names.

    Returns
    -------
    Panel
        Shared, kept and private columns. Its notes name private ones that look like one protein.

    Raises
    ------
    ConfigError
        There is no batch called `reference`.
    PanelError
        A batch shares fewer than two markers with the reference, or no other batch has a requested one.
    """
    tables = {batch.name: PanelTable.of(batch) for batch in batches}
    if reference not in tables:
        msg = f"the reference is {reference!r}, but the batches are {', '.join(tables)}: name one of these"
        raise ConfigError(msg)
    own, others = tables[reference], {name: t for name, t in tables.items() if name != reference}
    notes: list[str] = []
    found = {i: {name: table.find(own, i) for name, table in others.items()} for i in own.proteins}
    chosen = shared = [i for i, places in found.items() if any(j is not None for j in places.values())]
    if markers:
        chosen = sorted({own.requested(marker) for marker in markers})
        found.update({i: _places(own.names[i], others) for i in chosen})
    columns = {reference: {own.names[i]: i for i in chosen}}
    for name, table in others.items():
        columns[name] = {own.names[i]: j for i in chosen if (j := found[i][name]) is not None}
        if len(columns[name]) < 2:
            raise PanelError(_too_few(list(columns[name]), own, table))
        spelled = [
            f"{table.names[j]} = {marker}" for marker, j in columns[name].items() if table.names[j] != marker
        ]
        notes += [f"{name}: matched under other spellings: {', '.join(spelled)}"] if spelled else []
        unsure = [own.names[i] for i in found if own.is_ambiguous(i, table)]
        notes += (
            [f"{name}: measured by several columns, so not aligned: {', '.join(unsure)}"] if unsure else []
        )
    columns_of = [pair for t in tables.values() for pair in zip(t.names, t.kinds, strict=True)]
    kept = [pair for pair in columns_of if pair[1] != "marker"]
    kept += [(own.names[i], "marker") for i in shared if i not in chosen]
    taken: dict[str, set[int | None]] = {reference: {*shared, *chosen}}
    taken |= {name: {places[name] for i, places in found.items() if i in taken[reference]} for name in others}
    private = {
        name: tuple(t.names[i] for i in t.proteins if i not in taken[name]) for name, t in tables.items()
    }
    aligned = tuple(own.names[i] for i in chosen)
    kept = [pair for pair in dict.fromkeys(kept) if pair[0] not in aligned]
    notes += likely_notes([own, *others.values()])
    return Panel(aligned, columns, _proteins(own, others, found), tuple(kept), private, tuple(notes))


def _places(marker: str, others: Mapping[str, PanelTable]) -> dict[str, int | None]:
    """Return the column of a requested marker in every batch that has it; PanelError where none has."""
    if not any(table.has(marker) for table in others.values()):
        next(iter(others.values())).requested(marker)  # which says what it has instead
    return {name: t.requested(marker) if t.has(marker) else None for name, t in others.items()}


def _proteins(
    own: PanelTable, others: Mapping[str, PanelTable], found: Mapping[int, Mapping[str, int | None]]
) -> dict[str, dict[str, int]]:
    """Give every protein one name in all batches, and find its columns."""
    proteins = {own.batch: {own.names[i]: i for i in found}}
    first: list[PanelTable] = [own]
    for name, table in others.items():
        matched = {j: own.names[i] for i, places in found.items() if (j := places[name]) is not None}
        for earlier in first[1:]:
            names = {j: known for known, j in proteins[earlier.batch].items()}
            for j in earlier.proteins:
                at = table.find(earlier, j) if names[j] not in own.names else None
                if at is not None and at not in matched and names[j] not in matched.values():
                    matched[at] = names[j]
        rest = {i: table.names[i] for i in table.proteins}
        proteins[name] = {known: i for i, known in sorted((rest | matched).items())}
        first.append(table)
    return proteins


def _too_few(shared: list[str], own: PanelTable, table: PanelTable) -> str:
    count = f"only one marker, {shared[0]!r}, is" if shared else "no marker is"
    both = f"{own.batch!r} and {table.batch!r}"
    lines = [f"{count} shared by {both}; cells are matched on two markers or more. Their markers are"]
    lines += [
        f"  {each.batch}: {', '.join(each.names[i] for i in each.proteins) or 'none'}"
        for each in (own, table)
    ]
    close = [
        f"{own.names[i]} ~ {' or '.join(names)}"
        for i in own.proteins
        if own.keys[i] not in table.keys and (names := table.closest(own.keys[i]))
    ]
    lines += [f"  closest names in {table.batch}: {'; '.join(close)}"] if close else []
    lines += [f"  {note}" for note in likely_notes([own, table])]
    lines.append(
        "Say which columns mean the same protein: --rename FILE, a table with the columns batch,from,to"
    )
    return "\n".join(lines)
