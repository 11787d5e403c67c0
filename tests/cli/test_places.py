from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest


def refuse(cellgan, fake, folder, *words):
    """Run a command that must end with 1 before anything runs, and leave every file as it was."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    result = cellgan("align", *words)
    assert result.exit_code == 1, result.output
    assert fake.calls == []
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    return result.stderr


def test_absent_input(cellgan, fake, folder):
    assert "there is no file 'c.h5ad'" in refuse(cellgan, fake, folder, "a.h5ad", "c.h5ad")


def test_folder_as_input(cellgan, fake, folder):
    (folder / "c.h5ad").mkdir()
    assert "'c.h5ad' is not a file" in refuse(cellgan, fake, folder, "a.h5ad", "c.h5ad")


@pytest.mark.parametrize("name", ["a.h5ad", "./a.h5ad", "link.h5ad"])
def test_same_file_twice(cellgan, fake, folder, name):
    (folder / "link.h5ad").symlink_to("a.h5ad")
    assert "the same file was given twice" in refuse(cellgan, fake, folder, "a.h5ad", name)


@pytest.mark.parametrize("flag", ["--output", "-o"])
@pytest.mark.parametrize("name", ["b.h5ad", "../{folder}/b.h5ad", "soft.h5ad", "hard.h5ad"])
def test_output_that_is_an_input_is_refused_even_with_overwrite(cellgan, fake, folder, flag, name):
    (folder / "soft.h5ad").symlink_to("b.h5ad")
    os.link("b.h5ad", "hard.h5ad")
    target = name.format(folder=folder.name)
    said = refuse(cellgan, fake, folder, "a.h5ad", "b.h5ad", flag, target, "--overwrite")
    assert f"the output {target} is also an input" in said


def test_model_that_is_an_input(cellgan, fake, folder):
    said = refuse(cellgan, fake, folder, "a.h5ad", "b.h5ad", "--model", "b.h5ad", "--overwrite")
    assert "the output b.h5ad is also an input" in said


def test_report_numbers_that_would_replace_an_input(cellgan, fake, folder):
    (folder / "page.json").symlink_to("b.h5ad")
    said = refuse(cellgan, fake, folder, "a.h5ad", "b.h5ad", "--report", "page.html", "--overwrite")
    assert "the output page.json is also an input" in said


@pytest.mark.parametrize("old", ["aligned.h5ad", "aligned.model", "aligned.html", "aligned.json"])
def test_old_results_are_kept_unless_asked(cellgan, fake, folder, old):
    (folder / old).write_text("old")
    assert f"the output {old} exists" in refuse(cellgan, fake, folder, "a.h5ad", "b.h5ad")
    assert cellgan("align", "a.h5ad", "b.h5ad", "--overwrite").exit_code == 0
    assert (folder / old).read_text() != "old"


ALIGN = ("align", "a.h5ad", "b.h5ad")
MAP = ("map", "a.h5ad", "b.h5ad")


@pytest.mark.parametrize(
    "words",
    [
        (*ALIGN, "--output", "nowhere/x.h5ad"),
        (*ALIGN, "--output", "nowhere/fcs/"),
        (*ALIGN, "--report", "nowhere/x.html"),
        (*ALIGN, "--model", "nowhere/x.model"),
        (*ALIGN, "--output", "made/", "--report", "nowhere/x.html"),
        (*ALIGN, "--output", "nowhere/", "--model", "nowhere/deep/x.model"),
        (*MAP, "--output", "nowhere/x.h5ad"),
        (*MAP, "--output", "nowhere/x.fcs"),
        ("simulate", "nowhere/practice"),
    ],
    ids=" ".join,
)
def test_a_folder_that_is_missing_is_named_and_not_made(cellgan, fake, folder, words):
    before = sorted(folder.rglob("*"))
    result = cellgan(*words)
    assert result.exit_code == 1, result.output
    assert re.search(
        r"the folder nowhere(/deep)? does not exist: make it first, or write elsewhere", result.stderr
    )
    assert fake.calls == []
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("name", ["made", "made/", "./made", "{folder}/made/", "run.1/"])
def test_the_folder_that_is_the_output_is_made(cellgan, fake, folder, name):
    target = Path(name.format(folder=folder))
    words = ["--output", name.format(folder=folder), "--model", folder / target / "m.model"]
    result = cellgan("align", "a.h5ad", "b.h5ad", *words)
    assert result.exit_code == 0, result.output
    assert {path.name for path in target.iterdir()} == {
        "a.fcs",
        "b.fcs",
        "m.model",
        "aligned.html",
        "aligned.json",
    }
    assert cellgan("simulate", "practice", "--cells", "20", "--markers", "3").exit_code == 0
    assert (folder / "practice" / "batch2.h5ad").exists()


def test_folder_that_cannot_be_written_to(cellgan, fake, folder, monkeypatch):
    # Whoever runs the tests may be allowed to write everywhere, so the system's answer is played.
    def refuse_to_touch(path, **_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse_to_touch)
    assert "is not writable" in refuse(cellgan, fake, folder, "a.h5ad", "b.h5ad")


def test_output_folder_that_holds_an_input(cellgan, fake, folder):
    said = refuse(cellgan, fake, folder, "a.h5ad", "b.h5ad", "-o", "./", "--overwrite")
    assert "lies in the output folder" in said


def test_output_folder_that_is_not_empty(cellgan, fake, folder):
    (folder / "out").mkdir()
    (folder / "out" / "notes.txt").write_text("mine")
    assert "not empty" in refuse(cellgan, fake, folder, "a.h5ad", "b.h5ad", "-o", "out")
    assert cellgan("align", "a.h5ad", "b.h5ad", "-o", "out", "--overwrite").exit_code == 0
    assert (folder / "out" / "notes.txt").read_text() == "mine"


def test_file_where_a_folder_is_asked_for(cellgan, fake, folder):
    (folder / "out").write_text("a file")
    assert "is a file" in refuse(cellgan, fake, folder, "a.h5ad", "b.h5ad", "-o", "out/", "--overwrite")


def test_folder_where_a_file_is_asked_for(cellgan, fake, folder):
    (folder / "aligned.model").mkdir()
    assert "it is a folder" in refuse(cellgan, fake, folder, "a.h5ad", "b.h5ad", "--overwrite")
