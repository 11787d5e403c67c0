"""From which cells a batch is learned: seen from the side of `align_pair`, which gets these and no others."""

from __future__ import annotations

from types import SimpleNamespace

import anndata as ad
import numpy as np
import pytest

import cellgan
from cellgan.cytof import learn as module
from cellgan.cytof.condition import condition_rows
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.draws import draw
from cellgan.cytof.learn import Learned, learn, learn_all, plan_lessons, some_rows
from cellgan.cytof.prepare import Prepared, prepare
from cellgan.cytof.read_write import CellBatch, InMemory, batches_from_adata
from cellgan.cytof.response import Response
from cellgan.cytof.transform import Standardise
from cellgan.errors import ConfigError, InputError

N = 300
SHIFT = 0.25  # what the stand-in for an alignment does to cells


@pytest.fixture
def batches() -> list[CellBatch]:
    """Three batches; a fifth of two of them, and nobody of the third, is a control; the drug is in all."""
    one, two = cellgan.simulate(n_cells=N, n_markers=5, seed=0)
    three = cellgan.simulate(n_cells=N, n_markers=5, seed=1)[1]
    rng = np.random.default_rng(0)
    for cells, treated in ((one, 0.2), (two, 0.7), (three, 0.5)):
        cells.obs["drug"] = np.where(rng.random(N) < treated, "IL7", "none")
        cells.obs["control"] = np.arange(N) % 5 == 0
    three.obs["control"] = False
    return batches_from_adata({"one": one, "two": two, "three": three})


@pytest.fixture
def seen(monkeypatch) -> SimpleNamespace:
    """Stand-ins that remember what they were given."""
    calls = SimpleNamespace(pairs=[], novelty=[], units=[], response=None)

    def align_pair(reference, cells, *, units, config, known, progress):
        calls.pairs.append((reference, cells, known))
        calls.units.append(units)
        for fraction in (0.5, 1.0):
            progress(fraction)
        return SimpleNamespace(mover=lambda cells: cells + SHIFT, response=calls.response)

    def fit_novelty(reference, aligned, *, seed, response):
        assert response is calls.response
        calls.novelty.append((reference, aligned))
        return "novelty"

    monkeypatch.setattr(module, "align_pair", align_pair)
    monkeypatch.setattr(module, "fit_novelty", fit_novelty)
    return calls


def ready(batches: list[CellBatch]) -> tuple[Prepared, Standardise]:
    prepared = prepare(batches, AlignConfig(transform="arcsinh"), reference="one")
    return prepared, Standardise.of(prepared.values(batches[0]))


def run(batches: list[CellBatch], controls=None, **settings) -> dict[str, Learned]:
    prepared, units = ready(batches)
    config = AlignConfig(transform="arcsinh", **settings)
    lessons = plan_lessons(batches[0], batches[1:], config, controls=controls)
    return {
        name: learn(lesson, prepared, units=units, config=config, progress=lambda _: None)
        for name, lesson in lessons.items()
    }


def standard(batches: list[CellBatch], batch: CellBatch, rows=None, n: int = N) -> np.ndarray:
    """Return a batch's cells in standard units, all or of some rows, in the order in which they are drawn."""
    rows = draw(batch.cells, n, 0, rows)
    prepared, units = ready(batches)
    return units.apply(prepared.values(batch)).astype(float)[rows]


def test_any_cells_are_learned_from_where_nothing_else_is_said(batches, seen):
    found = run(batches)
    assert [learned.lesson.source for learned in found.values()] == ["cells", "cells"]
    for batch, (reference, cells, known) in zip(batches[1:], seen.pairs, strict=True):
        np.testing.assert_array_equal(reference, standard(batches, batches[0]))
        np.testing.assert_array_equal(cells, standard(batches, batch))
        assert known is None
    assert found["two"].novelty == "novelty"


def test_control_cells_alone_are_learned_from(batches, seen):
    found = run(batches, anchor_key="control")
    controls = np.arange(0, N, 5)
    assert {name: learned.lesson.source for name, learned in found.items()} == {
        "two": "controls",
        "three": "cells",
    }
    (reference, cells, _), (all_reference, all_cells, _) = seen.pairs
    np.testing.assert_array_equal(reference, standard(batches, batches[0], controls))
    np.testing.assert_array_equal(cells, standard(batches, batches[1], controls))
    # The third batch has no control: it is learned from its cells, and from all of the reference's.
    np.testing.assert_array_equal(all_reference, standard(batches, batches[0]))
    np.testing.assert_array_equal(all_cells, standard(batches, batches[2]))


