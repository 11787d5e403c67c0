"""Studies to run workflows on: copies of each one's own test. `.ci/run` runs them with an installed wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

WORKFLOWS = Path(__file__).parents[2] / "workflows"
NAMES = ("adapt_sites", "align_batches", "merge_panels", "segment_prostate")


def installed(tool: str) -> str:
    """Return the tool beside this Python, or skip."""
    path = Path(sys.executable).with_name(tool)
    if not path.exists():
        pytest.skip(f"needs {tool}: pip install 'cellgan[workflows]'")
    return str(path)


@dataclass(frozen=True)
class Study:
    """A folder with a study in it, and the workflow that it goes through."""

    folder: Path
    snakefile: Path

    def command(self, *words: object) -> list[str]:
        return [
            installed("snakemake"), "-s", str(self.snakefile), "-d", str(self.folder), *map(str, words)
        ]  # fmt: skip

    def run(self, *words: object, code: int = 0) -> str:
        """Run snakemake, expect it to end with `code`, and return all that it said."""
        done = subprocess.run(
            self.command(*words),
            check=False,
            capture_output=True,
            text=True,
            timeout=900,
            env=environment(),
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, said + self.logs()
        return said

    def logs(self) -> str:
        return "".join(path.read_text() for path in self.folder.glob("logs/**/*.log"))

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")


def environment() -> dict[str, str]:
    """Give jobs the `cellgan` that is installed beside this Python, and one thread each."""
    here = str(Path(sys.executable).parent)
    told = {"PATH": f"{here}{os.pathsep}{os.environ['PATH']}", "OMP_WAIT_POLICY": "PASSIVE"}
    return {**os.environ, **told, "OMP_NUM_THREADS": "1"}


@pytest.fixture
def study(tmp_path):
    """Make a study of the workflow's own test."""

    def make(name: str, folder: str = "study") -> Study:
        installed("snakemake")
        shutil.copytree(WORKFLOWS / name / ".test", tmp_path / folder)
        return Study(tmp_path / folder, WORKFLOWS / name / "workflow/Snakefile")

    return make
