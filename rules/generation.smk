# in:  results/corpora/{corpus}/utterances.parquet, or captions of a corpus; recordings of it as prompts
# out: results/protocols/generation/{corpus}.tsv and beside it what is left out, and counts;
#      results/audio/{corpus}/F00/{shard}.tar and .parquet of fakes, results/corpora/{corpus}/utterances.parquet of them


rule read_captions:
    """List the captions of a corpus, those without a recording too."""
    input:
        provided_by_wildcards(INPUTS.of_ingest),
    output:
        "results/corpora/{corpus}/captions.tsv",
    log:
        "logs/read_captions/{corpus}.log",
    benchmark:
        "results/benchmarks/read_captions/{corpus}.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        settings=text_of(JOBS.read_captions),
        root=PLACES.root,
    message:
        "Captions of {wildcards.corpus}"
    shell:
        "python -m codecfake step captions --settings {params.settings:q} --root {params.root:q}"
        " --output {output:q} 2>&1 | tee {log:q}"


rule write_generation_list:
    """Write what the generator of a corpus says, and with which voices."""
    input:
        provided_by_wildcards(INPUTS.of_generation_list),
    output:
        multiext("results/protocols/generation/{corpus}", texts=".tsv", rejected=".rejected.tsv", counts=".counts.tsv"),
    log:
        "logs/write_generation_list/{corpus}.log",
    benchmark:
        "results/benchmarks/write_generation_list/{corpus}.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        settings=text_of(JOBS.write_generation_list),
        captions=STORAGE.argument(by_wildcards(INPUTS.captions_argument)),
        results=above(3),
    message:
        "Generation list of {wildcards.corpus}"
    shell:
        "python -m codecfake step generation-list --settings {params.settings:q} --corpora {params.results:q}/corpora"
        " {params.captions:q} --output {output.texts:q} 2>&1 | tee {log:q}"


rule generation_lists:
    """All generation lists; they need utterance tables and captions, but no generator."""
    input:
        expand("results/protocols/generation/{corpus}.tsv", corpus=EXPERIMENT.generated()),
    localrule: True


# one rule per corpus, because a generator has its own weights, prompts and need of a GPU
for corpus in EXPERIMENT.generated():

    rule:
        name:
            f"generate_{corpus}"
        input:
            texts=f"results/protocols/generation/{corpus}.tsv",
            prompts=INPUTS.of_prompts(corpus),
            recordings=INPUTS.stored.of_prompt_recordings(INPUTS.prompt_corpora(corpus)),
            weights=provided(RUN.generator_weights_of(corpus)),
            code=provided(INPUTS.code_of_generator(corpus)),
            parts=INPUTS.parts_of_generator(corpus),
        output:
            multiext(f"results/audio/{corpus}/F00/{{shard}}", tar=".tar", index=".parquet", rejected=".rejected.tsv"),
        log:
            f"logs/generate_{corpus}/{{shard}}.log",
        benchmark:
            f"results/benchmarks/generate_{corpus}/{{shard}}.tsv"
        conda:
            "../envs/codecs.yaml"
        threads: GPUS.threads(GPUS.per_job())
        resources:
            gpu=GPUS.per_job(),
        params:
            settings=JOBS.generate(corpus).text,
            roots=PLACES.roots(INPUTS.prompt_corpora(corpus)),
            weights=STORAGE.argument(RUN.site.generator_weights_arguments(corpus)),
            results=above(4),
            batch_size=PLACES.batch_size(corpus),
            device=PLACES.device,
        message:
            f"Generating {corpus}, shard {{wildcards.shard}}"
        shell:
            "python -m codecfake step generate --settings {params.settings:q} --list {input.texts:q}"
            " --corpora {params.results:q}/corpora --roots {params.roots:q} {params.weights:q} --shard {wildcards.shard}"
            " --batch-size {params.batch_size} --output {output.tar:q} --device {params.device}"
            " --gpus {resources.gpu} --threads {threads} 2>&1 | tee {log:q}"


rule list_generated:
    """List the fakes of a generated corpus, as ingest lists a corpus on disk."""
    input:
        left_out="results/protocols/generation/{corpus}.rejected.tsv",
        indexes=by_wildcards(INPUTS.generated_indexes),
        rejected=by_wildcards(INPUTS.generated_rejections),
    output:
        utterances="results/corpora/{corpus}/utterances.parquet",
        rejected="results/corpora/{corpus}/rejected.tsv",
    log:
        "logs/list_generated/{corpus}.log",
    benchmark:
        "results/benchmarks/list_generated/{corpus}.tsv"
    wildcard_constraints:
        corpus=GENERATED,
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        settings=text_of(JOBS.list_generated),
    message:
        "Fakes of {wildcards.corpus}"
    shell:
        "python -m codecfake step list-generated --settings {params.settings:q} --indexes {input.indexes:q}"
        " --left-out {input.left_out:q} --utterances {output.utterances:q} --rejected {output.rejected:q}"
        " 2>&1 | tee {log:q}"
