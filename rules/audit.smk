# in:  results/corpora/, results/protocols/, results/audio/
# out: results/audit/audit.json and its tables, even if the audit finds faults; results/audit/passed.txt if it finds none


rule audit:
    """Look for leaks between lists, for duplicate audio, and for shortcuts: properties of files that reveal fakes."""
    input:
        corpora=INPUTS.audited(),
        protocols=rules.protocols.input,
        audio=INPUTS.all_audio(),
    output:
        "results/audit/audit.json",
        report_marks.audit_tables(expand("results/audit/{table}.csv", table=audited.TABLES)),
    log:
        "logs/audit.log",
    benchmark:
        "results/benchmarks/audit.tsv"
    conda:
        "../envs/data.yaml"
    params:
        settings=JOBS.audit().text,
        folder=folder,
        results=above(2),
    message:
        "Auditing lists and audio"
    shell:
        "python -m codecfake step audit --settings {params.settings:q} --results {params.results:q} --output {params.folder:q}"
        " --leave-verdict 2>&1 | tee {log:q}"


rule audit_verdict:
    """Fail if the audit found faults that the experiment does not accept."""
    input:
        "results/audit/audit.json",
    output:
        "results/audit/passed.txt",
    log:
        "logs/audit_verdict.log",
    benchmark:
        "results/benchmarks/audit_verdict.tsv"
    localrule: True
    conda:
        "../envs/data.yaml"
    message:
        "The audit's verdict"
    shell:
        "python -m codecfake step audit-verdict --audit {input:q} --output {output:q} 2>&1 | tee {log:q}"
