# in:  corpora in their official layouts
# out: results/corpora/{corpus}/utterances.parquet, rejected.tsv


rule synthesize_demo:
    """Synthesize the demo corpora with eSpeak NG, in the layouts of the corpora that they replace."""
    output:
        sums="results/demo/SHA256SUMS",
        archives=INPUTS.stored.demo_archives(),
    log:
        "logs/synthesize_demo.log",
    benchmark:
        "results/benchmarks/synthesize_demo.tsv"
    conda:
        "../envs/data.yaml"
    threads: 2
    params:
        settings=JOBS.synthesize_demo().text,
        folder=folder,
    message:
        "Synthesizing the demo corpora"
    shell:
        "python -m codecfake step demo --settings {params.settings:q} --output {params.folder:q}"
        " --archives {output.archives:q} --workers {threads} 2>&1 | tee {log:q}"


rule ingest_corpus:
    """List a corpus and decode every file once, so that bad files are found before any other job uses them."""
    input:
        provided_by_wildcards(INPUTS.of_ingest),
    output:
        utterances="results/corpora/{corpus}/utterances.parquet",
        rejected="results/corpora/{corpus}/rejected.tsv",
    log:
        "logs/ingest_corpus/{corpus}.log",
    benchmark:
        "results/benchmarks/ingest_corpus/{corpus}.tsv"
    wildcard_constraints:
        corpus=RECORDED,
    conda:
        "../envs/data.yaml"
    threads: 2
    params:
        settings=text_of(JOBS.ingest_corpus),
        root=PLACES.root,
    message:
        "Reading corpus {wildcards.corpus}"
    shell:
        "python -m codecfake step ingest --settings {params.settings:q} --root {params.root:q}"
        " --utterances {output.utterances:q} --rejected {output.rejected:q} --workers {threads} 2>&1 | tee {log:q}"
