"""Filling in beside everything else: three panels, few cells, novel cells, other methods and references."""

from __future__ import annotations

import json

import anndata as ad
import numpy as np
import pytest

import cellgan
from cellgan.cytof import fill as module
from cellgan.cytof import impute, sampled_views
from cellgan.cytof.align import align_files
from cellgan.cytof.cells import InMemory
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.draws import draw
from cellgan.cytof.impute import LEAST_CELLS, Imputed
from cellgan.cytof.regression import fit_network

COLUMNS = {"one": [0, 1, 2, 3, 4, 5, 6], "two": [0, 1, 2, 3, 7, 8], "three": [9, 3, 2, 1, 7, 5]}
N = 150


@pytest.fixture(autouse=True)
def fitted(monkeypatch) -> list[tuple[int, int]]:
    """Short games, and how many inputs and outputs each had."""
    sizes = []

    def fit(inputs, outputs, **settings):
        sizes.append((inputs.shape[1], outputs.shape[1]))
        return fit_network(inputs, outputs, rounds=10, **settings)

    monkeypatch.setattr(impute, "fit_network", fit)
    return sizes


@pytest.fixture(scope="module")
def blood() -> dict[str, ad.AnnData]:
    one, two = cellgan.simulate(n_cells=N, n_markers=10, seed=4)
    three = cellgan.simulate(n_cells=N, n_markers=10, seed=5)[1]
    three.obs_names = [f"third-{i}" for i in range(N)]
    return {"one": one, "two": two, "three": three}


@pytest.fixture(scope="module")
def panels(blood) -> dict[str, ad.AnnData]:
    return {name: blood[name][:, columns].copy() for name, columns in COLUMNS.items()}


def run(panels: dict[str, ad.AnnData], **settings) -> cellgan.Alignment:
    return cellgan.align(
        panels, config=AlignConfig(**{"method": "quantiles", "transform": "arcsinh"} | settings)
    )


def drawn(adata: ad.AnnData) -> np.ndarray:
    """Return the rows of a batch in the order in which they are learned from."""
    return draw(InMemory(adata), N, 0)


def part(out: ad.AnnData, name: str) -> ad.AnnData:
    return out[out.obs["batch"] == name]


def names(blood: dict[str, ad.AnnData], *columns: int) -> list[str]:
    return [str(name) for name in blood["one"].var_names[list(columns)]]


GAPS = [  # target, source, columns of predictors and of what is lacking
    ("one", "two", (0, 1, 2, 3), (7, 8)),
    ("one", "three", (1, 2, 3, 5), (9,)),
    ("two", "one", (0, 1, 2, 3), (4, 5, 6)),
    ("two", "three", (1, 2, 3), (9,)),
    ("three", "one", (1, 2, 3, 5), (0, 4, 6)),
    ("three", "two", (1, 2, 3), (8,)),
]


def test_three_panels_are_filled_from_each_other(blood, panels, fitted):
    done = run(panels)
    assert [
        (entry["batch"], entry["source"], entry["predictors"], [row["marker"] for row in entry["markers"]])
        for entry in done.report["imputed"]
    ] == [(target, source, names(blood, *by), names(blood, *lost)) for target, source, by, lost in GAPS]
    assert fitted == [(len(predictors), len(lost)) for _, _, predictors, lost in GAPS]
    out = done.adata
    np.testing.assert_array_equal(out.layers["imputed"], np.isnan(out.X))
    for layer in ("aligned", "aligned_sd", "sample"):
        assert np.isfinite(out.layers[layer]).all()
    # Values are the source's: those of draws were measured there, in arcsinh units.
    for target, source, _, lost in GAPS:
        for marker in names(blood, *lost):
            own = part(out, target)[:, marker].layers["sample"]
            assert np.isin(own, np.arcsinh(panels[source][:, marker].X / np.float32(5))).all()


def test_shared_markers_enter_by_the_straight_line_nearest_to_their_alignment(blood, panels, monkeypatch):
    learned, applied, fit, call = [], [], impute.fit_imputer, impute.Imputer.__call__
    monkeypatch.setattr(
        module, "fit_imputer", lambda *given, **how: learned.append(given) or fit(*given, **how)
    )
    monkeypatch.setattr(
        impute.Imputer,
        "__call__",
        lambda self, given, **how: applied.append(given) or call(self, given, **how),
    )
    out = run(panels).adata

    def straight(name: str, columns: tuple[int, ...]) -> np.ndarray:
        own = part(out, name)[:, names(blood, *columns)]
        measured, aligned = np.arcsinh(own.X.astype(float) / 5), own.layers["aligned"].astype(float)
        pairs = zip(measured.T, aligned.T, strict=True)
        return np.column_stack([np.polyval(np.polyfit(x, y, 1), x) for x, y in pairs])

    assert len(learned) == len(applied) == len(GAPS)
    for (target, source, by, lost), (shared, others), cells in zip(GAPS, learned, applied, strict=True):
        rows = drawn(panels[source])
        np.testing.assert_allclose(shared, straight(source, by)[rows], atol=1e-4)
        np.testing.assert_allclose(cells, straight(target, by), atol=1e-4)
        measured = np.arcsinh(blood[source][:, list(lost)].X / 5)
        np.testing.assert_allclose(others, measured[rows], rtol=1e-5, atol=1e-6)


