"""An alignment that was learned, on its way through all cells: what is seen there is told in the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cellgan.cytof.assemble import Piece, Table
from cellgan.cytof.batch_map import Mapped
from cellgan.cytof.impute import Imputed
from cellgan.cytof.learn import learned_rows
from cellgan.cytof.sampled_views import sample_views
from cellgan.cytof.summary import Filled, batch_summary, imputed_summary, say_imputed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from cellgan.cytof.columns import Columns
    from cellgan.cytof.config import AlignConfig
    from cellgan.cytof.fill import Filling
    from cellgan.cytof.learn import Learned
    from cellgan.cytof.model import Model
    from cellgan.cytof.prepare import Prepared
    from cellgan.cytof.read_write import CellBatch
    from cellgan.cytof.views import Views

MAPPING = "mapping all cells"
TABLES = "writing names and columns"


class Sample(NamedTuple):
    """Some cells of a batch, and what all of them come to.

    Attributes
    ----------
    values
        All columns as measured, ``(n_cells, n_columns)``.
    mapped
        The same cells as mapped.
    imputed
        What they lack, by gap in the order of gaps.
    n_novel
        How many of all cells have no counterpart in the reference.
    n_novel_by_gap
        How many have none in the source of each gap; None where nobody looked.
    """

    values: NDArray[np.float32]
    mapped: Mapped
    imputed: tuple[Imputed, ...]
    n_novel: int
    n_novel_by_gap: tuple[int | None, ...]


class Results(NamedTuple):
    """What is known once all cells were mapped."""

    report: Mapping[str, Any]
    views: Views


@dataclass(frozen=True, eq=False)
class WholeRun:
    """Maps all cells of all batches, piece by piece, as often as it is asked to.

    Attributes
    ----------
    batches
        In the order given.
    prepared
        The same, and the consensus if there is one.
    config
        Seed and draws.
    model
        The map of each batch.
    learned
        What was learned of each batch but the reference.
    fillings
        What fills the gaps.
    warnings
        Of markers that nobody can impute.
    progress, say
        Where progress and words for people go.
    """

    batches: Sequence[CellBatch]
    prepared: Prepared
    config: AlignConfig
    model: Model
    learned: Mapping[str, Learned]
    fillings: Sequence[Filling]
    warnings: Sequence[str]
    progress: Callable[[str, float], None] = field(repr=False)
    say: Callable[[str], None] = field(repr=False)

    @cached_property
    def columns(self) -> Mapping[str, Columns]:
        """What the columns of each batch are."""
        return {batch.name: self.prepared.columns(batch) for batch in self.batches}

    @cached_property
    def table(self) -> Table:
        """Where all cells go."""
        return Table(self.batches, self.prepared.panel, self.config.draws if self.fillings else 0)

    def pieces(self, samples: dict[str, Sample]) -> Iterator[Piece]:
        """Map all cells of all batches, one batch after the other; leave a sample of each in `samples`."""
        for number, batch in enumerate(self.batches):
            yield from self.of_batch(batch, samples, (number, len(self.batches)))
        self.progress(TABLES, 1.0)

    def of_batch(
        self, batch: CellBatch, samples: dict[str, Sample], which: tuple[int, int] = (0, 1)
    ) -> Iterator[Piece]:
        """Map all cells of a batch; leave a sample of them in `samples`.

        Parameters
        ----------
        batch
            One of the run's.
        samples
            By name of batch.
        which
            The batch's number and how many there are, for progress.
        """
        own = [filling for filling in self.fillings if filling.gap.target == batch.name]
        rngs = [np.random.default_rng(self.config.seed) for _ in own]
        kept, rows = _Kept(), np.sort(learned_rows(batch, self.config.seed))
        start = 0
        for values in batch.cells.pieces():
            self.progress(MAPPING, (which[0] + start / batch.n_cells) / which[1])
            mapped = self.model.mapped(values, self.columns[batch.name], batch.name)
            found = [one.fill(values, mapped, rng) for one, rng in zip(own, rngs, strict=True)]
            first, last = np.searchsorted(rows, (start, start + len(values)))
            kept.keep(values, mapped, found, rows[first:last] - start)
            gaps = tuple((one.gap, imputed) for one, (imputed, _) in zip(own, found, strict=True))
            yield Piece(batch.name, start, values, mapped, gaps)
            start += len(values)
        samples[batch.name] = kept.sample()

    def results(self, samples: Mapping[str, Sample]) -> Results:
        """Say how well all batches were aligned, once all of their cells were seen."""
        filled = []
        for batch in self.batches:
            own = [filling for filling in self.fillings if filling.gap.target == batch.name]
            sample = samples[batch.name]
            filled += [
                Filled(one.gap, imputed, one.quality, n)
                for one, imputed, n in zip(own, sample.imputed, sample.n_novel_by_gap, strict=True)
            ]
        imputed = imputed_summary(filled)
        say_imputed(self.say, imputed)
        views = sample_views(
            self.prepared, samples, filled, reference=self.model.reference, seed=self.config.seed
        )
        summaries = [
            batch_summary(
                self.learned[batch.name],
                self.prepared,
                view=views.of(batch.name),
                units=self.model.batches[batch.name].units,
                sample=samples[batch.name],
            )
            for batch in self.batches
            if batch.name in self.learned
        ]
        report = {**self.model.about, "batches": summaries, "imputed": imputed}
        report["warnings"] = [*report["warnings"], *self.warnings]
        return Results(report, views)


class _Kept:
    """Collects a sample of the cells that pass."""

    def __init__(self) -> None:
        self._values: list[NDArray[np.float32]] = []
        self._mapped: list[Mapped] = []
        self._imputed: list[list[Imputed]] = []
        self._n_novel = 0
        self._n_by_gap: list[list[int | None]] = []

    def keep(
        self,
        values: NDArray[np.float32],
        mapped: Mapped,
        found: Sequence[tuple[Imputed, NDArray[np.bool_] | None]],
        rows: NDArray[np.intp],
    ) -> None:
        """Keep some rows of a piece, and count all of it."""
        self._values.append(values[rows])
        self._mapped.append(Mapped(mapped.aligned[rows], mapped.sd[rows], mapped.novel[rows]))
        self._imputed.append([Imputed(i.expected[rows], i.sd[rows], i.draws[:, rows]) for i, _ in found])
        self._n_novel += int(mapped.novel.sum())
        self._n_by_gap.append([None if novel is None else int(novel.sum()) for _, novel in found])

    def sample(self) -> Sample:
        """Put what was kept together."""
        imputed = tuple(
            Imputed(
                np.concatenate([one.expected for one in parts]),
                np.concatenate([one.sd for one in parts]),
                np.concatenate([one.draws for one in parts], axis=1),
            )
            for parts in zip(*self._imputed, strict=True)
        )
        return Sample(
            np.concatenate(self._values),
            Mapped(
                np.concatenate([one.aligned for one in self._mapped]),
                np.concatenate([one.sd for one in self._mapped]),
                np.concatenate([one.novel for one in self._mapped]),
            ),
            imputed,
            self._n_novel,
            tuple(None if None in counts else sum(counts) for counts in zip(*self._n_by_gap, strict=True)),
        )
