"""Which columns of several batches measure the same protein, and which are not proteins at all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from cellgan.cytof.marker_names import Kind, isotope, kind_of, marker_key
from cellgan.errors import ConfigError, PanelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cellgan.cytof.read_write import CellBatch

__all__ = ["Kind", "Panel", "column_kinds", "kind_of", "marker_key", "match_panels"]


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


def without(panel: Panel, constant: Mapping[str, Sequence[str]]) -> Panel:
    """Take markers that have one single value in some batch out of those to be aligned.

    There is nothing in such a column to tell cells apart by, and whatever it were mapped to would be
    invented.

    Parameters
    ----------
    panel
        As matched.
    constant
        By marker, the batches in which it has one single value.

    Returns
    -------
    Panel
        With these markers kept, not aligned, and a note on each.

    Raises
    ------
    PanelError
        Fewer than two markers are left.
    """
    if not constant:
        return panel
    notes = [
        f"{marker} has one single value in {', '.join(batches)}: kept as measured, not aligned"
        for marker, batches in constant.items()
    ]
    left = only(panel, [marker for marker in panel.shared if marker not in constant])
    if any(len(own) < 2 for own in left.columns.values()):
        msg = "fewer than two shared markers are left to align: " + "; ".join(notes)
        raise PanelError(msg)
    kept = (*panel.kept, *((marker, "marker") for marker in constant))
    return replace(left, kept=kept, notes=(*panel.notes, *notes))


def only(panel: Panel, markers: Sequence[str]) -> Panel:
    """Return the same with fewer shared markers, in the panel's order."""
    shared = tuple(marker for marker in panel.shared if marker in set(markers))
    columns = {name: {m: own[m] for m in shared if m in own} for name, own in panel.columns.items()}
    return replace(panel, shared=shared, columns=columns)


