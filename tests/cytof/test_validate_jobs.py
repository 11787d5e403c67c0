"""The real work, in this process and in two others: the same to the last bit."""

from __future__ import annotations

import cellgan
from cellgan.cytof.hold_out import Trial, hold_out
from cellgan.cytof.prepare import prepare
from cellgan.cytof.processes import in_processes
from cellgan.cytof.read_write import batches_from_adata


def test_results_do_not_depend_on_jobs():
    config = cellgan.AlignConfig(rounds=2)
    batches = batches_from_adata(cellgan.simulate(n_cells=200, n_markers=4))
    trial = Trial.of(prepare(batches, config, reference="batch1"), config)
    found = dict(in_processes(hold_out, trial, ["CD3", "CD4"], jobs=2))
    assert {marker: part["marker"] for marker, part in found.items()} == {"CD3": "CD3", "CD4": "CD4"}
    assert repr(found["CD4"]) == repr(hold_out(trial, "CD4"))  # NaN is not itself, its name is