def test_controls_of_their_own_are_learned_from(batches, seen):
    a, b = cellgan.simulate(n_cells=80, n_markers=5, seed=7)
    controls = {c.name: c for c in batches_from_adata({"one": a, "two": b[:, ::-1].copy()})}
    found = run(batches, controls=controls)
    assert [learned.lesson.source for learned in found.values()] == ["controls", "cells"]
    units = ready(batches)[1]
    for side, own, control in zip(seen.pairs[0], controls.values(), (a, b), strict=False):
        rows = draw(own.cells, N, 0)
        np.testing.assert_allclose(side, units.apply(np.arcsinh(control.X[rows] / 5)), rtol=1e-5)
    assert len(seen.pairs[1][0]) == len(seen.pairs[1][1]) == N


@pytest.mark.parametrize("settings", [{"anchor_key": "control"}, {"condition": "drug"}])
def test_novelty_is_asked_of_all_cells_whatever_was_learned_from(batches, seen, settings):
    run(batches, **settings)
    assert len(seen.pairs[0][0]) < N
    for batch, (reference, aligned) in zip(batches[1:], seen.novelty, strict=True):
        np.testing.assert_array_equal(reference, standard(batches, batches[0]))
        np.testing.assert_array_equal(aligned, standard(batches, batch) + SHIFT)


def test_novelty_is_asked_where_the_response_puts_cells(batches, seen):
    """And not where they end; but no lower than the lowest value of either batch."""
    seen.response = Response(np.full(5, -0.7), np.zeros(5), np.full(5, 0.4))
    run(batches[:2])
    ((reference, there),) = seen.novelty
    _, units = ready(batches)
    measured = standard(batches, batches[1])
    lowest = np.minimum(reference.min(axis=0), measured.min(axis=0))
    wanted = units.to_units(seen.response(units.to_values(measured)))
    np.testing.assert_array_equal(there, np.maximum(wanted, lowest))
    assert (wanted < lowest).any()


def test_novelty_is_asked_of_batches_not_of_their_controls(batches, seen):
    a, b = cellgan.simulate(n_cells=80, n_markers=5, seed=7)
    run(batches, controls={c.name: c for c in batches_from_adata({"one": a, "two": b})})
    reference, aligned = seen.novelty[0]
    np.testing.assert_array_equal(reference, standard(batches, batches[0]))
    np.testing.assert_array_equal(aligned, standard(batches, batches[1]) + SHIFT)


def test_cells_are_drawn_by_condition(batches, seen):
    found = run(batches, condition="drug")
    for batch, (reference, cells, _) in zip(batches[1:], seen.pairs, strict=True):
        rows = condition_rows(batches[0], batch, "drug", seed=0)
        np.testing.assert_array_equal(reference, standard(batches, batches[0], rows[0]))
        np.testing.assert_array_equal(cells, standard(batches, batch, rows[1]))
        lesson = found[batch.name].lesson
        assert lesson.source == "condition"
        shares = [
            (side.batch.adata.obs["drug"] == "IL7").to_numpy()[side.rows].mean()
            for side in (lesson.reference, lesson.cells)
        ]
        assert shares[0] == pytest.approx(shares[1], abs=0.02)


@pytest.mark.parametrize("settings", [{}, {"condition": "drug"}, {"anchor_key": "control"}])
def test_labels_go_with_their_cells(batches, seen, monkeypatch, settings):
    monkeypatch.setattr(module, "N_LEARNED", 40)
    for batch in batches:  # the label says which cell it is
        batch.adata.obs["cell"] = [f"{value:.9g}" for value in batch.adata.X[:, 0]]
    run(batches, correspondence="labels:cell", **settings)
    prepared, units = ready(batches)
    for reference, cells, known in seen.pairs:
        for side, labels in ((reference, known.reference), (cells, known.cells)):
            assert len(side) == len(labels) == 40
            counts = np.array(labels, dtype=np.float32)
            first = (np.arcsinh(counts / np.float32(5)) - units.mean[0]) / units.sd[0]
            np.testing.assert_allclose(side[:, 0], first, rtol=1e-4, atol=1e-5)


