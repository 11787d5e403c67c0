# What all workflows share: sheets that are checked line by line, settings as flags, and what a job asks for.
import csv
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from snakemake.exceptions import WorkflowError
from snakemake.utils import validate


def read_sheet(path, schema):
    """Return the rows of a .csv sheet, with the line that each stands on.

    `schema` describes a row; what is not as it says is told with sheet, line and column.
    """
    if not Path(path).is_file():
        raise WorkflowError(f"there is no sheet {path}: see config/README.md for one")
    with open(path, encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file)
        rows = [(table.line_num, row) for row in table]
    if not rows:
        raise WorkflowError(f"{path} has no rows: give a line for each file")
    with open(schema, encoding="utf-8") as file:
        check = Draft202012Validator(yaml.safe_load(file))
    for line, row in rows:
        given = {key: value for key, value in row.items() if key and value}
        for error in check.iter_errors(given):
            where = f", column {error.path[0]}" if error.path else ""
            raise WorkflowError(f"{path}, line {line}{where}: {error.message}")
    return rows


def read_named(path, schema, column="file", suffixes=(".h5ad", ".fcs")):
    """Return the files of a sheet by name: the file's, without the ending, as cellgan calls a batch."""
    found, lines = {}, {}
    for line, row in read_sheet(path, schema):
        file = row[column]
        name = next(
            (Path(file).name[: -len(s)] for s in suffixes if file.lower().endswith(s)),
            file,
        )
        if not Path(file).is_file():
            raise WorkflowError(
                f"{path}, line {line}: there is no file {file}; paths are relative to the study's folder"
            )
        if name in found:
            raise WorkflowError(
                f"{path}, line {line}: the name {name} is also on line {lines[name]}; results go by the "
                "files' names, so give one of the files another"
            )
        found[name], lines[name] = file, line
    return found


def beside(sheet, line, file):
    """Return where a sheet's file lies: paths are relative to the sheet, as in `cellgan segment`."""
    path = Path(os.path.normpath(Path(sheet).parent / file))
    if not path.is_file():
        raise WorkflowError(
            f"{sheet}, line {line}: there is no file {path}; paths are relative to the sheet's folder"
        )
    return str(path)


def volume_name(row):
    """Return what a row's masks are called after: its first image."""
    return re.sub(r"\.nii(\.gz)?$", "", Path(row["image"]).name)


def channels(row):
    """Return the columns of a case's images, in the order of the sheet."""
    return [name for name in row if name and name.startswith("image") and row[name]]


def choose_reference(files):
    """Return the name of the reference, and those of all others."""
    name = config["reference"]
    if name not in files:
        raise WorkflowError(
            f"the config's reference is {name!r}, but the sheet lists {', '.join(files)}: name one of these"
        )
    return name, [other for other in files if other != name]


def one_of(names):
    """Return a pattern of exactly these names."""
    return "|".join(re.escape(name) for name in names)


def flags_of(settings):
    """Return settings as flags of a command; `true` and `false` are --name and --no-name.

    Threads are the config's, not those that Snakemake leaves a job on a smaller machine: with fewer, other
    bytes would come out.
    """
    flags = []
    for name, value in settings.items():
        switch = {True: [f"--{name}"], False: [f"--no-{name}"]}
        flags += switch[value] if isinstance(value, bool) else [f"--{name}", str(value)]
    return flags


def memory_mb(wildcards, input, attempt):
    """Ask for what loading the files takes, and for more after each failure."""
    memory = config["memory"]
    return attempt * int(memory["base_mb"] + memory["times_size"] * input.size_mb)


def runtime_minutes(wildcards, input, attempt):
    """Ask for a while that grows with the files, and for longer after each failure."""
    return attempt * int(
        config["runtime"]["base_minutes"]
        + config["runtime"]["minutes_per_mb"] * input.size_mb
    )
