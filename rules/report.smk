# in:  everything under results/
# out: results/report.html


rule report:
    """Write the report: one self-contained HTML file."""
    input:
        tables=expand(
            "results/tables/{table}.csv",
            table=(*PAPERS.ours, *PAPERS.tables),
        ),
        scores=expand(
            "results/scores/{model}/{condition}.tsv",
            model=EXPERIMENT.model_names(),
            condition=EXPERIMENT.conditions,
        ),
        models=INPUTS.models(),
        calibrations=INPUTS.calibrations(),
        protocols=rules.protocols.input,
        rejected=expand("results/corpora/{corpus}/rejected.tsv", corpus=EXPERIMENT.corpora),
        quality=[
            f"results/codecs/{codec}/quality.tsv" for codec in EXPERIMENT.codecs_run() if EXPERIMENT.is_trained(codec)
        ],
        codec_quality=rules.quality_summary.output if quality_choice.sources(EXPERIMENT) else [],
        tracing=rules.tabulate_tracing.output if EXPERIMENT.tracing else [],
        partial=([*rules.tabulate_partial.output, *PARTIAL.segments(), *PARTIAL.spans()] if PARTIAL.protocols() else []),
        generated=rules.generated_summary.output if EXPERIMENT.generated() else [],
        audit=[*rules.audit.output, rules.audit_verdict.output[0]],
        audio=INPUTS.all_audio(),
        beside=INPUTS.stored.beside_models(),
    output:
        report_marks.page("results/report.html"),
    log:
        "logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../envs/data.yaml"
    params:
        settings=JOBS.report().text,
        results=folder,
    message:
        "Writing the report"
    shell:
        "python -m codecfake step report --settings {params.settings:q} --results {params.results:q} --output {output:q}"
        " 2>&1 | tee {log:q}"
