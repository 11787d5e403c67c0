rule crossval:
    input:
        cases=config["cases"],
        files=CASES,
    output:
        table=report(
            "results/crossval/{loss}/table.txt",
            caption="../report/crossval.rst",
            category="What to expect of new cases",
            labels={"loss": "{loss}"},
        ),
        numbers="results/crossval/{loss}/scores.json",
        scores="results/crossval/{loss}/scores.csv",
    log:
        "logs/crossval/{loss}.log",
    benchmark:
        "benchmarks/crossval/{loss}.tsv"
    conda:
        "../envs/cellgan.yaml"
    threads: config["threads"]
    resources:
        mem_mb=memory_mb,
        runtime=runtime_minutes,
    params:
        folder=subpath(output.scores, parent=True),
        flags=flags_of(config["train"] | config["crossval"]),
    shell:
        "OMP_NUM_THREADS={threads} cellgan segment crossval {input.cases:q} --output {params.folder:q}"
        " --loss {wildcards.loss} {params.flags:q} --overwrite >{output.table:q} 2>{log:q}"


rule train:
    input:
        cases=config["cases"],
        files=CASES,
    output:
        weights="results/model/model.safetensors",
        about="results/model/model.json",
        losses="results/model/losses.json",
    log:
        "logs/train.log",
    benchmark:
        "benchmarks/train.tsv"
    conda:
        "../envs/cellgan.yaml"
    threads: config["threads"]
    resources:
        mem_mb=memory_mb,
        runtime=runtime_minutes,
    params:
        folder=subpath(output.weights, parent=True),
        flags=flags_of(config["train"] | {"loss": config["loss"]}),
    shell:
        "OMP_NUM_THREADS={threads} cellgan segment train {input.cases:q} --output {params.folder:q}"
        " {params.flags:q} --overwrite >{log:q} 2>&1"


# One job a volume.
rule predict:
    input:
        model="results/model/model.safetensors",
        about="results/model/model.json",
        images=lambda wildcards: NEW[wildcards.volume],
    output:
        mask="results/masks/{volume}_mask.nii.gz",
        probability="results/masks/{volume}_probability.nii.gz",
        uncertainty="results/masks/{volume}_uncertainty.nii.gz",
        doubts="results/masks/{volume}_mask.json",
    log:
        "logs/predict/{volume}.log",
    benchmark:
        "benchmarks/predict/{volume}.tsv"
    conda:
        "../envs/cellgan.yaml"
    threads: config["threads"]
    resources:
        mem_mb=memory_mb,
        runtime=runtime_minutes,
    params:
        model=subpath(input.model, parent=True),
        folder=subpath(output.mask, parent=True),
    shell:
        "OMP_NUM_THREADS={threads} cellgan segment predict {params.model:q} {input.images:q}"
        " --output {params.folder:q} --uncertainty --overwrite >{log:q} 2>&1"


rule evaluate:
    input:
        mask="results/masks/{volume}_mask.nii.gz",
        probability="results/masks/{volume}_probability.nii.gz",
        truth=lambda wildcards: TRUTH[wildcards.volume],
    output:
        table=report(
            "results/scores/{volume}.txt",
            caption="../report/scores.rst",
            category="New volumes",
            labels={"volume": "{volume}"},
        ),
        numbers="results/scores/{volume}.json",
    log:
        "logs/evaluate/{volume}.log",
    benchmark:
        "benchmarks/evaluate/{volume}.tsv"
    conda:
        "../envs/cellgan.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb,
        runtime=runtime_minutes,
    shell:
        "cellgan segment evaluate {input.mask:q} {input.truth:q} --json {output.numbers:q} --overwrite"
        " >{output.table:q} 2>{log:q}"
