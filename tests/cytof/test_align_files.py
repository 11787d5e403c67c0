"""Batches in files: same seed, same bytes; and what comes out opens elsewhere."""

from __future__ import annotations

import anndata as ad
import flowio
import numpy as np
import pytest
import torch

import cellgan
from cellgan.cytof.align import align_files
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.fcs_write import write_fcs
from cellgan.cytof.read_write import open_for_map
from cellgan.errors import OutputError

FAST = {"method": "quantiles", "transform": "arcsinh"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The same two batches as .h5ad and as .fcs, the latter with time and scatter."""
    place = tmp_path_factory.mktemp("files")
    for name, batch in zip(("day1", "day2"), cellgan.simulate(n_cells=200, n_markers=6, seed=6), strict=True):
        batch.write_h5ad(place / f"{name}.h5ad")
        more = np.stack([np.arange(200) * 10, np.linspace(1e3, 2e5, 200)], axis=1).astype(np.float32)
        channels = ["Time", "FSC-A", *batch.var["channel"]]
        write_fcs(
            place / f"{name}.fcs",
            np.hstack([more, batch.X]),
            channels,
            ["", "", *batch.var_names],
            {"$CYT": "DVSSCIENCES-CYTOF"},
        )
    return place


def inputs(folder, suffix):
    return [folder / f"{name}{suffix}" for name in ("day1", "day2")]


def written(folder, place, **settings):
    """Bytes of all that a run writes."""
    place.mkdir()
    run = align_files(inputs(folder, ".h5ad"), AlignConfig(transform="arcsinh", rounds=3, **settings))
    run.write(place / "out.h5ad")
    run.save(place / "out.model")
    run.write(place / "fcs")
    return {path.relative_to(place): path.read_bytes() for path in sorted(place.rglob("*.*"))}


def test_same_seed_same_bytes_in_every_file(folder, tmp_path):
    first, second, other = (
        written(folder, tmp_path / str(i), seed=seed) for i, seed in enumerate((0, 0, 2**32 - 1))
    )
    assert len(first) == 4
    assert first == second
    # Aligned values are the same for all seeds; what says which seed it was is not.
    assert all((first[path] == other[path]) == (path.suffix == ".fcs") for path in first)


def test_the_callers_threads_and_random_numbers_are_left_alone(folder):
    legacy = np.random.get_state
    before = torch.get_num_threads(), torch.random.get_rng_state(), legacy()[1].copy()
    align_files(inputs(folder, ".h5ad"), AlignConfig(transform="arcsinh", rounds=2, threads=1))
    assert torch.get_num_threads() == before[0]
    assert torch.equal(torch.random.get_rng_state(), before[1])
    np.testing.assert_array_equal(legacy()[1], before[2])


@pytest.mark.parametrize("settings", [{}, {"method": "matched", "rounds": 3}])
def test_fcs_and_h5ad_of_the_same_cells_are_aligned_alike(folder, tmp_path, settings):
    for path in inputs(folder, ".h5ad"):
        batch = ad.read_h5ad(path)
        write_fcs(tmp_path / f"{path.stem}.fcs", batch.X, list(batch.var["channel"]), list(batch.var_names))
    config = AlignConfig(**FAST | settings)
    runs = [align_files(inputs(*place), config) for place in ((folder, ".h5ad"), (tmp_path, ".fcs"))]
    markers = runs[0].report["markers"]["aligned"]
    assert runs[1].report["markers"]["aligned"] == markers
    layers = [np.asarray(run.adata[:, markers].layers["aligned"]) for run in runs]
    assert layers[0].tobytes() == layers[1].tobytes()
    assert [each["format"] for each in runs[1].report["inputs"]] == ["fcs", "fcs"]


def test_fcs_files_open_elsewhere_with_the_reference_as_it_was(folder, tmp_path):
    run = align_files(inputs(folder, ".fcs"), AlignConfig(**FAST))
    paths = run.write(tmp_path / "out")
    assert [path.name for path in paths] == ["day1.fcs", "day2.fcs"]
    for path, source in zip(paths, inputs(folder, ".fcs"), strict=True):
        data, given = flowio.FlowData(path), flowio.FlowData(source)
        values, before = data.as_array(preprocess=False), given.as_array(preprocess=False)
        assert values.shape == before.shape == (200, 8)
        assert np.isfinite(values).all()
        assert data.pnn_labels == given.pnn_labels
        assert len(set(data.pnn_labels)) == 8
        assert data.pns_labels[2:] == given.pns_labels[2:]
        assert data.text["cyt"] == "DVSSCIENCES-CYTOF"
        np.testing.assert_array_equal(values[:, :2], before[:, :2])
        if path.stem == "day1":
            np.testing.assert_array_equal(values, before)
        else:
            layer = run.adata[run.adata.obs["batch"] == "day2"].layers["aligned"]
            np.testing.assert_allclose(np.arcsinh(values[:, 2:] / 5), layer[:, 2:], atol=1e-5)
            assert np.abs(values[:, 2:] - before[:, 2:]).max(axis=0).min() > 0.1


def test_channel_names_that_occur_twice_are_made_unique(tmp_path):
    one, two = cellgan.simulate(n_cells=60, n_markers=4, seed=1)
    for batch in (one, two):
        batch.var["channel"] = ["Di", "Di", "Di,2", ""]
    paths = cellgan.align([one, two], config=AlignConfig(**FAST)).write(tmp_path / "out")
    for path in paths:
        names = flowio.FlowData(path).pnn_labels
        assert len(set(names)) == 4
        assert not any("," in name for name in names)


def test_transformed_values_are_written_on_the_linear_scale(folder, tmp_path):
    batches = {}
    for path in inputs(folder, ".h5ad"):
        batches[path.stem] = ad.read_h5ad(path)
        batches[path.stem].X = np.arcsinh(batches[path.stem].X / 5)
    run = cellgan.align(batches, config=AlignConfig(transform="none", method="quantiles"))
    np.testing.assert_array_equal(run.adata.layers["aligned"][:200], batches["day1"].X)
    paths = run.write(tmp_path / "out")
    counts = flowio.FlowData(paths[0]).as_array(preprocess=False)
    np.testing.assert_allclose(counts, ad.read_h5ad(inputs(folder, ".h5ad")[0]).X, rtol=1e-4, atol=1e-4)


def test_a_batch_called_like_a_path_stays_in_the_folder(tmp_path):
    one, two = cellgan.simulate(n_cells=60, n_markers=4, seed=1)
    names = ["../../evil", "a/b", "a_b", "..", "/etc/x", "b" * 300, "b" * 300 + "c"]
    parts = [part.copy() for part in (one, two, one, two, one, two, one)]
    for i, part in enumerate(parts):
        part.obs["plate"] = names[i]
        part.obs_names = [f"{i}-{name}" for name in part.obs_names]
    ad.concat(parts).write_h5ad(tmp_path / "all.h5ad")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    run = align_files([tmp_path / "all.h5ad"], AlignConfig(**FAST), batch_key="plate")
    paths = run.write(tmp_path / "deep" / "er" / "out")
    assert len(set(paths)) == len(names)
    assert {path.parent for path in paths} == {tmp_path / "deep" / "er" / "out"}
    found = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {*paths, tmp_path / "all.h5ad"}
    assert list(run.adata.obs["batch"].cat.categories) == names
    assert run.model.pick("a/b") == "a/b"


def test_an_input_is_never_written_over(folder, tmp_path):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    runs = [align_files(inputs(folder, suffix), AlignConfig(**FAST)) for suffix in (".h5ad", ".fcs")]
    (folder / "day2.html").hardlink_to(folder / "day2.h5ad")
    for write in (runs[0].write, runs[0].save):
        with pytest.raises(OutputError, match="is also an input"):
            write(folder / "day2.h5ad", overwrite=True)
    with pytest.raises(OutputError, match="is also an input"):
        runs[0].write_report(folder / "day2.html", overwrite=True)
    (folder / "day2.html").unlink()
    with pytest.raises(OutputError, match="is also an input"):
        runs[1].write(folder, overwrite=True)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_that_cannot_be_made_is_an_error(folder, tmp_path):
    run = align_files(inputs(folder, ".h5ad"), AlignConfig(**FAST))
    with pytest.raises(OutputError, match=r"cannot make the folder .*nowhere does not exist: make it first"):
        run.write(tmp_path / "nowhere" / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="there is a file of this name"):
        run.write(tmp_path / "file")


def test_nothing_is_replaced_unless_asked(folder, tmp_path):
    run = align_files(inputs(folder, ".h5ad"), AlignConfig(**FAST))
    ways = [
        (run.write, "a.h5ad", "a.h5ad"),
        (run.write, "out", "out/day2.fcs"),
        (run.save, "a.model", "a.model"),
        (run.write_report, "a.html", "a.html"),
        (run.write_report, "b.html", "b.json"),
    ]
    (tmp_path / "out").mkdir()
    for write, name, old in ways:
        (tmp_path / old).write_text("older")
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        with pytest.raises(OutputError, match=f"{old} exists already"):
            write(tmp_path / name)
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
        write(tmp_path / name, overwrite=True)
        assert (tmp_path / old).read_bytes() != b"older"


@pytest.mark.parametrize("name", ["x.fcs", "x.FCS", "x.csv", "x.H5AD"])
def test_a_file_for_what_needs_a_folder_is_refused(folder, tmp_path, name):
    run = align_files(inputs(folder, ".h5ad"), AlignConfig(**FAST))
    with pytest.raises(
        OutputError, match=r"expected a name that ends in \.h5ad or \.zarr, or a folder .*such as .*/x;"
    ):
        run.write(tmp_path / name)
    with pytest.raises(OutputError, match=r"expected a name that ends in \.html"):
        run.write_report(tmp_path / "x.json")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "run.1").mkdir()
    assert [path.name for path in run.write(tmp_path / "run.1")] == ["day1.fcs", "day2.fcs"]


def test_the_same_cells_given_twice_are_told(folder, tmp_path):
    for name in ("copy", "again"):
        (tmp_path / f"{name}.h5ad").write_bytes((folder / "day1.h5ad").read_bytes())
    paths = [*inputs(folder, ".h5ad"), tmp_path / "copy.h5ad", tmp_path / "again.h5ad"]
    (told,) = align_files(paths, AlignConfig(**FAST)).report["warnings"]
    assert told.startswith("day1, copy and again hold the same cells")
    assert not align_files(paths[:2], AlignConfig(**FAST)).report["warnings"]
    one, two = (ad.read_h5ad(path) for path in paths[:2])
    two.X = one.X.copy()
    (told,) = cellgan.align([one, two], config=AlignConfig(**FAST)).report["warnings"]
    assert told.startswith("batch1 and batch2 hold the same cells")
    two.X[-1, -1] += 1
    assert not cellgan.align([one, two], config=AlignConfig(**FAST)).report["warnings"]
    # Parts of one file share its hash, but not their cells.
    ad.concat([one[:90], one[90:]], label="plate").write_h5ad(tmp_path / "all.h5ad")
    parts = align_files([tmp_path / "all.h5ad"], AlignConfig(**FAST), batch_key="plate")
    assert not parts.report["warnings"]


def test_a_file_maps_to_the_first_runs_bytes(folder, tmp_path):
    run = align_files(inputs(folder, ".fcs"), AlignConfig(transform="arcsinh", rounds=3))
    run.save(tmp_path / "a.model")
    model = cellgan.load(tmp_path / "a.model")
    model.map_file(open_for_map(folder / "day2.fcs"), tmp_path / "again.fcs")
    run.write(tmp_path / "out")
    assert (tmp_path / "again.fcs").read_bytes() == (tmp_path / "out" / "day2.fcs").read_bytes()


def test_progress_goes_forward_and_words_name_the_inputs(folder, tmp_path):
    told, said = [], []
    run = align_files(
        inputs(folder, ".h5ad"),
        AlignConfig(transform="arcsinh", rounds=12),
        progress=lambda stage, fraction: told.append((stage, fraction)),
        say=said.append,
    )
    run.write(tmp_path / "out.h5ad")
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0 < fractions[-1] <= 1
    assert {"reading", "matching day2", "mapping all cells"} <= {stage for stage, _ in told}
    assert any("day1 (reference): 200 cells" in line for line in said)
    assert any("6 shared markers" in line for line in said)
