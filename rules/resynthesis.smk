# in:  results/corpora/{corpus}/utterances.parquet, results/codecs/{codec}/weights.safetensors
# out: results/audio/{corpus}/{source}/{shard}.tar and .parquet; the source F00 is the original recordings, and native
#      the same at their own sample rate; {source}+{degradation} is a degraded source, for laundering ladders;
#      shards.tsv beside them lists the shards when all exist


rule record:
    """Write unchanged recordings, the bona fide trials, with the same code as the outputs of codecs."""
    input:
        utterances="results/corpora/{corpus}/utterances.parquet",
        recordings=by_wildcards(INPUTS.stored.of_recordings),
    output:
        multiext("results/audio/{corpus}/{recordings}/{shard}", tar=".tar", index=".parquet"),
    log:
        "logs/record/{corpus}.{recordings}.{shard}.log",
    benchmark:
        "results/benchmarks/record/{corpus}.{recordings}.{shard}.tsv"
    wildcard_constraints:
        corpus=RECORDED,
    conda:
        "../envs/data.yaml"
    params:
        settings=text_of(JOBS.record),
        root=PLACES.root,
    message:
        "Recordings of {wildcards.corpus}, shard {wildcards.shard}"
    shell:
        "python -m codecfake step record --settings {params.settings:q} --utterances {input.utterances:q}"
        " --root {params.root:q} --shard {wildcards.shard} --output {output.tar:q} 2>&1 | tee {log:q}"


# one rule per codec: one encoder pass makes all of its sources, so they are the outputs of one job
for codec in EXPERIMENT.codecs:

    rule:
        name:
            f"resynthesize_{codec}"
        input:
            utterances="results/corpora/{corpus}/utterances.parquet",
            recordings=by_wildcards(INPUTS.stored.of_recordings),
            weights=provided(RUN.weights_of(codec)),
            wrapper=provided(INPUTS.code_of_codec(codec)),
        output:
            expand(
                "results/audio/{{corpus}}/{source}/{{shard}}.{kind}",
                source=EXPERIMENT.codecs[codec].generated(),
                kind=("tar", "parquet"),
            ),
        log:
            f"logs/resynthesize_{codec}/{{corpus}}.{{shard}}.log",
        benchmark:
            f"results/benchmarks/resynthesize_{codec}/{{corpus}}.{{shard}}.tsv"
        priority: 1  # before jobs that do not depend on it, such as detectors of other fakes
        conda:
            environments.of_codec(EXPERIMENT, codec)
        threads: GPUS.threads(RUN.gpus_of(codec))
        resources:
            gpu=RUN.gpus_of(codec),
        params:
            settings=text_of(partial(JOBS.resynthesize, codec)),
            root=PLACES.root,
            weights=STORAGE.argument(RUN.site.weights_argument(codec)),
            folder=STORAGE.argument("results/audio/{corpus}"),
            device=PLACES.device,
        message:
            f"{codec}: {{wildcards.corpus}}, shard {{wildcards.shard}}"
        shell:
            "python -m codec_wrappers resynthesize --settings {params.settings:q} --utterances {input.utterances:q}"
            " --root {params.root:q} {params.weights:q} --shard {wildcards.shard} --output {params.folder:q}"
            " --device {params.device} --gpus {resources.gpu} --threads {threads} 2>&1 | tee {log:q}"


rule list_folder:
    """List a folder of noise or rooms with digests, and check that every file can be used, before any other job."""
    output:
        "results/degradation/{series}.tsv",
    log:
        "logs/list_folder/{series}.log",
    benchmark:
        "results/benchmarks/list_folder/{series}.tsv"
    priority: 3
    conda:
        "../envs/data.yaml"
    params:
        settings=text_of(JOBS.list_folder),
    message:
        "Files of the folder of {wildcards.series}"
    shell:
        "python -m codecfake step list-folder --settings {params.settings:q} --output {output:q} 2>&1 | tee {log:q}"


