rule train:
    input:
        cases=config["source"],
        files=SOURCE,
    output:
        weights="results/source/model.safetensors",
        about="results/source/model.json",
        losses="results/source/losses.json",
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
        flags=flags_of(config["train"]),
    shell:
        "OMP_NUM_THREADS={threads} cellgan segment train {input.cases:q} --output {params.folder:q}"
        " {params.flags:q} --overwrite >{log:q} 2>&1"


# One job a site. None knows of the others.
rule adapt:
    input:
        model="results/source/model.safetensors",
        about="results/source/model.json",
        source=config["source"],
        files=SOURCE,
        targets=lambda wildcards: SITES[wildcards.site].sheet,
        images=lambda wildcards: sum(SITES[wildcards.site].volumes.values(), []),
    output:
        weights="results/{site}/model/model.safetensors",
        about="results/{site}/model/model.json",
        page=report(
            "results/{site}/model/report.html",
            caption="../report/site.rst",
            category="Sites",
            labels={"site": "{site}"},
        ),
    log:
        "logs/adapt/{site}.log",
    benchmark:
        "benchmarks/adapt/{site}.tsv"
    conda:
        "../envs/cellgan.yaml"
    threads: config["threads"]
    resources:
        mem_mb=memory_mb,
        runtime=runtime_minutes,
    params:
        model=subpath(input.model, parent=True),
        folder=subpath(output.weights, parent=True),
        flags=flags_of(config["adapt"]),
    shell:
        "OMP_NUM_THREADS={threads} cellgan adapt volumes {params.model:q} {input.targets:q}"
        " --source {input.source:q} --output {params.folder:q} {params.flags:q} --overwrite >{log:q} 2>&1"


rule predict:
    input:
        model="results/{site}/model/model.safetensors",
        about="results/{site}/model/model.json",
        images=lambda wildcards: SITES[wildcards.site].volumes[wildcards.volume],
    output:
        mask="results/{site}/masks/{volume}_mask.nii.gz",
        doubts="results/{site}/masks/{volume}_mask.json",
    log:
        "logs/predict/{site}/{volume}.log",
    benchmark:
        "benchmarks/predict/{site}/{volume}.tsv"
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
        " --output {params.folder:q} --overwrite >{log:q} 2>&1"


# Where a site has masks after all: they were not looked at until here.
rule evaluate:
    input:
        masks=lambda wildcards: expand(
            "results/{site}/masks/{volume}_mask.nii.gz",
            site=wildcards.site,
            volume=SITES[wildcards.site].volumes,
        ),
        targets=lambda wildcards: SITES[wildcards.site].sheet,
        truth=lambda wildcards: SITES[wildcards.site].masks,
    output:
        table=report(
            "results/{site}/scores.txt",
            caption="../report/scores.rst",
            category="Scores",
            labels={"site": "{site}"},
        ),
        scores="results/{site}/scores.csv",
    log:
        "logs/evaluate/{site}.log",
    benchmark:
        "benchmarks/evaluate/{site}.tsv"
    conda:
        "../envs/cellgan.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb,
        runtime=runtime_minutes,
    params:
        folder=lambda wildcards: f"results/{wildcards.site}/masks",
    shell:
        "cellgan segment evaluate {params.folder:q} {input.targets:q} --csv {output.scores:q} --overwrite"
        " >{output.table:q} 2>{log:q}"