def test_what_two_batches_lack_alike_is_learned_once(blood, fitted):
    cut = names(blood, 0, 1, 2, 3)
    panels = {"one": blood["one"], "two": blood["two"][:, cut], "three": blood["three"][:, cut[::-1]]}
    done = run(panels)
    assert fitted == [(4, 6)]
    assert [entry["batch"] for entry in done.report["imputed"]] == ["two", "three"]
    first, second = (
        part(done.adata, name)[:, names(blood, 4)].layers["aligned"] for name in ("two", "three")
    )
    assert not np.array_equal(first, second)
    scores = [[(m["r"], m["coverage"]) for m in entry["markers"]] for entry in done.report["imputed"]]
    assert scores[0] == scores[1]


def test_what_nobody_can_tell_is_a_warning_and_stays_unknown(blood, panels):
    few = {**panels, "three": panels["three"][: LEAST_CELLS - 1].copy()}
    done = run(few)
    lost = names(blood, 9)[0]
    assert [note for note in done.report["warnings"] if "not imputed" in note] == [
        f"{name}: not imputed, for no batch of 100 cells or more that measured them shares two markers "
        f"with it that are aligned: {lost}"
        for name in ("one", "two")
    ]
    for name in ("one", "two"):
        own = part(done.adata, name)[:, lost]
        assert not own.layers["imputed"].any()
        for layer in ("aligned", "aligned_sd", "sample"):
            assert np.isnan(own.layers[layer]).all()
    assert part(done.adata, "three").layers["imputed"].sum() == (LEAST_CELLS - 1) * 4


def test_of_cells_without_counterpart_less_is_known(fitted):
    """The reference has no NK cells; nobody knows what these would show of CD16."""
    full, lacking = cellgan.simulate(n_cells=800, n_markers=10, seed=1, missing=True)
    out = run({"lacking": lacking, "full": full[:, [m for m in full.var_names if m != "CD16"]].copy()}).adata
    own = part(out, "full")[:, "CD16"]
    novel, sd = own.obs["cellgan_novel"].to_numpy(), own.layers["aligned_sd"][:, 0]
    measured = np.arcsinh(lacking[:, "CD16"].X / 5)
    # Quantiles alone take some cells of other types away from their counterparts, too.
    assert 20 < novel.sum() < 400
    assert sd[novel].min() >= measured.std() * (1 - 1e-5)
    assert np.median(sd[~novel]) < 0.7 * measured.std()
    assert own.layers["imputed"].all()


def test_magan_knows_of_no_distribution(panels, fitted):
    two = {"one": panels["one"], "two": panels["two"]}
    done, plain = (
        run(two, method="magan", rounds=3, draws=2),
        run(two, method="magan", rounds=3, impute=False),
    )
    assert not fitted
    out, imputed = done.adata, done.adata.layers["imputed"]
    np.testing.assert_array_equal(imputed, np.isnan(out.X))
    assert np.isfinite(out.layers["aligned"]).all()
    np.testing.assert_array_equal(np.isnan(out.layers["aligned_sd"]), imputed)
    for sample in ("sample", "sample_2"):
        np.testing.assert_array_equal(out.layers[sample], out.layers["aligned"])
    np.testing.assert_array_equal(out.layers["aligned"][~imputed], plain.adata.layers["aligned"][~imputed])
    for entry in json.loads(json.dumps(done.report["imputed"], allow_nan=False)):
        assert entry["auc"] is None
        assert {row[key] for row in entry["markers"] for key in ("r", "coverage")} == {None}


def test_magan_sees_whole_panels_and_makes_each_marker_in_its_column(blood, panels, monkeypatch):
    """A stand-in for its generator tells which cells it was given, and which columns it was asked for."""
    calls = []

    def fit(cells, others, shared, *, rounds, **settings):
        calls.append((cells, others, list(shared), rounds))
        return lambda given, columns, *, draws: (
            calls.append(given)
            or Imputed(
                *(np.tile(np.float32(columns), (*several, len(given), 1)) for several in ((), (), (draws,)))
            )
        )

    monkeypatch.setattr(module, "fit_panel_generator", fit)
    out = run({"two": panels["two"], "three": panels["three"]}, method="magan", rounds=3).adata
    two, three = (np.arcsinh(panels[name].X / np.float32(5)) for name in ("two", "three"))
    (cells, others, shared, rounds), _, given = calls[:3]
    learned = two[drawn(panels["two"])], three[drawn(panels["three"])]
    for found, whole in ((cells, learned[0]), (others, learned[1]), (given, two)):
        np.testing.assert_array_equal(found, whole)
    assert rounds == 3
    # The second batch has 0, 1, 2, 3, 7, 8, and the third 9, 3, 2, 1, 7, 5.
    assert shared == [(1, 3), (2, 2), (3, 1), (4, 4)]
    for name, asked in (("two", {9: 0, 5: 5}), ("three", {0: 0, 8: 5})):
        for marker, column in asked.items():
            assert (part(out, name)[:, names(blood, marker)].layers["aligned"] == column).all()


