# in:  results/audio/, results/protocols/eval/{condition}.tsv
# out: results/quality/{codec}.tsv, results/tables/quality.csv, quality_order.csv, and quality_sounds.csv for sounds;
#      results/quality/generated/{corpus}.tsv and results/tables/generated.csv, if fakes are generated


rule quality:
    """Compare the fakes of all sources of one codec with the original recordings."""
    input:
        protocols=INPUTS.quality_protocols(),
        audio=by_wildcards(INPUTS.of_quality),
    output:
        "results/quality/{codec}.tsv",
    log:
        "logs/quality/{codec}.log",
    benchmark:
        "results/benchmarks/quality/{codec}.tsv"
    conda:
        "../envs/quality.yaml"
    params:
        settings=text_of(JOBS.quality),
        results=above(2),
    message:
        "Quality of {wildcards.codec}"
    shell:
        "python -m codecfake step quality --settings {params.settings:q} --protocols {input.protocols:q}"
        " --audio {params.results:q}/audio --output {output:q} 2>&1 | tee {log:q}"


rule quality_summary:
    """Compute the mean quality of every source, and check whether more bits ever reduce the quality."""
    input:
        expand("results/quality/{codec}.tsv", codec=quality_choice.by_codec(EXPERIMENT)),
    output:
        report_marks.tables_and_figures(
            expand("results/tables/{table}.csv", table=contents.quality_tables(EXPERIMENT)), {}
        ),
    log:
        "logs/quality_summary.log",
    benchmark:
        "results/benchmarks/quality_summary.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        settings=JOBS.quality_summary().text,
        results=above(2),
    message:
        "Summarizing the quality of codecs"
    shell:
        "python -m codecfake step quality-summary --settings {params.settings:q} --measured {params.results:q}/quality"
        " --output {params.results:q}/tables 2>&1 | tee {log:q}"


rule measure_generated:
    """Measure duration, level and silence of generated fakes, which have no recording of the same words."""
    input:
        utterances="results/corpora/{corpus}/utterances.parquet",
        audio=by_wildcards(INPUTS.of_generated),
    output:
        "results/quality/generated/{corpus}.tsv",
    log:
        "logs/measure_generated/{corpus}.log",
    benchmark:
        "results/benchmarks/measure_generated/{corpus}.tsv"
    conda:
        "../envs/data.yaml"
    params:
        results=above(3),
    message:
        "Duration, level and silence of {wildcards.corpus}"
    shell:
        "python -m codecfake step measure-generated --corpus {wildcards.corpus} --utterances {input.utterances:q}"
        " --audio {params.results:q}/audio --output {output:q} 2>&1 | tee {log:q}"


rule generated_summary:
    """Summarize these measures of all generated corpora."""
    input:
        expand("results/quality/generated/{corpus}.tsv", corpus=EXPERIMENT.generated()),
    output:
        report_marks.tables_and_figures(["results/tables/generated.csv"], {}),
    log:
        "logs/generated_summary.log",
    benchmark:
        "results/benchmarks/generated_summary.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    message:
        "Summarizing generated fakes"
    shell:
        "python -m codecfake step generated-summary --measured {input:q} --output {output:q} 2>&1 | tee {log:q}"
