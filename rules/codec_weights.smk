# in:  results/corpora/{corpus}/utterances.parquet of the codec training corpora
# out: results/codecs/{codec}/weights.safetensors, history.tsv, quality.tsv, settings.json


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
        folder=folder,
        device=SITE.device,
    message:
        "Training codec {wildcards.codec}"
    shell:
        "python -m codec_wrappers train --settings {params.settings:q} --utterances {input.utterances:q}"
        " --roots {params.roots:q} --output {params.folder:q} --device {params.device} --threads {threads}"
        " 2>&1 | tee {log:q}"