def test_between_all_batches_the_middle_is_where_shared_markers_meet(blood, panels):
    done = run(panels, reference="consensus")
    assert done.report["reference"] == "consensus"
    assert done.model.markers == tuple(names(blood, 1, 2, 3))
    out = done.adata
    np.testing.assert_array_equal(out.layers["imputed"], np.isnan(out.X))
    for layer in ("aligned", "aligned_sd", "sample"):
        assert np.isfinite(out.layers[layer]).all()
    assert {tuple(entry["predictors"]) for entry in done.report["imputed"]} == {done.model.markers}
    assert {entry["source"] for entry in done.report["imputed"]} == set(panels)
    # A marker that two of three measured is the first one's.
    ((source, markers),) = [
        (entry["source"], [row["marker"] for row in entry["markers"]])
        for entry in done.report["imputed"]
        if entry["batch"] == "three" and names(blood, 0)[0] in {row["marker"] for row in entry["markers"]}
    ]
    assert (source, markers) == ("one", names(blood, 0, 4, 6))


def test_only_chosen_markers_predict_and_the_others_are_still_measured(blood, panels, fitted):
    chosen = tuple(names(blood, 1, 2))
    done = run({"one": panels["one"], "two": panels["two"]}, markers=chosen)
    assert [entry["predictors"] for entry in done.report["imputed"]] == [list(chosen)] * 2
    assert fitted == [(2, 2), (2, 3)]
    assert not done.adata[:, names(blood, 0, 3)].layers["imputed"].any()


def test_a_page_has_a_sample_of_all_cells(panels, monkeypatch):
    monkeypatch.setattr(sampled_views, "N_VIEWED", 60)
    done = run({"one": panels["one"], "two": panels["two"]})
    for entry, view in zip(done.report["imputed"], done.views.imputed, strict=True):
        markers = [row["marker"] for row in entry["markers"]]
        assert {values.shape for values in view} == {(60, len(markers))}
        own, source = (
            part(done.adata, entry["batch"])[:, markers],
            part(done.adata, entry["source"])[:, markers],
        )
        pairs = np.stack([own.layers["aligned"], own.layers["sample"]], axis=2).tolist()
        assert all(pair in pairs for pair in np.stack([view.expected, view.drawn], axis=2).tolist())
        measured = source.layers["aligned"].tolist()
        assert all(row in measured for row in view.measured.tolist())


def test_progress_rises_to_the_end(panels, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "SHOW_EVERY", 2)
    paths = []
    for name, own in panels.items():
        paths.append(tmp_path / f"{name}.h5ad")
        own.write_h5ad(paths[-1])
    seen = []
    config = AlignConfig(method="quantiles", transform="arcsinh")
    align_files(paths, config, progress=lambda *stage: seen.append(stage))
    filling = [stage for stage in seen if stage[0].startswith("imputing what ")]
    assert list(dict.fromkeys(text for text, _ in filling)) == [
        f"imputing what {name} lacks" for name in panels
    ]
    done = [fraction for _, fraction in filling]
    assert done == sorted(done)
    assert (len(done), done[-1]) == (6 * 5, pytest.approx(0.8))


def test_a_source_that_was_aligned_itself_lends_aligned_values(blood):
    """A reference of few cells cannot be learned from; what takes its place was moved to its frame."""
    one, two = blood["one"], blood["two"]
    few, lacking = one[: LEAST_CELLS - 1].copy(), two[:, :-1].copy()
    lacking.obs_names = [f"third-{i}" for i in range(lacking.n_obs)]
    marker = str(two.var_names[-1])
    shifted = two.copy()
    shifted.X[:, -1] *= 4
    done = run({"one": few, "two": shifted, "three": lacking})
    (entry,) = done.report["imputed"]
    assert (entry["batch"], entry["source"]) == ("three", "two")
    aligned = part(done.adata, "two")[:, marker].layers["aligned"]
    drawn = part(done.adata, "three")[:, marker].layers["sample"]
    assert set(drawn.ravel().tolist()) <= set(aligned.ravel().tolist())
