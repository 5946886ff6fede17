# in:  published checkpoints, from the weights folder or the web;
#      results/audio/{corpus}/native/{shard}.tar of the codec training corpora
# out: results/weights/{checkpoint}/; results/codecs/{codec}/weights.safetensors, history.tsv, quality.tsv, settings.json


# one rule per checkpoint, because the outputs depend on the checkpoint's form
for checkpoint in EXPERIMENT.checkpoints_run():

    rule:
        name:
            f"fetch_{checkpoint}"
        output:
            INPUTS.of_checkpoint(checkpoint),
        log:
            f"logs/fetch_{checkpoint}.log",
        benchmark:
            f"results/benchmarks/fetch_{checkpoint}.tsv"
        localrule: True  # compute nodes often have no network access
        conda:
            "../envs/codecs.yaml"
        params:
            checkpoint=checkpoint,
            weights=PLACES.weights,
            folder=folder,
        message:
            f"Weights of {checkpoint}"
        shell:
            "python -m codec_wrappers fetch {params.checkpoint} --folder {params.weights:q}"
            " --output {params.folder:q} 2>&1 | tee {log:q}"


rule train_codec:
    """Train a codec on the codec training corpora, by its recipe. Threads beyond the first read audio."""
    input:
        audio=INPUTS.of_codec_training(),
        start=provided_by_wildcards(RUN.start_of),
        wrapper=provided_by_wildcards(INPUTS.code_of_codec),
        teacher=by_wildcards(INPUTS.teacher_of_codec),
    output:
        multiext(
            "results/codecs/{codec}/",
            "weights.safetensors",
            "history.tsv",
            "quality.tsv",
            "settings.json",
        ),
    log:
        "logs/train_codec/{codec}.log",
    benchmark:
        "results/benchmarks/train_codec/{codec}.tsv"
    priority: 2  # before the shards of other codecs, because most jobs wait for these weights
    conda:
        by_wildcards(partial(environments.of_codec, EXPERIMENT))
    threads: GPUS.threads(GPUS.per_job())
    resources:
        gpu=GPUS.per_job(),
    params:
        settings=text_of(JOBS.train_codec),
        start=STORAGE.argument(by_wildcards(RUN.site.start_argument)),
        folder=folder,
        results=above(3),
        device=PLACES.device,
    message:
        "Training codec {wildcards.codec}"
    shell:
        "python -m codec_wrappers train --settings {params.settings:q} {params.start:q}"
        " --audio {params.results:q}/audio --source native"
        " --output {params.folder:q} --device {params.device} --gpus {resources.gpu} --threads {threads}"
        " --workers $(({threads} - 1)) 2>&1 | tee {log:q}"
