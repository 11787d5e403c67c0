# What this study is made of, checked before the first job.
include: "../../../sheets/study.smk"


validate(config, schema="../schemas/config.schema.yaml")

BATCHES = read_named(
    config["batches"], workflow.source_path("../schemas/batches.schema.yaml")
)
REFERENCE, OTHERS = choose_reference(BATCHES)
if len(OTHERS) < 2:
    raise WorkflowError(
        f"{config['batches']} lists {len(BATCHES)} batches; with fewer than three, `cellgan align` needs no workflow"
    )


wildcard_constraints:
    batch=one_of(OTHERS),
