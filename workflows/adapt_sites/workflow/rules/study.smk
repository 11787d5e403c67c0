# What this study is made of, checked before the first job.
from types import SimpleNamespace


include: "../../../sheets/study.smk"


validate(config, schema="../schemas/config.schema.yaml")


def read_site(sheet):
    """Return a site's volumes by name, each with its channels, and whether all have masks to score by."""
    volumes, masks = {}, []
    rows = read_sheet(sheet, workflow.source_path("../schemas/targets.schema.yaml"))
    for line, row in rows:
        name = volume_name(row)
        if name in volumes:
            raise WorkflowError(
                f"{sheet}, line {line}: there is a volume {name} above; masks go by the volumes' names, "
                "so give one of the files another"
            )
        volumes[name] = [beside(sheet, line, row[column]) for column in channels(row)]
        masks += [beside(sheet, line, row["mask"])] if row.get("mask") else []
    return SimpleNamespace(
        sheet=sheet, volumes=volumes, masks=masks if len(masks) == len(rows) else []
    )


SOURCE = [
    beside(config["source"], line, row[column])
    for line, row in read_sheet(
        config["source"], workflow.source_path("../schemas/cases.schema.yaml")
    )
    for column in (*channels(row), "mask")
]
SITES = {}
for line, row in read_sheet(
    config["sites"], workflow.source_path("../schemas/sites.schema.yaml")
):
    if row["site"] in SITES:
        raise WorkflowError(
            f"{config['sites']}, line {line}: the site {row['site']} is listed above; give each once"
        )
    SITES[row["site"]] = read_site(beside(config["sites"], line, row["cases"]))
SCORED = [site for site in SITES if SITES[site].masks]


wildcard_constraints:
    site=one_of(SITES),
    volume=one_of({name for site in SITES.values() for name in site.volumes}),
