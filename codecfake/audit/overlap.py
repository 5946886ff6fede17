"""Leaks between lists: common speakers, utterances, sentences and audio bytes.

The experiment decides what is a fault. With a split by utterance, speakers recur, as in the published data set; with a
split by speaker they may not, even if other corpora are evaluated. In most corpora, many speakers read the same
sentences, so these are only counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product

import pandas as pd

from codecfake.audit.lists import WHAT, TrialList
from codecfake.audit.settings import AuditSettings

NONE, REPORTED, FAULT, ACCEPTED, UNKNOWN = "none", "reported", "fault", "accepted", "unknown"
PARTS_SPEAKERS = ("speaker", "listed")
BY_EXPERIMENT = "one person each, as the experiment says (`speakers_of`)"
BY_DEFAULT = "equal ids are taken for one person; if they are different people, set `speakers_of: own` for corpus {}"


@dataclass(frozen=True)
class Overlap:
    first: str
    second: str
    what: str
    num_first: int
    num_second: int
    common: int
    example: str  # the first common one, or ""
    verdict: str
    why: str


def between_lists(settings: AuditSettings, lists: list[TrialList]) -> Iterator[Overlap]:
    """Every list for training or selection, compared with the lists that must be disjoint from it."""
    for first, second in pairs(settings, lists):
        for what in WHAT:
            common = first.members[what].intersection(second.members[what])
            verdict, why = _verdict(settings, what, first, second, len(common))
            sizes = len(first.members[what]), len(second.members[what])
            yield Overlap(
                first.name, second.name, what, *sizes, len(common), _example(what, common, second), verdict, why
            )


def pairs(settings: AuditSettings, lists: list[TrialList]) -> Iterator[tuple[TrialList, TrialList]]:
    """Train compared with dev of each training set, and both with all evaluation lists."""
    by_name = {item.name: item for item in lists}
    together = [product(domains, domains) for domains in settings.training_sets.values()]
    alone = [(domain, domain) for domain in settings.domains]
    for first, second in dict.fromkeys([*alone, *(pair for product_ in together for pair in product_)]):
        yield by_name[f"{first}/train"], by_name[f"{second}/dev"]
    eval_lists = [item for item in lists if item.name.startswith("eval/")]
    for domain, split in product(settings.domains, ("train", "dev")):
        yield from ((by_name[f"{domain}/{split}"], item) for item in eval_lists)


def with_codec_training(settings: AuditSettings, tables: dict[str, pd.DataFrame]) -> Iterator[Overlap]:
    """The training data of codecs, compared with resynthesized and evaluated data."""
    for codec_corpus, corpus in product(settings.codec_training, settings.corpora):
        members = [
            {
                "speakers": pd.Index(table["person"].unique()),
                "sentences": pd.Index(table["sentence"].dropna().unique()),
                "recordings": pd.Index(table["sha256"].unique()),
            }
            for table in (tables[codec_corpus], tables[corpus])
        ]
        for what, first in members[0].items():
            second = members[1][what]
            common = first.intersection(second)
            verdict, why = _codec_verdict(settings, what, first, second, len(common))
            example = str(min(common)) if len(common) else ""
            names = f"codec training: {codec_corpus}", f"corpus: {corpus}"
            yield Overlap(*names, what, len(first), len(second), len(common), example, verdict, why)


def between_corpora(settings: AuditSettings, tables: dict[str, pd.DataFrame]) -> Iterator[Overlap]:
    """People in two corpora that are used for training or evaluation; corpora without common people have no row."""
    speakers = {corpus: pd.Index(tables[corpus]["person"].unique()) for corpus in settings.corpora}
    for first, second in combinations(settings.corpora, 2):
        common = speakers[first].intersection(speakers[second])
        if not len(common):
            continue
        sizes = len(speakers[first]), len(speakers[second]), len(common)
        names = f"corpus: {first}", f"corpus: {second}"
        why = BY_EXPERIMENT if {first, second} & set(settings.speakers_of) else BY_DEFAULT.format(second)
        yield Overlap(*names, "speakers", *sizes, str(min(common)), REPORTED, why)


def remedy(overlap: Overlap) -> str:
    """The remedy for a fault."""
    if overlap.what == "recordings":
        return "train codecs on another corpus (`codec_training.corpora`)"
    if overlap.what == "audio":
        return "the same bytes exist under two names; drop one from the corpus, or keep both in one split"
    split = "give all domains of a corpus the same `split`, with the same seed and lists, and write the protocols again"
    if overlap.what != "speakers":
        return split
    return (
        f"{split}; if people are in several corpora, put these into one domain, or leave people out; if equal ids "
        f"are different people, set `speakers_of: own` for one of the corpora"
    )


def _verdict(settings: AuditSettings, what: str, first: TrialList, second: TrialList, common: int) -> tuple[str, str]:
    if what == "sentences" and not (len(first.members[what]) and len(second.members[what])):
        return UNKNOWN, "no texts"
    if not common:
        return NONE, ""
    if what == "sentences":
        return REPORTED, "most corpora share texts by design"
    if second.judges_all:
        return REPORTED, "the experiment evaluates all utterances here (`utterances: all`)"
    if what == "speakers":
        rules = {domain: settings.domains[domain].split_by for domain in (*first.domains, *second.domains)}
        loose = [f"{domain} is split by {by}" for domain, by in rules.items() if by not in PARTS_SPEAKERS]
        if loose:
            return REPORTED, "; ".join(loose)
    return _fault(settings, what, f"the split keeps {what} apart")


def _codec_verdict(
    settings: AuditSettings, what: str, first: pd.Index, second: pd.Index, common: int
) -> tuple[str, str]:
    if what == "sentences" and not (len(first) and len(second)):
        return UNKNOWN, "no texts"
    if not common:
        return NONE, ""
    if what != "recordings":
        return REPORTED, "the codec may have been trained on them, so its fakes may sound better"
    return _fault(settings, "codec_training", "codecs were trained on evaluation data")


def _fault(settings: AuditSettings, check: str, why: str) -> tuple[str, str]:
    reason = settings.limits.accepted.get(check)
    return (FAULT, why) if reason is None else (ACCEPTED, reason)


def _example(what: str, common: pd.Index, second: TrialList) -> str:
    if not len(common):
        return ""
    if what != "audio":
        return str(min(common))
    return str(second.trials.loc[second.trials["audio"].isin(common), "trial_id"].min())
