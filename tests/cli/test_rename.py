"""``--rename``: handed over, checked before anything is read, and never written over."""

from __future__ import annotations

from pathlib import Path

import pytest

RUN = ("align", "a.h5ad", "b.h5ad")


@pytest.fixture
def table(folder):
    path = folder / "rename.csv"
    path.write_text("batch,from,to\nb,CD8a,CD8\n")
    return path


def test_the_table_is_handed_over(cellgan, fake, table):
    result = cellgan(*RUN, "--rename", "rename.csv")
    assert result.exit_code == 0, result.output
    assert fake.calls[0]["rename"] == Path("rename.csv")
    assert cellgan(*RUN, "--overwrite").exit_code == 0
    assert fake.calls[1]["rename"] is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("batch,from,to\nc,CD8a,CD8\n", "line 2: there is no batch 'c'; the batches are a, b"),
        ("from;to\n", "there is no column 'from'"),
        ("", "the table is empty"),
    ],
)
def test_a_table_that_cannot_be_used_is_told_before_anything_is_read(cellgan, fake, table, text, said):
    table.write_text(text)
    result = cellgan(*RUN, "--rename", "rename.csv")
    assert (result.exit_code, fake.calls) == (1, [])
    assert said in result.stderr
    assert "in rename.csv" in result.stderr


def test_a_table_that_is_not_there_ends_with_2(cellgan, fake, folder):
    result = cellgan(*RUN, "--rename", "none.csv")
    assert (result.exit_code, fake.calls) == (2, [])
    assert "'none.csv' does not exist" in result.stderr


def test_names_of_batches_within_a_file_are_not_known_yet(cellgan, fake, table):
    table.write_text("batch,from,to\nplate 1,CD8a,CD8\n")
    words = ("align", "a.h5ad", "--batch-key", "plate", "--rename", "rename.csv")
    assert cellgan(*words).exit_code == 0


def test_the_table_is_never_written_over(cellgan, fake, table):
    result = cellgan(*RUN, "--rename", "rename.csv", "--overwrite", "--model", "rename.csv")
    assert (result.exit_code, fake.calls) == (1, [])
    assert "input" in result.stderr
    assert table.read_text().startswith("batch,from,to")


def test_help_tells_of_it(cellgan):
    assert "--rename FILE" in " ".join(cellgan("align", "--help").stdout.split())
