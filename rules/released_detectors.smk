# in:  released checkpoints of detectors, from the weights folder or the web;
#      results/protocols/{domain}/dev.tsv and its audio, for the calibration of those that name a domain
# out: results/weights/{form}/; results/models/{detector}/released…/{strategy}/seed0/

# one rule per form, because the name of the file depends on it
for form in released.forms_to_fetch(EXPERIMENT):

    rule:
        name:
            f"fetch_detector_{form}"
        output:
            INPUTS.of_released(form),
        log:
            f"logs/fetch_detector_{form}.log",
        benchmark:
            f"results/benchmarks/fetch_detector_{form}.tsv"
        localrule: True  # compute nodes often have no network access
        conda:
            "../envs/detectors.yaml"
        params:
            form=form,
            weights=PLACES.weights,
            folder=folder,
        message:
            f"Released weights of {form}"
        shell:
            "python -m codecfake step fetch-detector {params.form} --folder {params.weights:q}"
            " --output {params.folder:q} 2>&1 | tee {log:q}"


rule import_detector:
    """Convert a released checkpoint to a model folder; nothing in the file is executed."""
    input:
        checkpoint=provided_by_wildcards(RUN.released_file),
        front_end=by_wildcards(INPUTS.front_end_of_model),
    output:
        multiext(f"results/models/{MODEL}/", "weights.safetensors", "settings.json"),
    log:
        "logs/import_detector/{detector}.{training_set}.{strategy}.seed{seed}.log",
    benchmark:
        "results/benchmarks/import_detector/{detector}.{training_set}.{strategy}.seed{seed}.tsv"
    wildcard_constraints:
        training_set=RELEASED_SETS,
    conda:
        "../envs/detectors.yaml"
    params:
        settings=text_of(JOBS.import_detector),
        folder=folder,
    message:
        "Importing {wildcards.detector}, {wildcards.training_set}"
    shell:
        "python -m codecfake step import-detector --settings {params.settings:q} --file {input.checkpoint:q}"
        " --output {params.folder:q} 2>&1 | tee {log:q}"


rule calibrate_detector:
    """Calibrate a released detector on the dev list of the domain that its entry names."""
    input:
        model=multiext(f"results/models/{MODEL}/", "weights.safetensors", "settings.json"),
        dev=by_wildcards(INPUTS.calibration_lists),
        audio=by_wildcards(INPUTS.of_calibration),
        front_end=by_wildcards(INPUTS.stored.front_end_of_model),
    output:
        f"results/models/{MODEL}/calibration.json",
    log:
        "logs/calibrate_detector/{detector}.{training_set}.{strategy}.seed{seed}.log",
    benchmark:
        "results/benchmarks/calibrate_detector/{detector}.{training_set}.{strategy}.seed{seed}.tsv"
    wildcard_constraints:
        training_set=RELEASED_SETS,
    conda:
        "../envs/detectors.yaml"
    threads: GPUS.threads(GPUS.per_job())
    resources:
        gpu=GPUS.per_job(),
    params:
        model=model_folder,
        folder=folder,
        results=above(6),
        device=PLACES.device,
    message:
        "Calibrating {wildcards.detector}, {wildcards.training_set}"
    shell:
        "python -m codecfake step calibrate-detector --model {params.model:q} --dev {input.dev:q}"
        " --audio {params.results:q}/audio --output {params.folder:q} --device {params.device} --gpus {resources.gpu}"
        " --threads {threads} --workers $(({threads} - 1)) 2>&1 | tee {log:q}"
