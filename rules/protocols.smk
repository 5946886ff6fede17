# in:  results/corpora/{corpus}/utterances.parquet; neither audio nor codecs
# out: results/protocols/{domain}/train.tsv and dev.tsv, results/protocols/eval/{condition}.tsv,
#      and the same under results/protocols/exports/ in the formats of ASVspoof 2019 and of the published set;
#      results/protocols/sources.tsv: the codec of each source, and the sources with the same audio


rule write_partition:
    """Write the train and dev protocols of a domain."""
    input:
        utterances=provided_by_wildcards(INPUTS.of_partition),
    output:
        expand("results/protocols/{{domain}}/{split}.tsv", split=("train", "dev")),
        expand("results/protocols/exports/{form}/{{domain}}/{split}.txt", form=EXPORTS, split=("train", "dev")),
    log:
        "logs/write_partition/{domain}.log",
    benchmark:
        "results/benchmarks/write_partition/{domain}.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        settings=text_of(JOBS.write_partition),
        results=above(3),
    message:
        "Train and dev protocols of domain {wildcards.domain}"
    shell:
        "python -m codecfake step partition --settings {params.settings:q} --name {wildcards.domain:q}"
        " --corpora {params.results:q}/corpora --output {params.results:q}/protocols 2>&1 | tee {log:q}"


rule write_condition:
    """Write the eval protocol of a condition."""
    input:
        utterances=provided_by_wildcards(INPUTS.of_condition),
    output:
        "results/protocols/eval/{condition}.tsv",
        expand("results/protocols/exports/{form}/eval/{{condition}}.txt", form=EXPORTS),
    log:
        "logs/write_condition/{condition}.log",
    benchmark:
        "results/benchmarks/write_condition/{condition}.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        settings=text_of(JOBS.write_condition),
        results=above(3),
    message:
        "Eval protocol of condition {wildcards.condition}"
    shell:
        "python -m codecfake step condition --settings {params.settings:q} --name {wildcards.condition:q}"
        " --corpora {params.results:q}/corpora --output {params.results:q}/protocols 2>&1 | tee {log:q}"


rule write_sources:
    """Write the codec and the number of quantizers of each source, and the sources with the same audio."""
    output:
        "results/protocols/sources.tsv",
    log:
        "logs/write_sources.log",
    benchmark:
        "results/benchmarks/write_sources.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        settings=JOBS.write_sources().text,
    message:
        "Sources and their codecs"
    shell:
        "python -m codecfake step sources --settings {params.settings:q} --output {output:q} 2>&1 | tee {log:q}"


rule protocols:
    """All protocols: train and dev of each domain, eval of each condition, and the table of their sources."""
    input:
        "results/protocols/sources.tsv",
        expand(
            "results/protocols/{domain}/{split}.tsv",
            domain=EXPERIMENT.domains,
            split=("train", "dev"),
        ),
        expand("results/protocols/eval/{condition}.tsv", condition=EXPERIMENT.conditions),
    localrule: True
