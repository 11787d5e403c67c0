"""Labels: pairs, the start from labelled cells, and an effect larger than the distance between types."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch

from cellgan.cytof.config import AlignConfig
from cellgan.cytof.correspondence import fit_start
from cellgan.cytof.labels import Known, fit_labelled_start, labelled_pairs, labels_of, shared_labels
from cellgan.cytof.mover import Mover
from cellgan.cytof.pair import align_pair
from cellgan.cytof.read_write import CellBatch, InMemory
from cellgan.cytof.transform import Standardise
from cellgan.errors import InputError

CPU = torch.device("cpu")
NAMES = np.array(["a", "b", "c"])
UNITS = Standardise(np.zeros(3, np.float32), np.ones(3, np.float32))  # values are on their scale already


def rmse(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(((a - b) ** 2).mean()))


@pytest.fixture(scope="module")
def far():
    """Three types 4 apart; the batch is shifted by 4, so that its type a lies on the reference's type b."""
    rng = np.random.default_rng(0)

    def draw(shares):
        kind = rng.choice(3, 600, p=shares)
        return np.array([[0, 0, 0], [4, 0, 0], [0, 4, 0]])[kind] + rng.normal(0, 0.4, (600, 3)), kind

    (reference, ours), (truth, theirs) = draw([0.4, 0.4, 0.2]), draw([0.6, 0.2, 0.2])
    mean, sd = reference.mean(axis=0), reference.std(axis=0)
    cells = truth + np.array([4, 0, 0])
    scaled = [(each - mean) / sd for each in (reference, cells, truth)]
    return (*scaled, Known(NAMES[ours], NAMES[theirs]))


def test_labels_find_what_values_alone_take_for_another_type(far):
    reference, cells, truth, known = far
    config = AlignConfig(rounds=20, correspondence="labels:type")
    pair = align_pair(reference, cells, units=UNITS, config=config, known=known)
    blind = Mover(fit_start(reference, cells, units=UNITS, seed=0).maps)
    assert pair.chosen == "game + cluster maps"
    assert rmse(pair.mover(cells), truth) < 0.2 * rmse(cells, truth)
    assert rmse(blind(cells), truth) > 0.8 * rmse(cells, truth)


def test_a_tenth_of_the_labels_will_do(far):
    reference, cells, truth, known = far
    some = Known(*(np.where(np.arange(600) % 10, "", side) for side in (known.reference, known.cells)))
    start = Mover(fit_labelled_start(reference, cells, some))
    assert rmse(start(cells), truth) < 0.4 * rmse(cells, truth)


def test_labels_make_up_for_other_shares(far):
    """Types a and b are 40 % and 40 % there, 60 % and 20 % here: without labels, a would be taken for b."""
    reference, cells, truth, known = far
    alike = Known(np.full(600, "any"), np.full(600, "any"))
    found, plain = (Mover(fit_labelled_start(reference, cells, labels)) for labels in (known, alike))
    assert rmse(found(cells), truth) < 0.3 * rmse(plain(cells), truth)


def test_magan_takes_pairs_too(far):
    reference, cells, truth, known = far
    config = {"rounds": 60, "method": "magan"}
    tied = align_pair(
        reference,
        cells,
        units=UNITS,
        config=AlignConfig(**config, correspondence="labels:type"),
        known=known,
    )
    assert rmse(tied.mover(cells), truth) < 0.4 * rmse(cells, truth)


def test_pairs_are_of_one_label_and_nearest_with_nearest():
    """On a line the cheapest pairing is the sorted one."""
    rng = np.random.default_rng(0)
    reference, cells = rng.normal(size=(40, 1)) + 5, rng.normal(size=(40, 1))
    reference[:20] += 100
    cells[:20] += 100
    known = Known(*([np.repeat(["high", "low"], 20)] * 2))
    pairs = labelled_pairs(reference, cells, known, device=CPU, seed=0)
    ours, theirs = pairs.a.numpy().ravel(), pairs.b.numpy().ravel()
    assert len(ours) == len(theirs) == 40
    order = np.argsort(ours)
    np.testing.assert_array_equal(theirs[order], np.sort(theirs))
    np.testing.assert_allclose(np.sort(theirs), np.sort(reference.ravel()), rtol=1e-6)
    assert ((ours > 50) == (theirs > 50)).all()


def test_cells_without_a_label_are_in_no_pair():
    reference = cells = np.arange(6.0)[:, None]
    known = Known(np.array(["", "a", "a", "b", "", ""]), np.array(["a", "", "", "c", "", "a"]))
    pairs = labelled_pairs(reference, cells, known, device=CPU, seed=0)
    assert sorted(pairs.a.numpy().ravel()) == [0, 5]
    assert sorted(pairs.b.numpy().ravel()) == [1, 2]


def test_no_shared_label_is_an_error_that_shows_both():
    known = Known(np.array(["T", "B", ""]), np.array(["t cell", "", ""]))
    with pytest.raises(InputError, match=r"no label occurs in both.*B, T.*t cell") as caught:
        shared_labels(known)
    assert "Use the same names" in str(caught.value)
    for use in (fit_labelled_start, lambda *args: labelled_pairs(*args, device=CPU, seed=0)):
        with pytest.raises(InputError, match="no label occurs in both"):
            use(np.zeros((3, 2)), np.zeros((3, 2)), known)


@pytest.mark.parametrize(
    "column",
    [
        pd.Categorical(["T", None, "unknown", "B"]),
        ["T", "", "unlabelled", "B"],
        np.array(["T", np.nan, "NA", "B"], dtype=object),
        pd.array(["T", None, "nan", "B"], dtype="string"),
    ],
)
def test_what_says_nothing_is_no_label(column):
    adata = ad.AnnData(np.zeros((4, 2), dtype=np.float32))
    adata.obs["type"] = column
    assert labels_of(CellBatch(name="one", cells=InMemory(adata)), "type").tolist() == ["T", "", "", "B"]


def test_numbers_are_labels():
    adata = ad.AnnData(np.zeros((3, 2), dtype=np.float32))
    adata.obs["cluster"] = [0, 1, 0]
    assert labels_of(CellBatch(name="one", cells=InMemory(adata)), "cluster").tolist() == ["0", "1", "0"]


def test_a_column_that_is_not_there_is_named_with_those_that_are():
    adata = ad.AnnData(
        np.zeros((3, 2), dtype=np.float32), obs=pd.DataFrame({"day": [1, 2, 3]}, index=list("xyz"))
    )
    with pytest.raises(InputError, match=r"batch 'one' has no obs column 'type'.*its obs has day"):
        labels_of(CellBatch(name="one", cells=InMemory(adata)), "type")
