# What this study is made of, checked before the first job.
include: "../../../sheets/study.smk"


validate(config, schema="../schemas/config.schema.yaml")


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
    name = volume_name(row)
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
