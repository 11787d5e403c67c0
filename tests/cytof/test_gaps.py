"""What a batch lacks, and from which batch it is learned."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from cellgan.cytof.gaps import Gap, find_gaps
from cellgan.cytof.impute import LEAST_CELLS
from cellgan.cytof.panel import match_panels, only
from cellgan.cytof.read_write import batches_from_adata


def found(
    reference: str = "one",
    *,
    cells: dict[str, int] | None = None,
    chosen: tuple[str, ...] = (),
    **panels: str,
) -> tuple[tuple[Gap, ...], tuple[str, ...]]:
    """Find gaps between batches whose markers are named in one line each."""
    given = {
        name: ad.AnnData(
            np.ones(((cells or {}).get(name, LEAST_CELLS), len(line.split())), np.float32),
            var=pd.DataFrame(index=line.split()),
        )
        for name, line in panels.items()
    }
    batches = batches_from_adata(given)
    panel = match_panels(batches, reference=reference)
    return find_gaps(batches, only(panel, chosen) if chosen else panel, reference=reference)


def test_two_panels_are_filled_both_ways():
    gaps, notes = found(one="CD3 CD4 CD19 CD56 CD14", two="CD25 CD19 CD127 CD3")
    assert gaps == (
        Gap("one", "two", ("CD3", "CD19"), ("CD25", "CD127")),
        Gap("two", "one", ("CD3", "CD19"), ("CD4", "CD56", "CD14")),
    )
    assert notes == ()


def test_nothing_lacks_where_panels_are_equal():
    assert found(one="CD3 CD4 CD19", two="CD19 CD4 CD3", three="142Nd_CD4 CD19 CD3") == ((), ())


def test_what_is_no_protein_is_not_imputed():
    (gap,), notes = found(one="CD3 Time CD4 CD19 DNA1", two="CD4 Event_length CD3 Ir191Di Viability")
    assert gap == Gap("two", "one", ("CD3", "CD4"), ("CD19",))
    assert not notes


def test_one_protein_under_two_spellings_is_not_lacking():
    (gap,), _ = found(one="CD3 HLA-DR CD19", two="HLADR 170Er_CD3")
    assert gap == Gap("two", "one", ("CD3", "HLA-DR"), ("CD19",))


def test_the_reference_is_the_source_even_if_another_shares_more():
    gaps, _ = found(
        one="CD3 CD4 CD8 CD19 CD56",
        two="CD3 CD4 CD8 CD45 CD56",
        three="CD3 CD4 CD8 CD45 CD14",
        reference="one",
    )
    own = [gap for gap in gaps if gap.target == "three"]
    assert own == [Gap("three", "one", ("CD3", "CD4", "CD8"), ("CD19", "CD56"))]
    # And the same where the reference stands last.
    gaps, _ = found(
        two="CD3 CD4 CD8 CD56 CD45", three="CD3 CD4 CD8 CD45", one="CD3 CD4 CD56", reference="one"
    )
    assert Gap("three", "one", ("CD3", "CD4"), ("CD56",)) in gaps


@pytest.mark.parametrize("order", [("two", "three"), ("three", "two")])
def test_else_it_is_the_one_that_shares_most(order):
    panels = {"two": "CD3 CD4 CD8 CD25", "three": "CD3 CD4 CD8 CD19 CD25"}
    gaps, notes = found(one="CD3 CD4 CD8 CD19", **{name: panels[name] for name in order})
    assert gaps == (
        Gap("one", "three", ("CD3", "CD4", "CD8", "CD19"), ("CD25",)),
        Gap("two", "one", ("CD3", "CD4", "CD8"), ("CD19",)),
    )
    assert not notes


def test_of_equals_it_is_the_first():
    panels = {"one": "CD3 CD4 CD8", "two": "CD3 CD4 CD25", "three": "CD4 CD8 CD25"}
    assert found(**panels)[0][0] == Gap("one", "two", ("CD3", "CD4"), ("CD25",))
    panels = {name: panels[name] for name in ("one", "three", "two")}
    assert found(**panels)[0][0] == Gap("one", "three", ("CD4", "CD8"), ("CD25",))


def test_markers_of_one_batch_may_come_from_several():
    """Each is learned from what its source and the target share, be that more or less."""
    gaps, _ = found(
        one="CD3 CD4 CD8 CD19", two="CD3 CD4 CD8 CD25 CD127", three="CD3 CD4 CD56 CD19", reference="one"
    )
    assert gaps == (
        Gap("one", "two", ("CD3", "CD4", "CD8"), ("CD25", "CD127")),
        Gap("one", "three", ("CD3", "CD4", "CD19"), ("CD56",)),
        Gap("two", "one", ("CD3", "CD4", "CD8"), ("CD19",)),
        Gap("two", "three", ("CD3", "CD4"), ("CD56",)),
        Gap("three", "one", ("CD3", "CD4", "CD19"), ("CD8",)),
        Gap("three", "two", ("CD3", "CD4"), ("CD25", "CD127")),
    )


def test_what_nobody_can_tell_is_said():
    """The second and the third share one marker, too few to learn from."""
    gaps, notes = found(one="CD3 CD4 CD8 CD19", two="CD3 CD4 CD25 CD7", three="CD4 CD8 CD56")
    assert [(gap.target, gap.source) for gap in gaps] == [
        ("one", "two"),
        ("one", "three"),
        ("two", "one"),
        ("three", "one"),
    ]
    why = (
        "not imputed, for no batch of 100 cells or more that measured them shares two markers with it that "
        "are aligned"
    )
    assert notes == (f"two: {why}: CD56", f"three: {why}: CD25 and CD7")


def test_few_cells_are_not_learned_from_but_may_be_imputed():
    panels = {"one": "CD3 CD4 CD8 CD19", "two": "CD3 CD4 CD8 CD25", "three": "CD3 CD4 CD19 CD25"}
    gaps, notes = found(**panels, cells={"one": LEAST_CELLS - 1})
    assert gaps == (
        Gap("one", "two", ("CD3", "CD4", "CD8"), ("CD25",)),
        Gap("two", "three", ("CD3", "CD4"), ("CD19",)),
        Gap("three", "two", ("CD3", "CD4"), ("CD8",)),
    )
    assert not notes
    _, notes = found(**panels, cells={"one": LEAST_CELLS - 1, "three": 5})
    assert [note.partition(":")[0] for note in notes] == ["two"]
    assert notes[0].endswith(": CD19")
    everybody = dict.fromkeys(panels, LEAST_CELLS - 1)
    assert found(**panels, cells=everybody)[0] == ()


def test_predictors_are_aligned_markers_alone():
    """Of what was not chosen to be aligned nobody knows the reference's frame."""
    (gap,), _ = found(one="CD3 CD4 CD8 CD19", two="CD3 CD4 CD8", chosen=("CD8", "CD3"))
    assert gap == Gap("two", "one", ("CD3", "CD8"), ("CD19",))
