# in:  results/corpora/{corpus}/utterances.parquet of the codec training corpora
# out: results/codecs/{codec}/weights.safetensors, history.tsv, quality.tsv, settings.json


def codec_training_settings(wildcards):
    codec = EXPERIMENT.codecs[wildcards.codec]
    recipe = asdict(EXPERIMENT.codec_training)
    del recipe["corpora"]
    return as_json(
        {
            "codec": wildcards.codec,
            "wrapper": codec.wrapper,
            "model": codec.model,
            "quantizers": EXPERIMENT.most_quantizers(wildcards.codec),
            "seed": EXPERIMENT.seed,
        }
        | recipe
        | codec.training
    )


def codec_training_tables(wildcards):
    return [
        f"results/corpora/{corpus}/utterances.parquet"
        for corpus in EXPERIMENT.codec_training.corpora
    ]


def codec_training_roots(wildcards):
    return [str(SITE.root(corpus)) for corpus in EXPERIMENT.codec_training.corpora]


rule train_codec:
    """Train a codec's own architecture on the codec training corpora, by reconstruction."""
    input:
        utterances=codec_training_tables,
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
    conda:
        "../envs/codecs.yaml"
    params:
        settings=codec_training_settings,
        roots=codec_training_roots,
        folder="results/codecs/{codec}",
        device=SITE.device,
    shell:
        "python -m codec_wrappers train --settings {params.settings:q} --utterances {input.utterances:q}"
        " --roots {params.roots:q} --output {params.folder:q} --device {params.device} --threads {threads}"
        " 2>&1 | tee {log:q}"
