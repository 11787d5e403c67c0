"""The paper's two tasks with a known answer, small; benchmarks/magan_published.py plays them in full."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "magan_published.py"


@pytest.fixture(scope="module")
def published():
    spec = importlib.util.spec_from_file_location("magan_published", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_three_gaussians_are_paired_right_with_correspondence_and_at_random_without(published):
    known, unknown = (published.gaussians(3, known=known, rounds=500, n=1000) for known in (True, False))
    assert min(known.ab, known.ba) > 0.98
    assert max(unknown.ab, unknown.ba) < 0.7


@pytest.fixture(scope="module")
def digits(published):
    if "CELLGAN_DATA" not in os.environ:
        pytest.skip("CELLGAN_DATA names no folder of real data")
    return published.read_digits(Path(os.environ["CELLGAN_DATA"]) / "digits" / "mnist_12k.npz")


def test_turned_digits_are_paired_right_by_one_labelled_pair_and_swapped_without(published, digits):
    known, unknown = (
        published.turned_digits(digits, published.Setting(known=known, starts=1, rounds=500), seed=1)[0]
        for known in (True, False)
    )
    assert min(known.ab, known.ba) > 0.9
    assert max(unknown.ab, unknown.ba) < 0.3