def column_kinds(names: Sequence[str], channels: Sequence[str]) -> list[Kind]:
    """Tell what each column of one batch measures.

    Parameters
    ----------
    names
        Names of the columns; a column without a marker's name is called by its channel.
    channels
        FCS ``$PnN``, or "" where there is none.

    Returns
    -------
    list[Kind]
        One for each column.
    """
    stained = ["" if isotope(name) else name for name in names]
    pairs = list(zip(channels, stained, strict=True))
    if any(isotope(channel) for channel in channels):
        named = any(isotope(channel) and marker for channel, marker in pairs)
    else:
        named = any(marker and kind_of("", marker) == "marker" for marker in stained)
    # Without a channel the bare isotope in the column's name says which one it is.
    return [
        kind_of(channel or name, marker, panel_is_named=named)
        for name, (channel, marker) in zip(names, pairs, strict=True)
    ]


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
        Shared, kept and private columns.

    Raises
    ------
    ConfigError
        There is no batch called `reference`.
    PanelError
        A batch shares fewer than two markers with the reference, or lacks a requested one.
    """
    tables = {batch.name: _Table.of(batch) for batch in batches}
    if reference not in tables:
        msg = f"the reference is {reference!r}, but the batches are {', '.join(tables)}: name one of these"
        raise ConfigError(msg)
    own, others = tables[reference], {name: t for name, t in tables.items() if name != reference}
    notes: list[str] = []
    found = {
        i: {name: table.find(own, i) for name, table in others.items()}
        for i in range(len(own.names))
        if own.kinds[i] == "marker"
    }
    chosen = shared = [i for i, places in found.items() if any(j is not None for j in places.values())]
    if markers:
        chosen = sorted({own.requested(marker) for marker in markers})
        found.update({i: {name: t.requested(own.names[i]) for name, t in others.items()} for i in chosen})
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
        name: tuple(t.names[i] for i, kind in enumerate(t.kinds) if kind == "marker" and i not in taken[name])
        for name, t in tables.items()
    }
    aligned = tuple(own.names[i] for i in chosen)
    kept = [pair for pair in dict.fromkeys(kept) if pair[0] not in aligned]
    proteins = _proteins(own, others, found)
    return Panel(aligned, columns, proteins, tuple(kept), private, tuple(notes))


def _proteins(
    own: _Table, others: Mapping[str, _Table], found: Mapping[int, Mapping[str, int | None]]
) -> dict[str, dict[str, int]]:
    """Give every protein one name in all batches, and find its columns."""
    proteins = {own.batch: {own.names[i]: i for i in found}}
    first: list[_Table] = [own]
    for name, table in others.items():
        matched = {j: own.names[i] for i, places in found.items() if (j := places[name]) is not None}
        for earlier in first[1:]:
            names = {j: known for known, j in proteins[earlier.batch].items()}
            for j, kind in enumerate(earlier.kinds):
                at = table.find(earlier, j) if kind == "marker" and names[j] not in own.names else None
                if at is not None and at not in matched and names[j] not in matched.values():
                    matched[at] = names[j]
        rest = {i: table.names[i] for i, kind in enumerate(table.kinds) if kind == "marker"}
        proteins[name] = {known: i for i, known in sorted((rest | matched).items())}
        first.append(table)
    return proteins


@dataclass(frozen=True)
class _Table:
    """The columns of one batch."""

    batch: str
    names: tuple[str, ...]
    keys: tuple[str, ...]
    kinds: tuple[Kind, ...]
    n_with_key: Mapping[str, int]

    @classmethod
    def of(cls, batch: CellBatch) -> _Table:
        names = tuple(map(str, batch.adata.var_names))
        var = batch.adata.var
        channels = tuple(map(str, var["channel"])) if "channel" in var else ("",) * len(names)
        keys = tuple(map(marker_key, names))
        return cls(batch.name, names, keys, tuple(column_kinds(names, channels)), Counter(keys))

    def find(self, other: _Table, i: int) -> int | None:
        """Return the protein here that is column `i` of `other`: by name, else by a key that is unique."""
        name, key = other.names[i], other.keys[i]
        if name in self.names:
            j = self.names.index(name)
        elif other.n_with_key[key] == self.n_with_key[key] == 1:
            j = self.keys.index(key)
        else:
            return None
        return j if self.kinds[j] == "marker" else None

    def is_ambiguous(self, i: int, other: _Table) -> bool:
        """Tell whether column `i` has namesakes in `other`, but none that is certainly its own."""
        count = other.n_with_key.get(self.keys[i], 0)
        return (
            self.names[i] not in other.names
            and count > 0
            and (count > 1 or self.n_with_key[self.keys[i]] > 1)
        )

    def requested(self, marker: str) -> int:
        """Return the column that a user means by `marker`."""
        key = marker_key(marker)
        if marker in self.names:
            return self.names.index(marker)
        if self.n_with_key.get(key, 0) == 1:
            return self.keys.index(key)
        if key in self.keys:
            same = [name for name, k in zip(self.names, self.keys, strict=True) if k == key]
            msg = (
                f"marker {marker!r} could be {' or '.join(same)} in batch {self.batch!r}: give the exact name"
            )
            raise PanelError(msg)
        close = self.closest(key)
        hint = f"did you mean {', '.join(close)}?" if close else f"it has {', '.join(self.names)}"
        msg = f"marker {marker!r} is not in batch {self.batch!r}; {hint}"
        raise PanelError(msg)

    def closest(self, key: str) -> list[str]:
        """Return the names here that look most like `key`."""
        return [self.names[self.keys.index(k)] for k in get_close_matches(key, self.keys, n=3, cutoff=0.6)]


def _too_few(shared: list[str], own: _Table, table: _Table) -> str:
    count = f"only one marker, {shared[0]!r}, is" if shared else "no marker is"
    both = f"{own.batch!r} and {table.batch!r}"
    lines = [f"{count} shared by {both}; cells are matched on two markers or more. Their markers are"]
    for each in (own, table):
        proteins = [name for name, kind in zip(each.names, each.kinds, strict=True) if kind == "marker"]
        lines.append(f"  {each.batch}: {', '.join(proteins) or 'none'}")
    close = [
        f"{own.names[i]} ~ {' or '.join(names)}"
        for i in range(len(own.names))
        if own.kinds[i] == "marker"
        and own.keys[i] not in table.keys
        and (names := table.closest(own.keys[i]))
    ]
    lines += [f"  closest names in {table.batch}: {'; '.join(close)}"] if close else []
    lines.append("Rename the columns that mean the same protein, and try again")
    return "\n".join(lines)
