from __future__ import annotations

import doctest

import pytest
import torch
from torch import nn

import cellgan.core
from cellgan.core.nets import Residual, mlp, residual_mlp
from cellgan.errors import ConfigError


def test_a_perceptron_is_linear_layers_with_leaky_relu_between():
    network = mlp(3, 2, hidden=(5,), slope=0.1)
    first, last = network[0], network[-1]
    x = torch.randn(7, 3)
    hidden = first(x)
    assert torch.allclose(network(x), last(torch.where(hidden > 0, hidden, 0.1 * hidden)))
    assert [p.numel() for p in mlp(3, 2, hidden=()).parameters()] == [6, 2]


def test_dropout_drops_its_share_in_training_alone():
    torch.manual_seed(0)
    network = mlp(1, 1, hidden=(4000,), dropout=0.25)
    dropped = network[:-1](torch.ones(1, 1)) == 0
    assert float(dropped.float().mean()) == pytest.approx(0.25, abs=0.03)
    assert not (network.eval()[:-1](torch.ones(1, 1)) == 0).any()


def test_the_input_is_not_overwritten():
    x = torch.randn(4, 3)
    before = x.clone()
    for network in (mlp(3, 3), residual_mlp(3), mlp(3, 1, hidden=())):
        network(x).sum().backward()
    assert torch.equal(x, before)


@pytest.mark.parametrize("last", [nn.Linear(4, 4), nn.Conv2d(4, 4, 3, padding=1)])
def test_any_network_that_ends_in_a_layer_can_be_a_residual(last):
    x = torch.randn(2, 4, 4, 4)
    network = Residual(nn.Sequential(nn.LeakyReLU(), last))
    assert torch.equal(network(x), x)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mlp(0, 2), r"\[0, 128, 128, 2\]"),
        (lambda: residual_mlp(3, blocks=0), "blocks=0"),
        (lambda: Residual(nn.ReLU()), "needs a linear or convolution layer"),
    ],
)
def test_networks_that_do_nothing_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_the_example_in_the_docstring_runs():
    result = doctest.testmod(cellgan.core)
    assert result.attempted > 5
    assert result.failed == 0
