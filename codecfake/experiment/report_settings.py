"""The contents of a report: settings that the workflow passes to the report's job."""

from dataclasses import dataclass, field
from typing import Any


class ReportError(ValueError):
    """The results lack something that the report should show."""


@dataclass(frozen=True)
class ReportSettings:
    """The contents of the page, in this order; lists and mappings keep their order."""

    title: str
    description: str
    models: list[str]  # `{detector}/{training_set}/{strategy}/seed{n}`
    conditions: list[str]
    averages: dict[str, list[str]]  # column -> the conditions it averages; the first one ranks the detectors
    training_protocols: dict[str, list[str]]  # training set -> the protocols that it trains on: `codec/train`
    corpora: list[str]
    protocols: list[str]  # whose sizes are shown: `codec/train`, `eval/C1`
    sources: dict[str, list[str]]  # corpus -> its sources that have shards, recordings first
    experiment: dict[str, Any]  # the experiment that was run, shown completely
    trained_codecs: dict[str, str] = field(default_factory=dict)  # source -> folder under `codecs`
    printed_kbps: dict[str, float] = field(default_factory=dict)  # source -> bit rate in the paper
    shipped: list[str] = field(default_factory=list)  # sources of small codecs that come with the package
    controls: list[str] = field(default_factory=list)  # sources that went through no codec
    aliases: dict[str, str] = field(default_factory=dict)  # source -> the source whose audio it shares
    quality: list[str] = field(default_factory=list)  # sources whose quality is shown
    generated: list[str] = field(default_factory=list)  # corpora whose fakes were generated in this run
    tracing: list[str] = field(default_factory=list)  # tasks of source tracing that tell classes apart
    traced_numbers: list[str] = field(default_factory=list)  # those that predict a number
    traced_parts: dict[str, list[str]] = field(default_factory=dict)  # task -> the tasks that leave out a part of it
    papers: dict[str, str] = field(default_factory=dict)  # table of a paper, `xie2025_table6` -> its caption
    audit: bool = False  # whether `audit/` is shown
    not_run: dict[str, str] = field(default_factory=dict)  # condition -> why
    notes: list[str] = field(default_factory=list)  # important notes for every reader
    ladders: dict[str, list[str]] = field(default_factory=dict)  # condition -> its degradations, in their order
    partial: dict[str, str] = field(default_factory=dict)  # condition -> its source of partial fakes
    released: dict[str, str] = field(default_factory=dict)  # model -> the domain it is calibrated on; "": none
    quality_sounds: list[str] = field(default_factory=list)  # sources whose quality on sounds is shown
    contents: bool = False  # whether `tables/contents.csv` compares training on speech and on sounds
    label_policies: list[str] = field(default_factory=list)  # compared in `tables/label_policy.csv`
    coded_spoofs_alone: list[str] = field(default_factory=list)  # corpora whose bona fide speech is not resynthesized

    def __post_init__(self) -> None:
        if not self.models or not self.conditions or not self.averages:
            raise ReportError("a report needs at least one model, condition and average; add them to the experiment")
        for name, conditions in self.averages.items():
            absent = [condition for condition in conditions if condition not in self.conditions]
            if absent or not conditions:
                raise ReportError(
                    f"average {name!r}: condition {', '.join(absent) or '(none given)'} is not among those run "
                    f"({', '.join(self.conditions)}); leave it out"
                )
