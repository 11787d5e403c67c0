"""The pairs of batches that the methods are held side by side on."""

from __future__ import annotations

from dataclasses import dataclass

COFACTOR = 5.0
UNLABELLED = "unlabelled"


@dataclass(frozen=True)
class Pair:
    """A reference batch and another one, in one file or in one each.

    Attributes
    ----------
    title
        The pair's name in the table.
    files
        One file with ``obs["batch"]``, or the reference's and the other's; below the data folder.
    reference, other
        Names of the batches: values of ``obs["batch"]``, or files without their ending.
    types
        Column of ``obs`` with the cells' types, which no method sees; without it all cells are of one type.
    counts
        Values are ion counts, which arcsinh(x / 5) is applied to; otherwise they are arcsinh values already.
    visit
        Only cells with this ``obs["timepoint"]``.
    thinned, kept
        A type of the other batch, and the share of its cells that stays: a difference of composition.
    max_cells
        At most so many cells per batch, drawn at random; 0 takes all.
    scored
        Whether the alignments are scored, or time and memory are all that is asked for.
    """

    title: str
    files: tuple[str, ...]
    reference: str
    other: str
    types: str | None = None
    counts: bool = True
    visit: str | None = None
    thinned: str | None = None
    kept: float = 1.0
    max_cells: int = 0
    scored: bool = True


REPLICATES = ("cytof/replicates_person1.h5ad",)
CENTRES = ("cytof/multicenter_S01_S08.h5ad",)

MEASURED = (
    Pair("replicates, first visit", REPLICATES, "Day2", "Day1", types="cell_type", visit="baseline"),
    Pair("replicates, three months later", REPLICATES, "Day2", "Day1", types="cell_type", visit="3month"),
    Pair(
        "replicates, few CD8 T",
        REPLICATES,
        "Day2",
        "Day1",
        types="cell_type",
        visit="baseline",
        thinned="CD8 T",
        kept=0.15,
    ),
    Pair("centres S01, S07", CENTRES, "S01", "S07", types="cell_type", max_cells=6000),
    Pair(
        "centres S01, S05, no monocytes",
        CENTRES,
        "S01",
        "S05",
        types="cell_type",
        thinned="Monocyte",
        kept=0.0,
        max_cells=6000,
    ),
    Pair("controls 021, 028", ("cytof/controls_volunteer1.h5ad",), "PTLG021", "PTLG028"),
    Pair("simulated shift", ("cytof/simulated_shift.h5ad",), "A", "B", types="label", counts=False),
)
"""Real batches, and one simulated pair; they lie below the folder that ``CELLGAN_DATA`` names."""

EXAMPLE = Pair("example data", ("batch1.h5ad", "batch2.h5ad"), "batch1", "batch2", types="cell_type")
"""The simulated batches of ``example_data/``, scored where there are no others."""

TIMED_CELLS, TIMED_MARKERS = 20_000, 35
TIMED = Pair(
    f"2 x {TIMED_CELLS:,} x {TIMED_MARKERS}",
    ("batch1.h5ad", "batch2.h5ad"),
    "batch1",
    "batch2",
    scored=False,
)
"""What `cellgan simulate` writes, for time and memory."""
