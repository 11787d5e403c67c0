"""Parts of a run that was stopped."""

from __future__ import annotations

import pytest

from cellgan.cytof.kept_parts import KeptParts
from cellgan.errors import OutputError

RUN = {"inputs": ["ab", "cd"], "config": {"seed": 0}}


@pytest.fixture
def kept(tmp_path):
    found = KeptParts.beside(tmp_path / "validation.html")
    assert found.folder == tmp_path / "validation.parts"
    return found


def test_the_same_run_finds_its_parts(kept):
    assert kept.open(RUN) == {}
    kept.keep(3, {"r": 0.1, "missing": float("nan")})
    kept.keep(12, {"r": 0.30000000000000004})
    again = kept.open(RUN)
    assert again[12] == {"r": 0.30000000000000004}
    assert again[3]["r"] == 0.1
    assert again[3]["missing"] != again[3]["missing"]


@pytest.mark.parametrize("other", [RUN | {"inputs": ["ab", "ce"]}, RUN | {"config": {"seed": 1}}, {}])
def test_another_run_begins_anew(kept, other):
    kept.open(RUN)
    kept.keep(3, {"r": 0.1})
    assert kept.open(other) == {}
    assert kept.open(RUN) == {}


def test_what_is_damaged_or_was_half_written_is_done_again(kept):
    kept.open(RUN)
    kept.keep(1, {"r": 1})
    kept.keep(2, {"r": 2})
    (kept.folder / "part_0001.json").write_text('{"r":')
    (kept.folder / ".part_0003-0123abcd.part.json").write_text("{")
    assert kept.open(RUN) == {2: {"r": 2}}
    kept.remove()
    assert not kept.folder.exists()


def test_a_folder_of_somebody_else_is_left_alone(kept):
    kept.folder.mkdir()
    (kept.folder / "thesis.tex").write_text("chapter 1")
    with pytest.raises(OutputError, match=r"holds thesis.tex: move that away"):
        kept.open(RUN)
    assert (kept.folder / "thesis.tex").read_text() == "chapter 1"