def test_large_batches_are_learned_from_a_sample_and_so_is_novelty(batches, seen, monkeypatch):
    monkeypatch.setattr(module, "N_LEARNED", 100)
    found = run(batches[:2])
    ((reference, cells, _),), ((_, aligned),) = seen.pairs, seen.novelty
    np.testing.assert_array_equal(reference, standard(batches, batches[0], n=100))
    np.testing.assert_array_equal(cells, standard(batches, batches[1], n=100))
    np.testing.assert_array_equal(aligned, cells + SHIFT)
    assert len(found["two"].lesson.cells.rows) == N  # the report tells how many there were to learn from


def test_rows_are_drawn_in_order_and_without_repetition():
    assert some_rows(5, 9, 0).tolist() == [0, 1, 2, 3, 4]
    rows = some_rows(1000, 50, 3)
    assert (np.diff(rows) > 0).all()
    assert len(rows) == 50
    assert rows.tolist() != some_rows(1000, 50, 4).tolist()


def test_what_cannot_be_learned_is_refused_before_any_time_is_spent(batches, seen):
    with pytest.raises(InputError, match="no batch holds a control cell"):
        plan_lessons(batches[0], batches[2:], AlignConfig(anchor_key="drug=none such"))
    with pytest.raises(InputError, match="the reference 'three' has no control"):
        plan_lessons(batches[2], batches[:2], AlignConfig(anchor_key="control"))
    batches[1].adata.obs["drug"] = "IL21"
    with pytest.raises(ConfigError, match="'drug' coincides with the batches"):
        plan_lessons(batches[0], batches[1:2], AlignConfig(condition="drug"))
    control = CellBatch(name="one", cells=InMemory(ad.AnnData(np.ones((9, 2), np.float32))))
    with pytest.raises(InputError, match="the anchors: only the reference 'one' has a control"):
        plan_lessons(batches[0], batches[1:], AlignConfig(), controls={"one": control})
    assert not seen.pairs


def test_a_batch_without_the_column_has_no_control(batches, seen):
    del batches[2].adata.obs["control"]
    learned = run(batches, anchor_key="control")
    assert [learned[name].lesson.source for name in ("two", "three")] == ["controls", "cells"]
    with pytest.raises(InputError, match="no obs column 'controls'"):
        run(batches, anchor_key="controls")


def test_each_batch_is_learned_on_what_it_shares_in_units_of_its_own_markers(batches, seen):
    """The third batch lacks the second and the fourth marker, and holds the others the other way round."""
    third = batches[2].adata[:, [4, 2, 0]].copy()
    batches = [*batches[:2], CellBatch(name="three", cells=InMemory(third))]
    prepared, units = ready(batches)
    config, said = AlignConfig(transform="arcsinh"), []
    lessons = plan_lessons(batches[0], batches[1:], config)
    found = learn_all(
        lessons, prepared, units=units, config=config, progress=lambda *words: said.append(words)
    )
    assert list(found) == ["two", "three"]
    assert {name: learned.lesson for name, learned in found.items()} == lessons
    columns = [0, 2, 4]
    (_, all_cells, _), (reference, cells, _) = seen.pairs
    assert all_cells.shape == (N, 5)
    np.testing.assert_array_equal(reference, standard(batches, batches[0])[:, columns])
    values = np.arcsinh(third.X[draw(batches[2].cells, N, 0), ::-1] / np.float32(5))
    np.testing.assert_allclose(
        cells, (values - units.mean[columns]) / units.sd[columns], rtol=1e-5, atol=1e-6
    )
    for own, at in zip(seen.units, (range(5), columns), strict=True):
        np.testing.assert_array_equal(own.mean, units.mean[list(at)])
        np.testing.assert_array_equal(own.sd, units.sd[list(at)])
    assert said == [("two", 0.25), ("two", 0.5), ("three", 0.75), ("three", 1.0)]


def test_of_very_many_cells_some_are_drawn_without_an_order_of_all(monkeypatch):
    monkeypatch.setattr(module, "MANY", 1000)
    rows = some_rows(50_000, 400, 3)
    assert len(set(rows.tolist())) == 400
    assert rows.tolist() == sorted(rows.tolist())
    assert 0 <= rows[0] < rows[-1] < 50_000
    assert abs(rows.mean() - 25_000) < 4 * 50_000 / np.sqrt(12 * 400)
    np.testing.assert_array_equal(rows, some_rows(50_000, 400, 3))
    assert not np.array_equal(rows, some_rows(50_000, 400, 4))
