# in:  results/protocols/{domain}/train.tsv and dev.tsv, results/protocols/eval/, results/audio/
# out: results/feature_lists/{store}/{corpus}/{source}.tsv, lists of the files with stored features, in results/features/;
#      results/models/{detector}/{training_set}/{strategy}/seed{seed}/, results/audit/lists/{training_set}.tsv


rule check_lists:
    """Check before any training that training data contains no evaluation trials."""
    input:
        train=by_wildcards(INPUTS.train_lists),
        dev=by_wildcards(INPUTS.dev_lists),
        judged=expand("results/protocols/eval/{condition}.tsv", condition=EXPERIMENT.conditions),
    output:
        "results/audit/lists/{training_set}.tsv",
    log:
        "logs/check_lists/{training_set}.log",
    benchmark:
        "results/benchmarks/check_lists/{training_set}.tsv"
    conda:
        "../envs/data.yaml"
    params:
        below=above(4),
    message:
        "Checking the lists of {wildcards.training_set} against every condition"
    shell:
        "python -m codecfake step check-lists --lists {input.train:q} {input.dev:q} --judged {input.judged:q}"
        " --output {output:q} --below {params.below:q} 2>&1 | tee {log:q}"


rule extract_features:
    """Compute the features of one source, once for all trainings with this front-end (`cache_features: disk`)."""
    input:
        protocols=by_wildcards(INPUTS.of_extraction),
        audio="results/audio/{corpus}/{source}/shards.tsv",
        front_end=provided_by_wildcards(INPUTS.front_end_of_store),
    output:
        # `update`: if an old list were gone when a job is killed, Snakemake would repeat all trainings
        update("results/feature_lists/{store}/{corpus}/{source}.tsv"),
    log:
        "logs/extract_features/{store}.{corpus}.{source}.log",
    benchmark:
        "results/benchmarks/extract_features/{store}.{corpus}.{source}.tsv"
    priority: 1  # before trainings that compute their features, because others wait for these
    conda:
        "../envs/detectors.yaml"
    threads: GPUS.threads(GPUS.per_job())
    resources:
        gpu=GPUS.per_job(),
    params:
        settings=text_of(JOBS.extract_features),
        results=above(4),
        device=PLACES.device,
    message:
        "Features of {wildcards.corpus}/{wildcards.source} ({wildcards.store})"
    shell:
        "python -m codecfake step extract-features --settings {params.settings:q} --protocols {input.protocols:q}"
        " --corpus {wildcards.corpus:q} --source {wildcards.source:q} --audio {params.results:q}/audio"
        " --feature-cache results/features --output {output:q} --device {params.device} --gpus {resources.gpu}"
        " --threads {threads} --workers $(({threads} - 1)) 2>&1 | tee {log:q}"


rule train_detector:
    """Train a detector and keep the epoch that `select` chooses. Threads beyond the first decode audio.

    The cache of features is local: no other rule depends on it.
    """
    input:
        train=by_wildcards(INPUTS.train_lists),
        dev=by_wildcards(INPUTS.dev_lists),
        audio=by_wildcards(INPUTS.of_training),
        code=provided_by_wildcards(INPUTS.code_of_training),
        front_end=by_wildcards(INPUTS.front_end_of_model),
        # `ancient`: features that are computed again are the same, and what they are made from is an input too. Lists stay
        # when features are deleted, because Snakemake repeats a finished job whose ancient input is missing
        features=ancient(by_wildcards(INPUTS.features_of_training)),
        # `ancient`: a new condition repeats this check, but no training
        checked=ancient("results/audit/lists/{training_set}.tsv"),
    output:
        multiext(
            "results/models/{detector}/{training_set}/{strategy}/seed{seed}/",
            "weights.safetensors",
            "settings.json",
            "history.tsv",
            "calibration.json",
        ),
    log:
        "logs/train_detector/{detector}.{training_set}.{strategy}.seed{seed}.log",
    benchmark:
        "results/benchmarks/train_detector/{detector}.{training_set}.{strategy}.seed{seed}.tsv"
    wildcard_constraints:
        training_set=TRAINING_SETS,
    conda:
        "../envs/detectors.yaml"
    threads: GPUS.threads(GPUS.per_job())
    resources:
        gpu=GPUS.per_job(),
    params:
        settings=text_of(JOBS.train_detector),
        folder=folder,
        results=above(6),
        device=PLACES.device,
    message:
        "Training {wildcards.detector} on {wildcards.training_set} ({wildcards.strategy}, seed {wildcards.seed})"
    shell:
        "python -m codecfake step train --settings {params.settings:q} --train {input.train:q} --dev {input.dev:q}"
        " --audio {params.results:q}/audio --output {params.folder:q} --device {params.device} --gpus {resources.gpu}"
        " --threads {threads} --workers $(({threads} - 1)) --feature-cache results/features 2>&1 | tee {log:q}"
