"""Flags that say from which cells an alignment is learned, and what stands against a table of controls."""

from __future__ import annotations

from pathlib import Path

import pytest

from cellgan.cytof.config import AlignConfig

RUN = ("align", "a.h5ad", "b.h5ad")


@pytest.fixture
def table(folder):
    """Write a table of anchors, and the control of each batch."""
    (folder / "controls").mkdir()
    for name in "ab":
        (folder / "controls" / f"{name}.fcs").write_text(name)
    path = folder / "anchors.csv"
    path.write_text("batch,file\na,controls/a.fcs\nb,controls/b.fcs\n")
    return path


def test_the_table_is_handed_over(cellgan, fake, table):
    result = cellgan(*RUN, "--anchors", "anchors.csv")
    assert result.exit_code == 0, result.output
    assert fake.calls[0]["anchors"] == Path("anchors.csv")
    assert fake.calls[0]["config"] == AlignConfig()


def test_without_a_table_there_are_no_anchors(cellgan, fake, folder):
    assert cellgan(*RUN).exit_code == 0
    assert fake.calls[0]["anchors"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--anchor-key", "control"], "anchors were given and anchor_key is 'control'"),
        (["--condition", "drug"], "anchors were given and condition is 'drug'"),
        (["--reference", "consensus"], "anchors were given and reference is 'consensus'"),
    ],
)
def test_anchors_stand_alone(cellgan, fake, table, words, said):
    result = cellgan(*RUN, "--anchors", "anchors.csv", *words)
    assert (result.exit_code, fake.calls) == (2, [])
    assert said in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--condition", "a", "--anchor-key", "b"], "condition is 'a' and anchor_key is 'b'"),
        (["--condition", ""], "condition is ''"),
        (["--anchor-key", "=x"], "anchor_key is '=x'"),
        (["--reference", "consensus", "--condition", "a"], "these do not go together yet"),
        (["--anchors", "none.csv"], "'none.csv' does not exist"),
        (["--anchors", "."], "'.' is a directory"),
    ],
)
def test_flags_that_cannot_be_used_end_with_2(cellgan, fake, folder, words, said):
    result = cellgan(*RUN, *words)
    assert (result.exit_code, fake.calls) == (2, [])
    assert said in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("batch,file\nc,controls/a.fcs\n", "there is no batch 'c'; the batches are a, b"),
        ("batch,file\na,controls/c.fcs\n", "there is no file"),
        ("batch;file\n", "there is no column 'batch'"),
    ],
)
def test_a_table_that_cannot_be_used_is_told_before_anything_is_read(cellgan, fake, table, text, said):
    table.write_text(text)
    result = cellgan(*RUN, "--anchors", "anchors.csv")
    assert (result.exit_code, fake.calls) == (1, [])
    assert said in result.stderr
    assert "in anchors.csv" in result.stderr


def test_names_of_batches_within_a_file_are_not_known_yet(cellgan, fake, table):
    table.write_text("batch,file\nplate 1,controls/a.fcs\n")
    words = ("align", "a.h5ad", "--batch-key", "plate", "--anchors", "anchors.csv")
    assert cellgan(*words).exit_code == 0
    table.write_text("batch,file\nplate 1,controls/c.fcs\n")
    assert "there is no file" in cellgan(*words, "--overwrite").stderr


@pytest.mark.parametrize("output", ["controls/a.h5ad", "controls/", "anchors.csv"])
def test_controls_are_never_written_over(cellgan, fake, table, output):
    """Not as the cells, nor as a model, nor by way of the folder that they are in."""
    (table.parent / "controls/a.fcs").rename(table.parent / "controls/a.h5ad")
    table.write_text("batch,file\na,controls/a.h5ad\n")
    where = ["--model", output] if output == "anchors.csv" else ["-o", output]
    result = cellgan(*RUN, "--anchors", "anchors.csv", "--overwrite", *where)
    assert (result.exit_code, fake.calls) == (1, [])
    assert "input" in result.stderr
    assert (table.parent / "controls/a.h5ad").read_text() == "a"


def test_consensus_passes_as_a_reference(cellgan, fake, folder):
    assert cellgan(*RUN, "--reference", "consensus").exit_code == 0
    assert fake.calls[0]["config"].reference == "consensus"


def test_a_batch_called_consensus_is_no_reference(cellgan, fake, folder):
    (folder / "consensus.h5ad").write_text("c")
    for typed in ("consensus", "consensus.h5ad"):
        result = cellgan(*RUN, "consensus.h5ad", "--reference", typed)
        assert (result.exit_code, fake.calls) == (2, [])
        assert "one of the batches is called so" in result.stderr


def test_help_tells_of_all_ways(cellgan):
    shown = " ".join(cellgan("align", "--help").stdout.split())
    assert "--anchors FILE" in shown
    assert "--anchor-key KEY[=VALUE]" in shown
    assert "--condition KEY" in shown
    assert "--reference NAME|consensus" in shown
