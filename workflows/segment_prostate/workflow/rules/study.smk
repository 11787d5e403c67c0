# What this study is made of, checked before the first job.
include: "../../../sheets/study.smk"


validate(config, schema="../schemas/config.schema.yaml")


def beside(sheet, line, file):
    """Return where a sheet's file lies: paths are relative to the sheet, as in `cellgan segment`."""
    path = Path(os.path.normpath(Path(sheet).parent / file))
    if not path.is_file():
        raise WorkflowError(
            f"{sheet}, line {line}: there is no file {path}; paths are relative to the sheet's folder"
        )
    return str(path)


def channels(row):
    """Return the columns of a case's images, in the order of the sheet."""
    return [name for name in row if name and name.startswith("image") and row[name]]


CASES = [
    beside(config["cases"], line, row[column])
    for line, row in read_sheet(
        config["cases"], workflow.source_path("../schemas/cases.schema.yaml")
    )
    for column in (*channels(row), "mask")
]
NEW, TRUTH = {}, {}
for line, row in (
    read_sheet(config["new"], workflow.source_path("../schemas/new.schema.yaml"))
    if config["new"]
    else ()
):
    name = re.sub(r"\.nii(\.gz)?$", "", Path(row["image"]).name)
    if name in NEW:
        raise WorkflowError(
            f"{config['new']}, line {line}: there is a volume {name} above; masks go by the volumes' names, "
            "so give one of the files another"
        )
    NEW[name] = [beside(config["new"], line, row[column]) for column in channels(row)]
    if row.get("mask"):
        TRUTH[name] = beside(config["new"], line, row["mask"])


wildcard_constraints:
    volume=one_of(NEW),
    loss=one_of(config["compare"]),
