# in:  results/models/, results/protocols/eval/{condition}.tsv, results/audio/
# out: results/scores/{model}/{condition}.tsv (and results/scored/{model}/, the same scores by source, for reuse);
#      results/tables/: eer.csv, confusion.csv, metrics.csv, eer_seeds.csv, comparisons.csv, cross_conditions.csv,
#      cross_corpora.csv, eer_groups.csv, speaker_errors.csv, held_out.csv, taxonomy.csv, ladder.csv (of laundering ladders), and
#      the tables and figures of the papers for which the experiment has values


rule score:
    """Score all conditions with one model; a trial is scored again only if the model or its audio changes."""
    input:
        model=multiext(f"results/models/{MODEL}/", "weights.safetensors", "settings.json"),
        trained_on=by_wildcards(INPUTS.lists_known_to),
        protocols=expand("results/protocols/eval/{condition}.tsv", condition=EXPERIMENT.conditions),
        audio=INPUTS.of_conditions(),
        code=provided_by_wildcards(INPUTS.code_of_detector),
        front_end=by_wildcards(INPUTS.stored.front_end_of_model),
    output:
        [f"results/scores/{MODEL}/{condition}.tsv" for condition in EXPERIMENT.conditions],
    log:
        "logs/score/{detector}.{training_set}.{strategy}.seed{seed}.log",
    benchmark:
        "results/benchmarks/score/{detector}.{training_set}.{strategy}.seed{seed}.tsv"
    conda:
        "../envs/detectors.yaml"
    threads: GPUS.threads(GPUS.per_job())
    resources:
        gpu=GPUS.per_job(),
    params:
        model=model_folder,
        folder=folder,
        results=above(6),
        kept=f"results/scored/{MODEL}",  # local, for the next time on this machine; no other rule depends on it
        device=PLACES.device,
    message:
        "Scoring with {wildcards.detector}/{wildcards.training_set}/{wildcards.strategy}/seed{wildcards.seed}"
    shell:
        "python -m codecfake step score-conditions --model {params.model:q} --protocols {input.protocols:q}"
        " --trained-on {input.trained_on:q} --audio {params.results:q}/audio"
        " --output {params.folder:q} --kept {params.kept:q} --device {params.device} --gpus {resources.gpu}"
        " --threads {threads} --workers $(({threads} - 1)) 2>&1 | tee {log:q}"


rule tables:
    """All tables and figures; without audio, those that need only score files and protocols."""
    input:
        PAPERS.files(),
        [] if INPUTS.has_scores_alone() else PAPERS.spectrograms(),
    localrule: True


rule tabulate:
    """Compute the tables from score files, and draw the figures."""
    input:
        scores=expand(
            "results/scores/{model}/{condition}.tsv",
            model=EXPERIMENT.model_names(),
            condition=EXPERIMENT.conditions,
        ),
        protocols=expand("results/protocols/eval/{condition}.tsv", condition=EXPERIMENT.conditions),
        counted=PAPERS.protocols(),
        histories=PAPERS.histories(),
        published=provided(PAPERS.sources()),
    output:
        report_marks.tables_and_figures(PAPERS.files(), PAPERS.captions),
    log:
        "logs/tabulate.log",
    benchmark:
        "results/benchmarks/tabulate.tsv"
    conda:
        "../envs/data.yaml"
    threads: 4
    params:
        settings=JOBS.tabulate().text,
        published=published_folder,
        results=above(2),
    message:
        "Computing the tables"
    shell:
        "python -m codecfake step tables --settings {params.settings:q} --scores {params.results:q}/scores"
        " --protocols {params.results:q}/protocols --models {params.results:q}/models"
        " --published {params.published:q} --output {params.results:q}/tables --workers {threads} 2>&1 | tee {log:q}"


rule draw_spectrograms:
    """Draw the spectrograms of one utterance per corpus through every codec, as in Fig. 2 of Xie et al. 2025."""
    input:
        protocol=f"results/protocols/eval/{next(iter(EXPERIMENT.conditions))}.tsv",
        audio=INPUTS.of_spectrograms(),
    output:
        report_marks.tables_and_figures(PAPERS.spectrograms(), {}),
    log:
        "logs/draw_spectrograms.log",
    benchmark:
        "results/benchmarks/draw_spectrograms.tsv"
    conda:
        "../envs/data.yaml"
    params:
        settings=JOBS.draw_spectrograms().text,
        folder=folder,
        results=above(3),
    message:
        "Drawing spectrograms"
    shell:
        "python -m codecfake step spectrograms --settings {params.settings:q} --audio {params.results:q}/audio"
        " --protocol {input.protocol:q} --output {params.folder:q} 2>&1 | tee {log:q}"
