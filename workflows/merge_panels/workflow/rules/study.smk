# What this study is made of, checked before the first job.
include: "../../../sheets/study.smk"


validate(config, schema="../schemas/config.schema.yaml")

PANELS = read_named(
    config["panels"], workflow.source_path("../schemas/panels.schema.yaml")
)
REFERENCE, OTHERS = choose_reference(PANELS)
if not OTHERS:
    raise WorkflowError(
        f"{config['panels']} lists one file; panels are merged from two on"
    )


wildcard_constraints:
    panel=one_of(OTHERS),
