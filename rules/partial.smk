# in:  results/audio/{corpus}/, results/protocols/eval/, results/models/
# out: results/audio/{corpus}/{source}/{shard}.tar and .parquet of partial fakes, results/spans/{corpus}/{source}.tsv;
#      results/segments/{model}.tsv, scores by segment; results/tables/partial.csv


rule splice:
    """Replace spans of recordings by their coded form, with the same spans for every codec."""
    input:
        parents=by_wildcards(PARTIAL.parents),
    output:
        multiext("results/audio/{corpus}/{source}/{shard}", tar=".tar", index=".parquet"),
    log:
        "logs/splice/{corpus}.{source}.{shard}.log",
    benchmark:
        "results/benchmarks/splice/{corpus}.{source}.{shard}.tsv"
    wildcard_constraints:
        source=PARTIAL.pattern(),
    conda:
        "../envs/data.yaml"
    params:
        settings=text_of(JOBS.splice),
    message:
        "Partial fakes {wildcards.source} of {wildcards.corpus}, shard {wildcards.shard}"
    shell:
        "python -m codecfake step splice --settings {params.settings:q} --recordings {input.parents[0]:q}"
        " --index {input.parents[2]:q} --output {output.tar:q} 2>&1 | tee {log:q}"


rule list_spans:
    """List the spans of partial fakes in seconds."""
    input:
        by_wildcards(PARTIAL.indexes),
    output:
        "results/spans/{corpus}/{source}.tsv",
    log:
        "logs/list_spans/{corpus}.{source}.log",
    benchmark:
        "results/benchmarks/list_spans/{corpus}.{source}.tsv"
    wildcard_constraints:
        source=PARTIAL.pattern(),
    localrule: True
    conda:
        "../envs/data.yaml"
    message:
        "Spans of {wildcards.corpus}, {wildcards.source}"
    shell:
        "python -m codecfake step list-spans {input:q} --output {output:q} 2>&1 | tee {log:q}"


rule score_segments:
    """Score the segments of all trials of the conditions with partial fakes."""
    input:
        model=multiext(f"results/models/{MODEL}/", "weights.safetensors", "settings.json"),
        trained_on=by_wildcards(INPUTS.lists_known_to),
        protocols=PARTIAL.protocols(),
        audio=PARTIAL.audio(),
        code=provided_by_wildcards(INPUTS.code_of_detector),
        front_end=by_wildcards(INPUTS.stored.front_end_of_model),
    output:
        f"results/segments/{MODEL}.tsv",
    log:
        "logs/score_segments/{detector}.{training_set}.{strategy}.seed{seed}.log",
    benchmark:
        "results/benchmarks/score_segments/{detector}.{training_set}.{strategy}.seed{seed}.tsv"
    conda:
        "../envs/detectors.yaml"
    threads: GPUS.threads(GPUS.per_job())
    resources:
        gpu=GPUS.per_job(),
    params:
        settings=text_of(JOBS.score_segments),
        model=model_folder,
        results=above(5),
        device=PLACES.device,
    message:
        "Segments with {wildcards.detector}/{wildcards.training_set}/{wildcards.strategy}/seed{wildcards.seed}"
    shell:
        "python -m codecfake step score-segments --settings {params.settings:q} --model {params.model:q}"
        " --protocols {input.protocols:q} --trained-on {input.trained_on:q} --audio {params.results:q}/audio"
        " --output {output:q} --device {params.device} --gpus {resources.gpu} --threads {threads} 2>&1 | tee {log:q}"


rule tabulate_partial:
    """Compute the table of partial fakes."""
    input:
        segments=PARTIAL.segments(),
        protocols=PARTIAL.protocols(),
        spans=PARTIAL.spans(),
    output:
        report_marks.tables_and_figures(["results/tables/partial.csv"], {}),
    log:
        "logs/tabulate_partial.log",
    benchmark:
        "results/benchmarks/tabulate_partial.tsv"
    conda:
        "../envs/data.yaml"
    params:
        settings=JOBS.tabulate_partial().text,
        results=above(2),
    message:
        "Computing the table of partial fakes"
    shell:
        "python -m codecfake step partial-table --settings {params.settings:q} --segments {params.results:q}/segments"
        " --protocols {params.results:q}/protocols/eval --spans {params.results:q}/spans"
        " --output {params.results:q}/tables 2>&1 | tee {log:q}"
