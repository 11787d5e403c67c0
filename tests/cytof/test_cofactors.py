"""The cofactor: told by how far values spread around zero, by the file, or by a user's table."""

from __future__ import annotations

import numpy as np
import pytest

import cellgan
from cellgan.cytof.cofactors import Cofactors, Noise, choose_cofactor, read_cofactors, torn
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.fcs import read_fcs
from cellgan.errors import InputError

UNKNOWN = float("nan")


def cells(
    noise: float, *, n: int = 4000, n_markers: int = 8, bright: float = 500, seed: int = 0
) -> np.ndarray:
    """Counts of markers that a third of the cells have; around zero they spread by so much."""
    rng = np.random.default_rng(seed)
    there = np.where(rng.random((n, n_markers)) < 1 / 3, rng.exponential(bright, (n, n_markers)), 0)
    return (there + rng.normal(0, noise, there.shape)).astype(np.float32)


def chosen(*batches: Noise) -> tuple[float, str]:
    return choose_cofactor({f"batch {i}": noise for i, noise in enumerate(batches, 1)})


@pytest.mark.parametrize("noise", [0.3, 150.0, 3000.0])
def test_noise_is_measured_by_what_lies_below_zero(noise):
    found = Noise.of(cells(noise, bright=20 * noise))
    assert found.spread == pytest.approx(noise, rel=0.15)


def test_what_lies_below_zero_must_be_enough_to_measure():
    counts = np.abs(cells(150.0))
    assert np.isnan(Noise.of(counts).spread)
    counts[:19, :] = -150  # nineteen cells, and one in two hundred would be twenty
    assert np.isnan(Noise.of(counts).spread)
    counts[:20, :] = -150
    assert Noise.of(counts).spread == pytest.approx(150)
    # And of a quarter of the markers.
    counts[:, 2:] = np.abs(counts[:, 2:])
    assert Noise.of(counts).spread == pytest.approx(150)
    counts[:, 1] = np.abs(counts[:, 1])
    assert np.isnan(Noise.of(counts).spread)


def test_a_marker_with_much_noise_is_no_rule():
    """As where compensation failed."""
    counts = cells(150.0)
    counts[:, 0] = cells(9000.0)[:, 0]
    assert Noise.of(counts).spread == pytest.approx(150, rel=0.2)


@pytest.mark.parametrize(("markers", "bright"), [(1, False), (2, True)])
def test_mass_cytometers_reach_some_heights_in_few_markers(markers, bright):
    counts = np.abs(cells(1.0))
    counts[:, :markers] *= 100
    assert Noise.of(counts).bright is bright


@pytest.mark.parametrize(
    ("spread", "cofactor", "why"),
    [
        (0.35, 5, "values spread by 0.35 around zero, as in mass cytometry"),
        (5.0, 5, "values spread by 5 around zero, as in mass cytometry"),
        (16.0, 30, "values spread by 16 around zero, and the cofactor is twice that"),
        (30.0, 150, "values spread by 30 around zero, as in flow cytometry"),
        (225.0, 150, "values spread by 225 around zero, as in flow cytometry"),
        (226.0, 500, "values spread by 226 around zero, and the cofactor is twice that"),
        (1200.0, 6000, "values spread by 1,200 around zero, as in spectral flow cytometry"),
        (9000.0, 6000, "values spread by 9,000 around zero, as in spectral flow cytometry"),
        (9500.0, 20_000, "values spread by 9,500 around zero, and the cofactor is twice that"),
    ],
)
def test_the_spread_decides(spread, cofactor, why):
    # Whatever the file says of flow cytometers, and however bright cells are.
    for noise in (Noise(spread, bright=True, instrument="LSRFortessa"), Noise(spread, bright=False)):
        assert chosen(noise) == (cofactor, why)


@pytest.mark.parametrize("noise", [0.3, 100.0, 2500.0])
def test_of_whole_batches(noise):
    batches = [Noise.of(cells(noise, bright=30 * noise, seed=seed)) for seed in (0, 1)]
    assert chosen(*batches)[0] == {0.3: 5, 100.0: 150, 2500.0: 6000}[noise]


def test_of_what_mass_cytometers_reach_it_is_theirs():
    """Most files of theirs hold no negative value."""
    found = chosen(Noise(UNKNOWN, bright=False), Noise(0.4, bright=False))
    assert found == (5, "customary for counts of mass cytometry")


