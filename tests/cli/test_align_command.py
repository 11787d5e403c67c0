from __future__ import annotations

import os
from dataclasses import fields

import pytest

from cellgan.cytof import batch_page
from cellgan.cytof.config import AlignConfig
from cellgan.cytof.verdict import WORDS
from cellgan.errors import DivergedError, InputError
from cellgan_cli.settings import DEFAULTS

WRITTEN = ["aligned.h5ad", "aligned.model", "aligned.html", "aligned.json"]


def test_no_flags_means_the_defaults_of_the_config(cellgan, fake, folder):
    result = cellgan("align", "a.h5ad", "b.h5ad")
    assert result.exit_code == 0, result.output
    assert fake.calls[0]["config"] == AlignConfig()


def test_paths_go_to_stdout_and_words_to_stderr(cellgan, fake, folder):
    result = cellgan("align", "a.h5ad", "b.h5ad")
    assert result.stdout.splitlines() == WRITTEN
    assert all((folder / name).exists() for name in WRITTEN)
    assert result.stderr.splitlines() == [
        "read 2 batches",
        "b -> a: Good. Types match.",
        "  warning: CD3 got worse",
        "warning: few cells",
        "4 files written; open aligned.html next",
    ]


def test_no_bar_where_stderr_is_no_terminal(cellgan, fake, folder):
    result = cellgan("align", "a.h5ad", "b.h5ad")
    assert "\r" not in result.stderr
    assert "playing" not in result.stderr


def test_quiet_says_nothing_but_still_lists_the_files(cellgan, fake, folder):
    result = cellgan("align", "a.h5ad", "b.h5ad", "--quiet")
    assert result.stderr == ""
    assert result.stdout.splitlines() == WRITTEN


def test_quiet_does_not_hide_what_must_not_be_used(cellgan, fake, folder):
    (batch,) = fake.report["batches"]
    batch["verdict"] = {"level": "poor", "text": "They lie farther away."}
    fake.report["batches"].append({**batch, "batch": "c", "verdict": {"level": "caution", "text": "Hm."}})
    result = cellgan("align", "a.h5ad", "b.h5ad", "--quiet")
    assert result.stderr == "b -> a: Do not use. They lie farther away.\n"
    assert result.stdout.splitlines() == WRITTEN
    assert "but errors and results not to be used" in " ".join(cellgan("align", "--help").stdout.split())


@pytest.mark.parametrize("level", WORDS)
def test_the_screen_says_the_words_of_the_page(cellgan, fake, folder, level):
    fake.report["batches"][0]["verdict"]["level"] = level
    said = cellgan("align", "a.h5ad", "b.h5ad").stderr
    assert f"b -> a: {WORDS[level]}. Types match.\n" in said
    assert batch_page.TONES[level][1].startswith(WORDS[level])


def test_quiet_does_not_hide_errors(cellgan, fake, folder):
    fake.raises = InputError("b.h5ad holds no cells")
    result = cellgan("align", "a.h5ad", "b.h5ad", "--quiet")
    assert result.exit_code == 1
    assert "b.h5ad holds no cells" in result.stderr


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--reference", "b"], "reference", "b"),
        (["--transform", "none"], "transform", "none"),
        (["--cofactor", "150"], "cofactor", 150.0),
        (["--markers", "CD3, CD4,CD3,"], "markers", ("CD3", "CD4")),
        (["--correspondence", "labels:donor"], "correspondence", "labels:donor"),
        (["--condition", "drug"], "condition", "drug"),
        (["--anchor-key", "sample=control"], "anchor_key", "sample=control"),
        (["--method", "magan"], "method", "magan"),
        (["--rounds", "7"], "rounds", 7),
        (["--seed", "3"], "seed", 3),
        (["--device", "cpu"], "device", "cpu"),
        (["--threads", "2"], "threads", 2),
    ],
)
def test_each_flag_reaches_the_config(cellgan, fake, folder, words, name, value):
    result = cellgan("align", "a.h5ad", "b.h5ad", *words)
    assert result.exit_code == 0, result.output
    assert fake.calls[0]["config"] == AlignConfig(**{name: value})
    assert value != DEFAULTS[name]


@pytest.mark.parametrize("typed", ["b", "b.h5ad", "./b.h5ad", "{folder}/b.h5ad", "link.h5ad"])
def test_the_reference_may_be_given_as_its_file(cellgan, fake, folder, typed):
    (folder / "link.h5ad").symlink_to("b.h5ad")
    result = cellgan("align", "a.h5ad", "b.h5ad", "--reference", typed.format(folder=folder))
    assert result.exit_code == 0, result.output
    assert fake.calls[0]["config"].reference == "b"


