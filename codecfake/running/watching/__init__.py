"""Watches a run by the files of its jobs: progress, remaining time, failures.

A job is known by its name, `rule` or `rule/wildcards`: its log is `logs/{name}.log`, and Snakemake's record of its time
and memory `results/benchmarks/{name}.tsv`. Nothing here changes a run at work.
"""