@pytest.mark.parametrize(
    ("instrument", "cofactor", "what"),
    [
        ("LSRFortessa", 150, "flow cytometry"),
        ("BD FACSymphony A3", 150, "flow cytometry"),
        ("CytoFLEX S", 150, "flow cytometry"),
        ("Attune NxT", 150, "flow cytometry"),
        ("Aurora", 6000, "spectral flow cytometry"),
        ("CYTEK NORTHERN LIGHTS", 6000, "spectral flow cytometry"),
        ("ID7000", 6000, "spectral flow cytometry"),
        ("DVSSCIENCES-CYTOF-6.7.1014", 5, "mass cytometry"),
        ("Helios", 5, "mass cytometry"),
    ],
)
def test_the_file_tells_where_values_do_not(instrument, cofactor, what):
    found = chosen(Noise(UNKNOWN, bright=True, instrument=instrument))
    assert found == (cofactor, f"customary for {what}, measured by {instrument!r}")


@pytest.mark.parametrize("instrument", ["", "Instrument 3", "unknown"])
def test_what_neither_values_nor_file_tell_is_asked(instrument):
    with pytest.raises(InputError, match=r"which cofactor suits batch 2\? .*--cofactor 5 .*150 .*6000"):
        chosen(Noise(150, bright=True), Noise(UNKNOWN, bright=True, instrument=instrument))


def test_ions_do_not_spread_around_zero():
    for instrument in ("Helios", "CyTOF XT"):
        with pytest.raises(
            InputError, match=f"batch 1 was measured by {instrument!r}, .* spread by 180 around"
        ):
            chosen(Noise(180, bright=True, instrument=instrument))
    assert chosen(Noise(0.4, bright=True, instrument="Helios"))[0] == 5


@pytest.mark.parametrize(
    "batches",
    [
        (Noise(0.4, bright=False), Noise(150, bright=False)),
        (Noise(UNKNOWN, bright=False), Noise(40, bright=False)),
        (Noise(200, bright=True), Noise(1500, bright=True)),
        (Noise(150, bright=True), Noise(650, bright=True)),
        (Noise(UNKNOWN, bright=True, instrument="Canto"), Noise(UNKNOWN, bright=True, instrument="Aurora")),
        (Noise(150, bright=True), Noise(UNKNOWN, bright=True, instrument="Aurora")),
    ],
)
def test_batches_that_disagree_are_refused_by_name(batches):
    for order in (batches, batches[::-1]):
        with pytest.raises(InputError) as stopped:
            chosen(*order)
        told = str(stopped.value)
        assert told.startswith("the batches ask for different cofactors (batch 1: ")
        assert "; batch 2: " in told
        assert "--cofactor 5 (mass cytometry), 150 (flow cytometry), 6000 (spectral)" in told


def test_batches_that_differ_a_little_get_the_larger():
    """None of them is torn by it."""
    assert chosen(Noise(200, bright=True), Noise(400, bright=True))[0] == 800
    assert chosen(Noise(400, bright=True), Noise(200, bright=True))[0] == 800
    assert chosen(Noise(31, bright=True), Noise(220, bright=True))[0] == 150  # which suits both
    told = Noise(UNKNOWN, bright=True, instrument="Canto")
    assert chosen(Noise(240, bright=True), told)[0] == 500


def test_a_cofactor_that_tears_cells_apart_is_told():
    batches = {"monday": Noise(0.4, bright=False), "tuesday": Noise(180, bright=True)}
    said = torn(5, batches)
    assert said.startswith("the values of tuesday spread by 180 around zero, so that arcsinh(x / 5) tears ")
    assert "--cofactor 150 or --cofactor auto" in said
    assert torn(90, batches) == ""  # twice the cofactor
    assert torn(89, batches) != ""
    assert torn(5, {"monday": Noise(UNKNOWN, bright=True)}) == ""


def test_own_cofactors_go_by_the_protein():
    found = Cofactors(5, {"CD4": 150.0, "HLADR": 20.0})
    assert found.each(["CD3", "145Nd_CD4", "hla-dr"]).tolist() == [5, 150, 20]
    assert found.each(["CD3"]).dtype == np.float32
    assert Cofactors(5).each(["CD3", "CD4"]).tolist() == [5, 5]


