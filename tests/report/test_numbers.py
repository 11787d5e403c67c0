import math

import pytest

from cellgan.report.numbers import count, decimal, is_known, listing, percent


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.617, "0.62"), (-1.5, "−1.50"), (-0.001, "0.00"), (None, "–"), (math.nan, "–"), (math.inf, "–")],
)
def test_decimal(value, text):
    assert decimal(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.003, "0.3 %"),
        (0.0994, "9.9 %"),
        (0.0996, "10 %"),
        (0.614, "61 %"),
        (1, "100 %"),
        (None, "–"),
    ],
)
def test_percent(share, text):
    assert percent(share) == text


def test_count():
    assert count(1234567) == "1,234,567"


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d"], "a, b, c and 1 more"),
    ],
)
def test_listing(names, text):
    assert listing(names, 3) == text


@pytest.mark.parametrize(
    ("value", "known"), [(0.0, True), (None, False), (math.nan, False), (-math.inf, False)]
)
def test_is_known(value, known):
    assert is_known(value) is known
