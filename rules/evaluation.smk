# in:  results/models/, results/protocols/eval/{condition}.tsv, results/audio/
# out: results/scores/{model}/{condition}.tsv, results/tables/eer.csv and confusion.csv

MODEL = "{detector}/{training_set}/{strategy}/seed{seed}"


rule score:
    """Score every condition with one model; a trial of several conditions is scored once."""
    input:
        model=multiext(f"results/models/{MODEL}/", "weights.safetensors", "settings.json"),
        trained_on=partial(partitions, "train"),
        protocols=expand("results/protocols/eval/{condition}.tsv", condition=EXPERIMENT.conditions),
        audio=shards_of(
            pair for condition in EXPERIMENT.conditions for pair in EXPERIMENT.audio_of_condition(condition)
        ),
    output:
        [f"results/scores/{MODEL}/{condition}.tsv" for condition in EXPERIMENT.conditions],
    log:
        "logs/score/{detector}.{training_set}.{strategy}.seed{seed}.log",
    conda:
        "../envs/detectors.yaml"
    params:
        model=model_folder,
        folder=folder,
        device=SITE.device,
    message:
        "Scoring with {wildcards.detector}/{wildcards.training_set}/{wildcards.strategy}/seed{wildcards.seed}"
    shell:
        "python -m codecfake score-conditions --model {params.model:q} --protocols {input.protocols:q}"
        " --trained-on {input.trained_on:q} --audio results/audio"
        " --output {params.folder:q} --device {params.device} --threads {threads} 2>&1 | tee {log:q}"


rule tables:
    """Equal error rates and confusion counts of every model and condition, from score files alone."""
    input:
        expand("results/tables/{table}.csv", table=("eer", "confusion")),


rule tabulate:
    """Compute the tables."""
    input:
        scores=expand(
            "results/scores/{model}/{condition}.tsv",
            model=EXPERIMENT.model_names(),
            condition=EXPERIMENT.conditions,
        ),
        protocols=expand("results/protocols/eval/{condition}.tsv", condition=EXPERIMENT.conditions),
    output:
        expand("results/tables/{table}.csv", table=("eer", "confusion")),
    log:
        "logs/tabulate.log",
    conda:
        "../envs/data.yaml"
    params:
        settings=as_json(
            {
                "models": EXPERIMENT.model_names(),
                "conditions": list(EXPERIMENT.conditions),
            }
        ),
    message:
        "Computing the tables"
    shell:
        "python -m codecfake tables --settings {params.settings:q} --scores results/scores"
        " --protocols results/protocols/eval --output results/tables 2>&1 | tee {log:q}"
