"""One row of the table: a method run on a pair's batches in a process of its own, and scored in another."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from methods import METHODS, Method
from process import THREADS, Run, run

HERE = Path(__file__).parent
PYTHON = Path(sys.executable)
OURS = METHODS[-1]


@dataclass(frozen=True)
class Row:
    """What a method did on one pair.

    Attributes
    ----------
    pair, method
        Their titles.
    seconds
        Wall time of the whole process: start, imports, reading, correcting, writing.
    correction_seconds
        Wall time of the correction alone.
    megabytes
        Largest resident memory of the whole process.
    figures
        What `score.py` gives; empty if the pair is not scored.
    failure
        Why there is no result; empty if there is one.
    """

    pair: str
    method: str
    seconds: float | None = None
    correction_seconds: float | None = None
    megabytes: float | None = None
    figures: dict[str, float | None] | None = None
    failure: str = ""


@dataclass(frozen=True)
class Setting:
    """How rows are made: our command, seconds until a method is ended, and the seed of everything."""

    cellgan: Path
    timeout: float
    seed: int


def script(name: str, *words: object, setting: Setting, python: Path = PYTHON) -> Run:
    """Run one of the scripts beside this file."""
    return run(python, HERE / name, *words, "--seed", setting.seed, timeout=setting.timeout)


def align(folder: Path, setting: Setting) -> Run:
    """Run our command on a pair's batches, without its report: no other method writes one."""
    files = folder / "reference.h5ad", folder / "other.h5ad"
    flags = ["--transform", "none", "--no-report", "--threads", THREADS, "--seed", setting.seed]
    out = folder / f"{OURS.name}.h5ad"
    return run(
        setting.cellgan, "align", *files, "--output", out, "--overwrite", *flags, timeout=setting.timeout
    )


def correction_seconds(method: Method, folder: Path, setting: Setting) -> float | None:
    """Read how long the correction alone took; ours is run once more for that, from Python."""
    if method is OURS:
        beside = folder / "from_python"
        beside.mkdir(exist_ok=True)
        for role in ("reference", "other"):
            (beside / f"{role}.h5ad").symlink_to((folder / f"{role}.h5ad").resolve())
        python = setting.cellgan.parent / "python"
        if script("correct.py", method.name, beside, setting=setting, python=python).failure:
            return None
        folder = beside
    told = json.loads((folder / f"{method.name}.json").read_text(encoding="utf-8"))
    return float(told["seconds"])


def run_method(method: Method, folder: Path, pair: str, setting: Setting, *, scored: bool) -> Row:
    """Run a method on the batches that lie in `folder`, and score it."""
    if method is OURS:
        done = align(folder, setting)
    else:
        done = script("correct.py", method.name, folder, setting=setting)
    if done.failure:
        return Row(pair, method.title, failure=done.failure)
    alone = correction_seconds(method, folder, setting)
    figures: dict[str, float | None] = {}
    if scored:
        told = folder / f"{method.name}_score.json"
        aligned = folder / f"{method.name}.h5ad"
        judged = script("score.py", folder, aligned, "--output", told, setting=setting)
        if judged.failure:
            return Row(
                pair,
                method.title,
                done.seconds,
                alone,
                done.megabytes,
                failure=f"its score: {judged.failure}",
            )
        figures = json.loads(told.read_text(encoding="utf-8"))
    return Row(pair, method.title, done.seconds, alone, done.megabytes, figures)


def chosen(names: Sequence[str]) -> list[Method]:
    """Give the methods with these names, or all if none is named."""
    return [method for method in METHODS if not names or method.name in names]
