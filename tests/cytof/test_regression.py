"""Expected values by regression: the closed form where there is one, chance only where it was asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cellgan.core import History
from cellgan.core.regression import Regression
from cellgan.cytof import regression as module
from cellgan.cytof.regression import apply_network, fit_network, new_network

CPU = torch.device("cpu")
SLOPES = np.array([[0.6, 0.0], [-0.5, 0.8], [0.0, 0.3]])  # three inputs, two outputs
NOISE = np.array([0.6, 0.5])


def gaussian(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs that go together, outputs of variance one or so, and the outputs that are to be expected."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n, 3))
    inputs[:, 2] = 0.6 * inputs[:, 0] + 0.8 * inputs[:, 2]
    bent = np.abs(inputs[:, 1]) - np.sqrt(2 / np.pi)  # no straight line tells this one
    expected = np.column_stack([inputs @ SLOPES, bent])
    return inputs, expected + rng.normal(size=expected.shape) * [*NOISE, 0.5], expected


def short(seed: int, *, rounds: int = 20) -> torch.nn.Module:
    inputs, outputs, _ = gaussian(300, seed=0)
    return fit_network(inputs, outputs, seed=seed, device=CPU, rounds=rounds)


def test_the_closed_form_is_reached_and_what_is_bent_too():
    """Of fresh cells: least squares on so many cells would be off by noise times sqrt(3 / 4000), 0.02."""
    inputs, outputs, _ = gaussian(4000, seed=0)
    fresh, _, expected = gaussian(2000, seed=1)
    network = fit_network(inputs, outputs, seed=0, device=CPU, rounds=800)
    off = np.sqrt(((apply_network(network, fresh) - expected) ** 2).mean(axis=0))
    assert (off < 0.1).all()
    # The mean of all cells is off by as much as outputs vary, and first weights are hardly better.
    assert (expected.std(axis=0) > 0.55).all()
    untrained = fit_network(inputs, outputs, seed=0, device=CPU, rounds=1)
    assert (np.sqrt(((apply_network(untrained, fresh) - expected) ** 2).mean(axis=0)) > 0.4).all()


def test_the_loss_is_the_mean_squared_error():
    game = Regression(torch.nn.Identity(), optimizer=None)
    batch = {
        "inputs": torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
        "outputs": torch.tensor([[1.0, 4.0], [0.0, 3.0]]),
    }
    assert game.miss(batch)["error"].item() == pytest.approx((0 + 4 + 9 + 1) / 4)


def test_inputs_stay_with_their_outputs():
    """The game gets pairs: what one line holds of both is drawn together."""
    seen = []

    class Spy(Regression):
        def miss(self, batch):
            seen.append((batch["inputs"][:, 0].clone(), batch["outputs"][:, 0].clone()))
            return super().miss(batch)

    numbers = np.arange(400.0)[:, None]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "Regression", Spy)
        fit_network(numbers, numbers / 2, seed=0, device=CPU, rounds=3)
    assert [len(inputs) for inputs, _ in seen] == [module.MINI_BATCH] * 3
    for inputs, outputs in seen:
        assert torch.equal(inputs / 2, outputs)
        assert len(inputs.unique()) > 200


def test_the_same_seed_gives_the_same_bytes():
    inputs = gaussian(50, seed=2)[0]
    one, same, other = (apply_network(short(seed), inputs).tobytes() for seed in (3, 3, 4))
    assert one == same != other


def test_the_callers_chance_is_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    short(0, rounds=2)
    assert torch.equal(torch.rand(3), expected)


def test_nothing_is_dropped_when_it_is_applied():
    inputs, network = gaussian(200, seed=2)[0], short(0)
    assert not network.training
    once = apply_network(network, inputs)
    assert apply_network(network, inputs).tobytes() == once.tobytes()
    network.train()  # there is something that could be dropped
    assert np.abs(apply_network(network, inputs) - once).max() > 0.01
    dropped = [layer.p for layer in new_network(3, 2) if isinstance(layer, torch.nn.Dropout)]
    assert dropped == [module.DROPOUT] * len(module.HIDDEN)


def test_a_bounded_number_of_cells_at_a_time(monkeypatch):
    inputs, network = gaussian(100, seed=2)[0], short(0)
    whole, sizes = apply_network(network, inputs), []
    monkeypatch.setattr(module, "ROWS", 33)
    network.register_forward_hook(lambda _network, given, _found: sizes.append(len(given[0])))
    np.testing.assert_allclose(apply_network(network, inputs), whole, atol=1e-6)
    assert sizes == [33, 33, 33, 1]
    assert (whole.shape, whole.dtype) == ((100, 3), np.float64)


def test_who_watches_sees_the_error_fall():
    inputs, outputs, _ = gaussian(500, seed=0)
    history = History()
    fit_network(inputs, outputs, seed=0, device=CPU, rounds=150, watchers=[history])
    (errors,) = history.terms.values()
    assert history.rounds[-1] == 150
    assert np.mean(errors[-10:]) < 0.6 * errors[0]
