"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import pytest

import cellgan

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*ROOT.glob("cellgan/**/*.py"), *ROOT.glob("cli/cellgan_cli/**/*.py")])
WRITTEN = [*SOURCES, *sorted(ROOT.glob("tests/**/*.py")), *sorted(ROOT.glob("benchmarks/**/*.py"))]
NAMELESS = {"utils.py", "helpers.py", "base.py", "common.py", "misc.py"}


def names(path: Path) -> str:
    return str(path.relative_to(ROOT))


def calls(source: Path) -> set[str]:
    """Give the dotted names of everything that a file calls, such as ``torch.load`` or ``.backward``."""
    found = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found.add(f".{node.func.attr}")
            if isinstance(node.func.value, ast.Name):
                found.add(f"{node.func.value.id}.{node.func.attr}")
    return found


def imports(source: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_only_one_file_moves_networks():
    movers = {names(path) for path in SOURCES if calls(path) & {".backward", ".step"}}
    assert movers == {"cellgan/core/match.py"}


@pytest.mark.parametrize("path", SOURCES, ids=names)
def test_nothing_is_ever_unpickled(path):
    assert imports(path).isdisjoint({"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"})
    assert calls(path).isdisjoint({"torch.load", "torch.save", "np.load"})


@pytest.mark.parametrize("path", SOURCES, ids=names)
def test_names_say_what_lives_there(path):
    assert path.name not in NAMELESS


@pytest.mark.parametrize("path", WRITTEN, ids=names)
def test_files_stay_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300  # about 250, says the house


@pytest.mark.parametrize("path", SOURCES, ids=names)
def test_every_file_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def loaded_after(code: str) -> set[str]:
    code += "\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def test_importing_cellgan_loads_no_heavy_library():
    assert loaded_after("import cellgan").isdisjoint({"torch", "scanpy", "anndata", "numpy", "pandas"})


def test_listing_names_loads_no_heavy_library():
    assert loaded_after("import cellgan.segmentation\ndir(cellgan.segmentation)").isdisjoint(
        {"torch", "numpy"}
    )
    assert loaded_after("import cellgan\ndir(cellgan)\ncellgan.AlignConfig()").isdisjoint({"torch", "numpy"})


def test_public_names_are_all_there():
    for name in cellgan.__all__:
        assert getattr(cellgan, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'magic'"):
        _ = cellgan.magic


def test_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == cellgan.__version__


def test_only_options_that_anndata_sets_may_be_deprecated():
    warnings.warn("The 'mode.copy_on_write' option is deprecated. It has no impact.", DeprecationWarning, 2)
    with pytest.raises(DeprecationWarning):
        warnings.warn("mode.copy_on_write is deprecated", DeprecationWarning, 2)


def test_constraints_cover_every_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = {
        re.split(r"[<>=\[]", need)[0].lower()
        for need in [*project["dependencies"], *(need for own in extras.values() for need in own)]
    }
    pinned = {
        line.split("==")[0].lower()
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    }
    assert wanted - {"cellgan"} <= pinned


def test_every_dependency_is_used_and_everything_used_is_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[<>=\[]", need)[0] for need in project["dependencies"]}
    called = {"pillow": "PIL", "scikit-learn": "sklearn"}
    own = {*sys.stdlib_module_names, "cellgan", "cellgan_cli"}
    used = set().union(*(imports(path) for path in SOURCES)) - own
    assert used == {called.get(name, name) for name in declared}


def test_example_data_is_small():
    files = [path for path in (ROOT / "example_data").iterdir() if path.is_file()]
    assert {"batch1.h5ad", "batch2.h5ad"} <= {path.name for path in files}
    assert sum(path.stat().st_size for path in files) < 2_000_000


def commands(page: Path) -> list[str]:
    """Give every line of a page's shell examples."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_ci_runs_the_commands_of_the_readme():
    (pattern,) = re.findall(r"grep '(.*)' README.md", (ROOT / ".ci/run").read_text(encoding="utf-8"))
    setup = [line for line in commands(ROOT / "README.md") if re.search(pattern, line)]
    assert len(setup) == 2
    assert setup[0].endswith("cellgan align example_data/batch1.h5ad example_data/batch2.h5ad")
    assert "&& .venv/bin/pytest" in setup[1]


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))], ids=names)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))], ids=names)
def test_every_flag_in_a_page_exists(page):
    from cellgan_cli.main import cli

    inner = [
        nested for command in cli.commands.values() for nested in getattr(command, "commands", {}).values()
    ]
    every = [*cli.commands.values(), *inner]
    options = [option for command in every for option in command.params]
    flags = {flag for option in options for flag in (*option.opts, *option.secondary_opts)}
    for line in commands(page):
        if "cellgan " in line and "pip" not in line:
            used = set(re.findall(r"(?<!\S)(--?[a-z][a-z-]*)", line))
            assert used <= flags | {"--help", "--version"}, line
