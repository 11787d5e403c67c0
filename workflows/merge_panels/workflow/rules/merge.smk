# What a panel lacks may be learned from any other, so the table is one job. The proofs are a job each.
rule merge:
    input:
        reference=PANELS[REFERENCE],
        others=[PANELS[name] for name in OTHERS],
    output:
        cells="results/merged.h5ad",
        model="results/merged.model",
        numbers="results/merged.json",
        page=report(
            "results/merged.html",
            caption="../report/merged.rst",
            category="Merged panels",
        ),
    log:
        "logs/merge.log",
    benchmark:
        "benchmarks/merge.tsv"
    conda:
        "../envs/cellgan.yaml"
    threads: config["threads"]
    resources:
        mem_mb=memory_mb,
        runtime=runtime_minutes,
    params:
        flags=flags_of(
            {"threads": config["threads"]} | config["align"] | config["impute"]
        ),
    shell:
        "cellgan align {input.reference:q} {input.others:q} --output {output.cells:q}"
        " {params.flags:q} --overwrite >{log:q} 2>&1"


rule validate:
    input:
        reference=PANELS[REFERENCE],
        other=lambda wildcards: PANELS[wildcards.panel],
    output:
        table="results/validation/{panel}.csv",
        numbers="results/validation/{panel}.json",
        page=report(
            "results/validation/{panel}.html",
            caption="../report/validation.rst",
            category="Which imputed markers to believe",
            labels={"panel": "{panel}"},
        ),
    log:
        "logs/validate/{panel}.log",
    benchmark:
        "benchmarks/validate/{panel}.tsv"
    conda:
        "../envs/cellgan.yaml"
    threads: config["threads"]
    resources:
        mem_mb=memory_mb,
        runtime=runtime_minutes,
    params:
        flags=flags_of(
            {"jobs": config["threads"]} | config["align"] | config["validate"]
        ),
    shell:
        "cellgan validate {input.reference:q} {input.other:q} --report {output.page:q}"
        " {params.flags:q} --csv --overwrite >{output.table:q} 2>{log:q}"
