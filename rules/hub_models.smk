# in:  models of the Hugging Face hub: front-ends of detectors, teachers of codecs, and parts of generators
# out: results/weights/{model}/provenance.json, their commits and digests; the models stay in the user's cache


for model in hub_models.all_of(EXPERIMENT):

    rule:
        name:
            f"fetch_hub_model_{record_name(model)}"
        output:
            INPUTS.hub_records([model]),
        log:
            f"logs/fetch_hub_model_{record_name(model)}.log",
        benchmark:
            f"results/benchmarks/fetch_hub_model_{record_name(model)}.tsv"
        localrule: True  # compute nodes often have no network access
        conda:
            "../envs/detectors.yaml"
        params:
            model=model,
            files=hub_models.files_of(EXPERIMENT, model),
            folder=folder,
        message:
            f"Model {model} of the hub"
        shell:
            "python -m codecfake step fetch-hub-model {params.model:q} --output {params.folder:q} --files {params.files:q} 2>&1 | tee {log:q}"
