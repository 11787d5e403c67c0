# One job a batch. None knows of the others, so they may run in any order, anywhere, and again.
rule align:
    input:
        reference=BATCHES[REFERENCE],
        batch=lambda wildcards: BATCHES[wildcards.batch],
    output:
        cells=temp("results/batches/{batch}.h5ad"),
        model="results/batches/{batch}.model",
        numbers="results/batches/{batch}.json",
        page=report(
            "results/batches/{batch}.html",
            caption="../report/batch.rst",
            category="Batches",
            labels={"batch": "{batch}"},
        ),
    log:
        "logs/align/{batch}.log",
    benchmark:
        "benchmarks/align/{batch}.tsv"
    conda:
        "../envs/cellgan.yaml"
    threads: config["threads"]
    resources:
        mem_mb=memory_mb,
        runtime=runtime_minutes,
    params:
        flags=flags_of({"threads": config["threads"]} | config["align"]),
    shell:
        "cellgan align {input.reference:q} {input.batch:q} --output {output.cells:q} --no-impute"
        " {params.flags:q} --overwrite >{log:q} 2>&1"


rule join:
    input:
        cells=expand("results/batches/{batch}.h5ad", batch=OTHERS),
        numbers=expand("results/batches/{batch}.json", batch=OTHERS),
    output:
        cells="results/study.h5ad",
        numbers="results/study.json",
        page=report(
            "results/study.html", caption="../report/study.rst", category="Study"
        ),
    log:
        "logs/join.log",
    benchmark:
        "benchmarks/join.tsv"
    conda:
        "../envs/cellgan.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, input, attempt: attempt * int(1000 + input.size_mb),
        runtime=runtime_minutes,
    shell:
        "cellgan join {input.cells:q} --output {output.cells:q} --overwrite >{log:q} 2>&1"