def test_a_reference_that_is_no_input_is_refused_before_anything_is_read(cellgan, fake, folder):
    (folder / "c.h5ad").write_text("c")
    for typed in ("c", "c.h5ad", "nowhere/b.h5ad"):
        result = cellgan("align", "a.h5ad", "b.h5ad", "--reference", typed)
        assert result.exit_code == 2
        assert f"there is no '{typed}'; the batches are a, b" in result.stderr
    assert fake.calls == []


def test_a_reference_among_files_of_one_name(cellgan, fake, folder):
    for name in ("x", "y"):
        (folder / name).mkdir()
        (folder / name / "a.h5ad").write_text(name)
    words = ["align", "x/a.h5ad", "y/a.h5ad", "b.h5ad", "--reference"]
    # There is another a.h5ad in the working folder, which is none of the inputs.
    result = cellgan(*words, "a.h5ad")
    assert result.exit_code == 2
    assert "'a.h5ad' could be x_a or y_a" in result.stderr
    for typed in ("y/a.h5ad", "y_a"):
        assert cellgan(*words, typed, "--overwrite").exit_code == 0
        assert fake.calls[-1]["config"].reference == "y_a"


def test_the_reference_in_one_file_is_a_name_only(cellgan, fake, folder):
    assert cellgan("align", "a.h5ad", "--batch-key", "day", "--reference", "a.h5ad").exit_code == 0
    assert fake.calls[0]["config"].reference == "a.h5ad"


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_told_before_files_are_read(cellgan, fake, folder, device, monkeypatch):
    monkeypatch.setattr("cellgan.core.device.available", lambda: ("cpu",))
    result = cellgan("align", "a.h5ad", "b.h5ad", "--device", device)
    assert result.exit_code == 2
    assert f"This machine has no '{device}' that torch can use. Choose cpu or auto." in result.stderr
    assert fake.calls == []
    # What is wrong with the flags or the places is told first: it needs no torch.
    result = cellgan("align", "a.h5ad", "b.h5ad", "--device", device, "-o", "nowhere/x.h5ad")
    assert "folder nowhere does not exist" in result.stderr


def test_the_cofactor_may_be_left_to_the_values(cellgan, fake, folder):
    assert cellgan("align", "a.h5ad", "b.h5ad", "--cofactor", "auto").exit_code == 0
    assert fake.calls[0]["config"] == AlignConfig()
    shown = " ".join(cellgan("align", "--help").stdout.split())
    assert "--cofactor NUMBER|auto" in shown
    assert "--cofactors FILE" in shown


def test_own_cofactors_from_a_file(cellgan, fake, folder):
    (folder / "own.csv").write_text("marker,cofactor\nCD3,150\nHLA-DR,5.5\n")
    assert cellgan("align", "a.h5ad", "b.h5ad", "--cofactors", "own.csv").exit_code == 0
    assert fake.calls[0]["config"] == AlignConfig(cofactors={"CD3": 150.0, "HLA-DR": 5.5})


def test_a_table_of_cofactors_that_cannot_be_used_is_told_before_anything_runs(cellgan, fake, folder):
    (folder / "own.csv").write_text("marker,cofactor\nCD3,150\nCD4,none\n")
    result = cellgan("align", "a.h5ad", "b.h5ad", "--cofactors", "own.csv")
    assert result.exit_code == 1
    assert "line 3: the cofactor of CD4 is 'none'; expected a positive number" in result.stderr
    assert "own.csv" in result.stderr
    assert fake.calls == []


def test_every_setting_has_a_flag(cellgan):
    shown = cellgan("align", "--help").stdout
    for field in fields(AlignConfig):
        assert f"--{field.name.replace('_', '-')} " in shown, field.name


def test_markers_from_a_file(cellgan, fake, folder):
    (folder / "panel.txt").write_text("CD3\n\n CD4 \nIL-2, free\n")
    assert cellgan("align", "a.h5ad", "b.h5ad", "--markers", "@panel.txt").exit_code == 0
    assert fake.calls[0]["config"].markers == ("CD3", "CD4", "IL-2, free")


def test_threads_reach_the_numeric_libraries(cellgan, fake, folder):
    assert cellgan("align", "a.h5ad", "b.h5ad", "--threads", "3").exit_code == 0
    assert os.environ["OMP_NUM_THREADS"] == "3"
    assert os.environ["NUMBA_NUM_THREADS"] == "3"