rule degrade:
    """Degrade the evaluated utterances of one source for a laundering ladder, bona fide and spoof alike."""
    input:
        index="results/audio/{corpus}/{base}/{shard}.parquet",
        tar="results/audio/{corpus}/{base}/{shard}.tar",
        recordings=multiext("results/audio/{corpus}/F00/{shard}", ".parquet", ".tar"),
        protocols=by_wildcards(INPUTS.of_degraded),
        list=by_wildcards(INPUTS.folder_list),
    output:
        multiext("results/audio/{corpus}/{base}+{degradation}/{shard}", tar=".tar", index=".parquet"),
    log:
        "logs/degrade/{corpus}.{base}.{degradation}.{shard}.log",
    benchmark:
        "results/benchmarks/degrade/{corpus}.{base}.{degradation}.{shard}.tsv"
    wildcard_constraints:
        degradation=DEGRADED_HERE,
    conda:
        "../envs/data.yaml"
    params:
        settings=text_of(JOBS.degrade),
        folder=PLACES.degradation_folder,
    message:
        "Degrading {wildcards.corpus}, {wildcards.base}, {wildcards.degradation}, shard {wildcards.shard}"
    shell:
        "python -m codecfake step degrade --settings {params.settings:q} --index {input.index:q}"
        " --recordings {input.recordings[0]:q} --protocols {input.protocols:q} --output {output.tar:q}"
        " --list {input.list:q} --folder {params.folder:q}"
        " 2>&1 | tee {log:q}"


# one rule per codec, as above: one encoder pass makes all of its steps
for codec, steps in ladders.second_codecs(EXPERIMENT).items():

    rule:
        name:
            f"degrade_through_{codec}"
        input:
            index="results/audio/{corpus}/{base}/{shard}.parquet",
            tar="results/audio/{corpus}/{base}/{shard}.tar",
            protocols=by_wildcards(partial(INPUTS.of_second_codec, codec)),
            weights=provided(RUN.weights_of(codec)),
            wrapper=provided(INPUTS.code_of_codec(codec)),
        output:
            expand(
                "results/audio/{{corpus}}/{{base}}+{step}/{{shard}}.{kind}",
                step=steps,
                kind=("tar", "parquet"),
            ),
        log:
            f"logs/degrade_through_{codec}/{{corpus}}.{{base}}.{{shard}}.log",
        benchmark:
            f"results/benchmarks/degrade_through_{codec}/{{corpus}}.{{base}}.{{shard}}.tsv"
        conda:
            environments.of_codec(EXPERIMENT, codec)
        threads: GPUS.threads(RUN.gpus_of(codec))
        resources:
            gpu=RUN.gpus_of(codec),
        params:
            settings=text_of(partial(JOBS.degrade_through, codec)),
            weights=STORAGE.argument(RUN.site.weights_argument(codec)),
            folder=STORAGE.argument("results/audio/{corpus}"),
            device=PLACES.device,
        message:
            f"{codec} as a second codec: {{wildcards.corpus}}, {{wildcards.base}}, shard {{wildcards.shard}}"
        shell:
            "python -m codec_wrappers degrade --settings {params.settings:q} --index {input.index:q}"
            " --protocols {input.protocols:q} {params.weights:q} --output {params.folder:q}"
            " --device {params.device} --gpus {resources.gpu} --threads {threads} 2>&1 | tee {log:q}"


rule list_shards:
    """Record that all shards of a source exist, so that later jobs wait for this one file instead of hundreds."""
    input:
        by_wildcards(INPUTS.shards),
    output:
        "results/audio/{corpus}/{source}/shards.tsv",
    log:
        "logs/list_shards/{corpus}.{source}.log",
    benchmark:
        "results/benchmarks/list_shards/{corpus}.{source}.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    message:
        "All shards of {wildcards.corpus}, {wildcards.source}"
    shell:
        "python -m codecfake step list-shards {input:q} --output {output:q} 2>&1 | tee {log:q}"


rule dataset:
    """All audio of the experiment: recordings and codec fakes, in shards."""
    input:
        INPUTS.all_audio(),
    localrule: True