def table(folder, text: str, name: str = "own.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_of_cofactors(tmp_path):
    text = "Note,Marker,cofactor\nhm,CD3, 5 \n\n,HLA-DR,1.5e2\n"
    assert read_cofactors(table(tmp_path, text)) == {"CD3": 5.0, "HLA-DR": 150.0}
    text = text.replace(",", "\t")
    assert read_cofactors(table(tmp_path, text, "own.tsv")) == {"CD3": 5.0, "HLA-DR": 150.0}


@pytest.mark.parametrize("value", ["five", "0", "-5", "nan", "inf", "1e999", "5;"])
def test_what_is_no_positive_number_is_refused_with_its_line(tmp_path, value):
    path = table(tmp_path, f"marker,cofactor\nCD3,5\nCD4,{value}\n")
    with pytest.raises(InputError) as caught:
        read_cofactors(path)
    told = str(caught.value).splitlines()
    assert told[0] == f"line 3: the cofactor of CD4 is {value!r}; expected a positive number"
    assert any("own.csv" in note for note in caught.value.__notes__)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("marker,cofactor\nCD3,5\nCD4,5\nCD3,6\n", "line 4: CD3 has a cofactor already"),
        ("marker,cofactor\nCD3,\n", "line 2, column cofactor: there is no value"),
        ("marker,value\nCD3,5\n", "there is no column 'cofactor' in line 1"),
        ("", "the table is empty"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, text, told):
    with pytest.raises(InputError) as caught:
        read_cofactors(table(tmp_path, text))
    assert told in str(caught.value)
    assert any("own.csv" in note for note in caught.value.__notes__)


@pytest.fixture(scope="module")
def blood():
    return cellgan.simulate(n_cells=200, n_markers=6, seed=3)


def test_own_cofactors_on_the_way_there_and_back(blood, tmp_path):
    """To the layers by each marker's own, and from these to counts, of new cells and a saved model too."""
    one, two = blood
    own = {one.var_names[1]: 50.0, one.var_names[4].lower(): 1.0}
    by = np.array([5, 50, 5, 5, 1, 5], dtype=np.float32)
    config = AlignConfig(rounds=2, method="quantiles", transform="arcsinh", cofactor=5.0, cofactors=own)
    run = cellgan.align(blood, config=config)
    layer = np.asarray(run.adata.layers["aligned"])
    np.testing.assert_allclose(layer[:200], np.arcsinh(one.X / by), rtol=1e-6, atol=1e-6)
    assert run.report["config"]["cofactors"] == own
    transform = run.report["transform"]
    assert transform["cofactor"] == 5
    assert set(transform["cofactors"].values()) == {1.0, 50.0}

    run.write(tmp_path / "out")
    back = [read_fcs(tmp_path / "out" / f"batch{i}.fcs").X for i in (1, 2)]
    np.testing.assert_array_equal(back[0], one.X)
    assert np.abs(back[1] - two.X).max() > 1
    np.testing.assert_allclose(np.arcsinh(back[1] / by), layer[200:], atol=1e-4)

    run.save(tmp_path / "own.model")
    model = cellgan.load(tmp_path / "own.model")
    assert model.cofactors == run.model.cofactors
    mapped = model.map(two).layers["aligned"]
    np.testing.assert_allclose(mapped, layer[200:], atol=1e-5)


def test_values_on_the_arcsinh_scale_get_back_to_counts_by_own_cofactors(blood, tmp_path):
    own = {blood[0].var_names[2]: 40.0}
    by = np.array([5, 5, 40, 5, 5, 5], dtype=np.float32)
    scaled = [batch.copy() for batch in blood]
    for batch in scaled:
        batch.X = np.arcsinh(batch.X / by)
    config = AlignConfig(rounds=2, method="quantiles", transform="none", cofactor=5.0, cofactors=own)
    run = cellgan.align(scaled, config=config)
    np.testing.assert_array_equal(np.asarray(run.adata.layers["aligned"])[:200], scaled[0].X)
    run.write(tmp_path / "out")
    np.testing.assert_allclose(read_fcs(tmp_path / "out" / "batch1.fcs").X, blood[0].X, rtol=1e-4, atol=1e-3)


def test_own_cofactors_of_a_marker_that_nobody_has_are_refused(blood):
    with pytest.raises(InputError, match="no batch has a marker called CD99"):
        cellgan.align(blood, config=AlignConfig(transform="arcsinh", cofactors={"CD99": 5.0}))