def test_no_report(cellgan, fake, folder):
    result = cellgan("align", "a.h5ad", "b.h5ad", "--no-report")
    assert result.stdout.splitlines() == WRITTEN[:2]
    assert not (folder / "aligned.html").exists()


def test_report_and_model_elsewhere(cellgan, fake, folder):
    (folder / "out").mkdir()
    result = cellgan(
        "align", "a.h5ad", "b.h5ad", "-o", "out/x.v1.h5ad", "--report", "out/page.html", "--model", "m.model"
    )
    assert result.stdout.splitlines() == ["out/x.v1.h5ad", "m.model", "out/page.html", "out/page.json"]


def test_a_folder_gets_fcs_files_and_everything_else(cellgan, fake, folder):
    result = cellgan("align", "a.h5ad", "b.h5ad", "--output", "run.1/")
    assert result.exit_code == 0, result.output
    files = ["a.fcs", "b.fcs", "aligned.model", "aligned.html", "aligned.json"]
    assert result.stdout.splitlines() == [f"run.1/{name}" for name in files]


def test_one_file_with_several_batches(cellgan, fake, folder):
    assert cellgan("align", "a.h5ad", "--batch-key", "day").exit_code == 0
    assert fake.calls[0]["batch_key"] == "day"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Missing argument"),
        (["a.h5ad"], "only one file was given"),
        (["a.h5ad", "b.h5ad", "--batch-key", "day"], "2 were given"),
        (["a.h5ad", "b.h5ad", "--rounds", "0"], "rounds is 0"),
        (["a.h5ad", "b.h5ad", "--rounds", "many"], "not a valid integer"),
        (["a.h5ad", "b.h5ad", "--cofactor", "nan"], "cofactor is nan"),
        (["a.h5ad", "b.h5ad", "--cofactor", "many"], "'many' is neither a number nor auto"),
        (["a.h5ad", "b.h5ad", "--cofactors", "nowhere.csv"], "nowhere.csv"),
        (["a.h5ad", "b.h5ad", "--method", "magic"], "'magic' is not one of"),
        (["a.h5ad", "b.h5ad", "--correspondence", "labels:"], "labels:KEY"),
        (["a.h5ad", "b.h5ad", "--markers", "CD3"], "only one marker"),
        (["a.h5ad", "b.h5ad", "--markers", " ,"], "names no marker"),
        (["a.h5ad", "b.h5ad", "--markers", "@nowhere.txt"], "nowhere.txt"),
        (["a.h5ad", "b.h5ad", "--output", "out.csv"], "ends in .h5ad"),
        (["a.h5ad", "b.h5ad", "--output", "out.fcs/"], "a folder with the name of a file"),
        (["a.h5ad", "b.h5ad", "--output", "out.h5ad/"], "a folder with the name of a file"),
        (["a.h5ad", "b.h5ad", "--report", "out.pdf"], "ends in .html"),
        (["a.h5ad", "b.h5ad", "--report", "o.html", "--no-report"], "opposite"),
        (["a.h5ad", "b.h5ad", "--model", "aligned.json"], "two results"),
        (["a.h5ad", "b.h5ad", "--colour", "red"], "No such option"),
    ],
)
def test_wrong_usage_ends_with_2_before_anything_runs(cellgan, fake, folder, words, said):
    result = cellgan("align", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""
    assert fake.calls == []
    assert sorted(path.name for path in folder.iterdir()) == ["a.h5ad", "b.h5ad"]


def test_errors_are_one_message_with_their_notes(cellgan, fake, folder):
    fake.raises = DivergedError("generator's term fool became NaN in round 12")
    fake.raises.add_note("file: b.h5ad")
    result = cellgan("align", "a.h5ad", "b.h5ad")
    assert result.exit_code == 1
    assert "Error: generator's term fool became NaN in round 12\nfile: b.h5ad\n" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_fault_of_ours_is_not_dressed_up_as_the_users(cellgan, fake, folder):
    fake.raises = ZeroDivisionError("oops")
    assert isinstance(cellgan("align", "a.h5ad", "b.h5ad").exception, ZeroDivisionError)


def test_ctrl_c_ends_with_130_and_a_short_line(cellgan, fake, folder):
    fake.raises = KeyboardInterrupt()
    result = cellgan("align", "a.h5ad", "b.h5ad")
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == "Stopped by Ctrl-C; no half-written file is left behind."
    assert result.stdout == ""
