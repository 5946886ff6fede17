# in:  everything under results/
# out: results/report.html


def report_settings():
    """What the page shows, and in which order; the command reads the rest from results/."""
    codecs = EXPERIMENT.codecs.items()
    return as_json(
        {
            "title": EXPERIMENT.title,
            "description": EXPERIMENT.description,
            "notes": EXPERIMENT.notes,
            "models": EXPERIMENT.model_names(),
            "conditions": list(EXPERIMENT.conditions),
            "averages": EXPERIMENT.averages_run(),
            "training_protocols": {
                name: [f"{domain}/train" for domain in training_set.domains]
                for name, training_set in EXPERIMENT.training_sets.items()
            },
            "corpora": list(EXPERIMENT.corpora),
            "protocols": [
                f"{domain}/{split}"
                for domain, split in product(EXPERIMENT.domains, ("train", "dev"))
            ]
            + [f"eval/{condition}" for condition in EXPERIMENT.conditions],
            "sources": EXPERIMENT.sources_by_corpus(),
            "trained_codecs": {
                source: name
                for name, codec in codecs
                if codec.weights == "trained"
                for source in codec.sources
            },
            "printed_kbps": {
                source: what.printed_kbps
                for _, codec in codecs
                for source, what in codec.sources.items()
                if what.printed_kbps is not None
            },
            "aliases": EXPERIMENT.aliases(),
            "not_run": EXPERIMENT.not_run,
            "experiment": SITE.experiment_as_written,
        }
    )


rule report:
    """Write the report: one HTML file that needs nothing else."""
    input:
        tables=expand("results/tables/{table}.csv", table=("eer", "confusion")),
        scores=expand(
            "results/scores/{model}/{condition}.tsv",
            model=EXPERIMENT.model_names(),
            condition=EXPERIMENT.conditions,
        ),
        histories=expand(
            "results/models/{model}/history.tsv", model=EXPERIMENT.model_names()
        ),
        protocols=rules.protocols.input,
        rejected=expand(
            "results/corpora/{corpus}/rejected.tsv", corpus=EXPERIMENT.corpora
        ),
        quality=[
            f"results/codecs/{codec}/quality.tsv"
            for codec in EXPERIMENT.codecs_run()
            if EXPERIMENT.is_trained(codec)
        ],
        audio=shards_of(EXPERIMENT.all_audio()),
    output:
        "results/report.html",
    log:
        "logs/report.log",
    conda:
        "../envs/data.yaml"
    params:
        settings=report_settings(),
    shell:
        "python -m codecfake report --settings {params.settings:q} --results results --output {output:q}"
        " 2>&1 | tee {log:q}"
