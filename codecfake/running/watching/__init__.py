"""Following a run by what its jobs leave behind: how far it is, how long it will take, and what has failed.

A job is known by its name, `rule` or `rule/wildcards`: its log is `logs/{name}.log`, and Snakemake's record of its time
and memory `results/benchmarks/{name}.tsv`. Nothing here touches a run at work.
"""
