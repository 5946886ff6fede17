# in:  results/protocols/{domain}/train.tsv and dev.tsv, results/protocols/eval/, results/audio/
# out: results/tracing/models/{task}/{detector}/seed{seed}/, results/tracing/scores/{task}/{detector}/seed{seed}.tsv;
#      results/tables/: tracing.csv, tracing_confusion.csv, tracing_intervals.csv of tasks with classes;
#      tracing_regression.csv, tracing_predictions.csv of regressions


rule train_tracer:
    """Train a detector's front-end and back-end to tell sources apart, or to predict a number that they have."""
    input:
        train=by_wildcards(TRACING.train_lists),
        dev=by_wildcards(TRACING.dev_lists),
        audio=by_wildcards(TRACING.of_training),
        code=provided_by_wildcards(INPUTS.code_of_detector),
        front_end=by_wildcards(TRACING.front_end),
    output:
        multiext(
            "results/tracing/models/{task}/{detector}/seed{seed}/",
            "weights.safetensors",
            "settings.json",
            "history.tsv",
        ),
    log:
        "logs/train_tracer/{task}.{detector}.seed{seed}.log",
    benchmark:
        "results/benchmarks/train_tracer/{task}.{detector}.seed{seed}.tsv"
    conda:
        "../envs/detectors.yaml"
    threads: GPUS.threads(GPUS.per_job())
    resources:
        gpu=GPUS.per_job(),
    params:
        settings=text_of(JOBS.train_tracer),
        folder=folder,
        results=above(6),
        device=PLACES.device,
    message:
        "Training {wildcards.detector} to trace {wildcards.task} (seed {wildcards.seed})"
    shell:
        "python -m codecfake step train-tracer --settings {params.settings:q} --train {input.train:q} --dev {input.dev:q}"
        " --audio {params.results:q}/audio --output {params.folder:q} --device {params.device} --gpus {resources.gpu}"
        " --threads {threads} --workers $(({threads} - 1)) 2>&1 | tee {log:q}"


rule trace:
    """Score the sources of all trials of a task."""
    input:
        model=multiext("results/tracing/models/{task}/{detector}/seed{seed}/", "weights.safetensors", "settings.json"),
        trained_on=by_wildcards(TRACING.train_lists),
        protocols=by_wildcards(TRACING.protocols),
        audio=by_wildcards(TRACING.of_scoring),
        code=provided_by_wildcards(INPUTS.code_of_detector),
        front_end=by_wildcards(TRACING.front_end),
    output:
        "results/tracing/scores/{task}/{detector}/seed{seed}.tsv",
    log:
        "logs/trace/{task}.{detector}.seed{seed}.log",
    benchmark:
        "results/benchmarks/trace/{task}.{detector}.seed{seed}.tsv"
    conda:
        "../envs/detectors.yaml"
    threads: GPUS.threads(GPUS.per_job())
    resources:
        gpu=GPUS.per_job(),
    params:
        model=model_folder,
        unseen=by_wildcards(TRACING.unseen),
        results=above(5),
        device=PLACES.device,
    message:
        "Tracing {wildcards.task} with {wildcards.detector} (seed {wildcards.seed})"
    shell:
        "python -m codecfake step trace --model {params.model:q}"
        " --protocols {input.protocols:q} --trained-on {input.trained_on:q} {params.unseen:q} --audio {params.results:q}/audio"
        " --output {output:q} --device {params.device} --gpus {resources.gpu}"
        " --threads {threads} --workers $(({threads} - 1)) 2>&1 | tee {log:q}"


rule tabulate_tracing:
    """Compute the tables of source tracing."""
    input:
        scores=TRACING.scores(),
        protocols=TRACING.all_protocols(),
    output:
        report_marks.tables_and_figures(TRACING.tables(), {}),
    log:
        "logs/tabulate_tracing.log",
    benchmark:
        "results/benchmarks/tabulate_tracing.tsv"
    conda:
        "../envs/data.yaml"
    params:
        settings=JOBS.tabulate_tracing().text,
        results=above(2),
    message:
        "Computing the tables of source tracing"
    shell:
        "python -m codecfake step tracing-tables --settings {params.settings:q} --scores {params.results:q}/tracing/scores"
        " --protocols {params.results:q}/protocols/eval"
        " --output {params.results:q}/tables 2>&1 | tee {log:q}"
