"""A linear classifier of cells, unless a perceptron does clearly better; numbers against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from cellgan.adaptation.adaptation import probabilities
from cellgan.cytof.type_classifier import fit_again, learn_types, linear


def clouds(n_types, *, seed=0, n=900, apart=2.5):
    """Round clouds of cells: no classifier does better than a linear one."""
    generator = torch.Generator().manual_seed(seed)
    types = torch.arange(n) % n_types
    centres = apart * torch.eye(n_types, 4)
    return centres[types] + torch.randn(n, 4, generator=generator), types


def rings(*, seed=0, n=900):
    """A type within another: no plane parts them."""
    generator = torch.Generator().manual_seed(seed)
    types = torch.arange(n) % 2
    ways = torch.nn.functional.normalize(torch.randn(n, 3, generator=generator))
    return ways * (1.0 + 2 * types[:, None]) + 0.3 * torch.randn(n, 3, generator=generator), types


@pytest.mark.parametrize("n_types", [2, 3])
def test_the_linear_one_is_the_librarys(n_types):
    cells, types = clouds(n_types)
    expected = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(cells.numpy(), types.numpy())
    found = probabilities(*linear(cells, types), cells)
    np.testing.assert_allclose(found.numpy(), expected.predict_proba(cells.numpy()), atol=1e-4)


def test_the_linear_one_is_taken_where_a_perceptron_is_no_better():
    learned = learn_types(*clouds(3), seed=0)
    assert learned.kind == "linear"
    assert 0 < learned.mistakes["linear"] < 90


def test_a_perceptron_is_taken_where_no_plane_parts_the_types():
    cells, types = rings()
    learned = learn_types(cells, types, seed=0)
    assert learned.kind == "perceptron"
    assert learned.mistakes["perceptron"] < 0.1 * learned.mistakes["linear"]
    new, truth = rings(seed=1)
    found = probabilities(learned.encoder, learned.head, new).argmax(1)
    assert (found == truth).float().mean() > 0.97


def given(networks, target):
    return probabilities(*networks, target).argmax(1)


def moved(*, n_types=3, seed=1, shares=(1.0, 1.0, 1.0)):
    """The same clouds as another instrument sees them, and not in the same shares."""
    cells, types = clouds(n_types, seed=seed, n=3000)
    kept = torch.rand(len(types), generator=torch.Generator().manual_seed(seed)) < torch.tensor(shares)[types]
    return (0.6 * cells + 0.3)[kept], types[kept]


@pytest.mark.parametrize("shares", [(1.0, 1.0, 1.0), (1.0, 0.3, 0.1), (1.0, 0.5, 0.01), (1.0, 0.5, 0.0)])
def test_fitting_again_gains_whatever_the_shares_are(shares):
    cells, types = clouds(3)
    target, truth = moved(shares=shares)
    first = linear(cells, types)
    again = fit_again(given(first, target), target, cells, types)
    before, after = (probabilities(*each, target).argmax(1) for each in (first, again))
    assert (after == truth).sum() > (before == truth).sum()


def test_fitting_again_is_the_librarys_fit_to_ones_own_labels():
    cells, types = clouds(3)
    target, _ = moved()
    found = linear(cells, types)
    own = probabilities(*found, target).argmax(1).numpy()
    expected = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(target.numpy(), own)
    again = probabilities(*fit_again(given(found, target), target, cells, types), target)
    np.testing.assert_allclose(again.numpy(), expected.predict_proba(target.numpy()), atol=1e-4)


def test_the_source_lends_cells_of_types_that_the_target_lacks():
    cells, types = clouds(3)
    target = cells[types == 0]
    encoder, head = fit_again(given(linear(cells, types), target), target, cells, types)
    assert head.out_features == 3
    assert torch.isfinite(head.weight).all()
    assert (probabilities(encoder, head, target).argmax(1) == 0).float().mean() > 0.9


def test_the_same_seed_learns_the_same():
    cells, types = rings()
    a, b = (learn_types(cells, types, seed=3) for _ in range(2))
    assert a.mistakes == b.mistakes
    assert all(torch.equal(x, y) for x, y in zip(a.head.parameters(), b.head.parameters(), strict=True))
