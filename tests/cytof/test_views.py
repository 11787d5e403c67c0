"""One batch beside the reference: the columns that they share, and nothing where nothing is known."""

from __future__ import annotations

import numpy as np

from cellgan.cytof.views import Views

REFERENCE = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
BEFORE, AFTER = np.array([[7.0, 8.0]] * 3), np.array([[9.0, 10.0]] * 3)
WHOLE = np.full((4, 3), 11.0)


def views(**parts) -> Views:
    batches = {"some": (BEFORE, AFTER), "all": (WHOLE, WHOLE + 1)}
    return Views(("CD3", "CD4", "CD19"), REFERENCE, batches, **parts)


def test_the_reference_has_the_columns_that_a_batch_shares_in_its_order():
    found = views(shared={"some": ("CD19", "CD3")}).of("some")
    assert found.markers == ("CD19", "CD3")
    np.testing.assert_array_equal(found.reference, [[3, 1], [6, 4]])
    np.testing.assert_array_equal(found.before, BEFORE)
    np.testing.assert_array_equal(found.after, AFTER)


def test_a_batch_that_is_not_listed_shares_all():
    found = views(shared={"some": ("CD19", "CD3")}).of("all")
    assert found.markers == ("CD3", "CD4", "CD19")
    np.testing.assert_array_equal(found.reference, REFERENCE)


def test_novel_cells_are_those_of_the_batch_and_none_where_nothing_is_known():
    marks = np.array([True, False, True])
    one = views(shared={"some": ("CD3", "CD4")}, novel={"some": marks})
    np.testing.assert_array_equal(one.of("some").novel, marks)
    assert one.of("all").novel.tolist() == [False] * 4
