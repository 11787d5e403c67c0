"""A stand-in for the alignment, so that the command line's own behaviour is tested in milliseconds."""

from __future__ import annotations

import copy
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from cellgan_cli.main import cli

REPORT = {
    "batches": [
        {
            "batch": "b",
            "reference": "a",
            "verdict": {"level": "good", "text": "Types match."},
            "warnings": ["CD3 got worse"],
        }
    ],
    "warnings": ["few cells"],
}


class FakeAlignment:
    """Writes a line wherever an alignment would write a file."""

    def __init__(self, report: dict) -> None:
        self.report = report

    def write(self, path: Path, *, overwrite: bool = False) -> list[Path]:
        assert overwrite
        if path.suffix == ".h5ad":
            path.write_text("cells")
            return [path]
        files = [path / "a.fcs", path / "b.fcs"]
        for file in files:
            file.write_text("cells")
        return files

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        assert overwrite
        path.write_text("model")

    def write_report(self, path: Path, *, overwrite: bool = False) -> None:
        assert overwrite
        path.write_text("page")
        path.with_suffix(".json").write_text("{}")


class FakeModule(ModuleType):
    """The module that `cellgan align` imports last, with a note of what it was called with."""

    def __init__(self) -> None:
        super().__init__("cellgan.cytof.align")
        self.calls: list[dict] = []
        self.raises: BaseException | None = None
        self.report = copy.deepcopy(REPORT)

    def align_files(
        self, paths, config, *, batch_key=None, anchors=None, rename=None, progress=None, say=None
    ):
        call = {"paths": list(paths), "config": config, "batch_key": batch_key}
        call |= {"anchors": anchors, "rename": rename}
        self.calls.append(call)
        if say is not None:
            say("read 2 batches")
        if progress is not None:
            progress("playing", 0.5)
        if self.raises is not None:
            raise self.raises
        return FakeAlignment(self.report)


@pytest.fixture
def fake(monkeypatch):
    module = FakeModule()
    monkeypatch.setitem(sys.modules, "cellgan.cytof.align", module)
    return module


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder with two files in it that nobody will open."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.h5ad", "b.h5ad"):
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.fixture
def cellgan(monkeypatch):
    """Run the command line in this process, leaving its environment as it was."""
    environment = dict(os.environ)

    def run(*words: object) -> Result:
        return CliRunner().invoke(cli, [str(word) for word in words])

    yield run
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
