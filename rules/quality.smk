# in:  results/audio/, results/protocols/eval/{condition}.tsv
# out: results/quality/{source}.tsv, results/tables/quality.csv and quality_order.csv


rule quality:
    """Compare the fakes of one source with the original recordings."""
    input:
        protocols=INPUTS.quality_protocols(),
        audio=by_wildcards(INPUTS.of_quality),
    output:
        "results/quality/{source}.tsv",
    log:
        "logs/quality/{source}.log",
    benchmark:
        "results/benchmarks/quality/{source}.tsv"
    conda:
        "../envs/quality.yaml"
    params:
        settings=text_of(JOBS.quality),
    message:
        "Quality of {wildcards.source}"
    shell:
        "python -m codecfake step quality --settings {params.settings:q} --protocols {input.protocols:q}"
        " --audio results/audio --output {output:q} 2>&1 | tee {log:q}"


rule quality_summary:
    """Compute the mean quality of every source, and check whether more bits ever reduce the quality."""
    input:
        expand("results/quality/{source}.tsv", source=quality_choice.sources(EXPERIMENT)),
    output:
        expand("results/tables/{table}.csv", table=("quality", "quality_order")),
    log:
        "logs/quality_summary.log",
    benchmark:
        "results/benchmarks/quality_summary.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        settings=JOBS.quality_summary().text,
    message:
        "Summarizing the quality of codecs"
    shell:
        "python -m codecfake step quality-summary --settings {params.settings:q} --measured results/quality"
        " --output results/tables 2>&1 | tee {log:q}"
