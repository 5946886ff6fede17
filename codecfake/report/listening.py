"""One utterance in each language through every source, to look at and listen to."""

from dataclasses import dataclass

from codecfake.base import files
from codecfake.protocols.lists import RECORDINGS
from codecfake.report.inputs import ReportInputs
from codecfake.report.materials import CodecRow, CorpusRow
from codecfake.tables.spectrograms import Excerpt, excerpt_row

LANGUAGES = {"en": "English", "zh": "Mandarin"}


@dataclass(frozen=True)
class Sound:
    """An excerpt, and where it comes from."""

    excerpt: Excerpt
    name: str  # `encodec, 6 kbit/s`, or `recording`
    source: str  # with the conditions that evaluate it: `F04, in C4`


@dataclass(frozen=True)
class Player:
    """One utterance; the recording comes first."""

    language: str
    corpus: str
    utterance_id: str
    sounds: list[Sound]


def players(inputs: ReportInputs, corpora: list[CorpusRow], codecs: list[CodecRow]) -> list[Player]:
    """For each language, the excerpt of the first corpus of `inputs.excerpts` that has it, and most sources."""
    language_of = {row.name: row.languages for row in corpora}
    names = {row.source: row.label if row.is_coded else f"{row.codec}, not coded" for row in codecs}
    conditions = _conditions_by_source(inputs)
    return [
        _player(inputs, corpus, language_of.get(corpus, corpus), {RECORDINGS: "recording", **names}, conditions)
        for corpus in _one_per_language(inputs, language_of)
    ]


def _one_per_language(inputs: ReportInputs, language_of: dict[str, str]) -> list[str]:
    """Corpora in the order of `inputs.excerpts`."""
    best: dict[str, str] = {}
    for corpus in inputs.excerpts:
        rival = best.setdefault(language_of.get(corpus, corpus), corpus)
        if len(inputs.sources[corpus]) > len(inputs.sources[rival]):
            best[language_of.get(corpus, corpus)] = corpus
    return [corpus for corpus in inputs.excerpts if corpus in best.values()]


def _conditions_by_source(inputs: ReportInputs) -> dict[str, list[str]]:
    """Source -> the conditions with its fakes."""
    conditions: dict[str, list[str]] = {}
    for name in inputs.conditions:
        trials = files.read_tsv(inputs.results / "protocols/eval" / f"{name}.tsv")
        for source in sorted(set(trials["source"]) - {RECORDINGS}):
            conditions.setdefault(source, []).append(name)
    return conditions


def _player(
    inputs: ReportInputs, corpus: str, language: str, names: dict[str, str], conditions: dict[str, list[str]]
) -> Player:
    utterance = inputs.excerpts[corpus]
    sources = [RECORDINGS] if corpus in inputs.coded_spoofs_alone else inputs.sources[corpus]
    row = excerpt_row(inputs.results / "audio", corpus, sources, utterance)
    sounds = [
        Sound(excerpt, names[excerpt.source], _in_conditions(excerpt.source, conditions)) for excerpt in row.excerpts
    ]
    return Player(LANGUAGES.get(language, language), corpus, utterance, sounds)


def _in_conditions(source: str, conditions: dict[str, list[str]]) -> str:
    names = conditions.get(source, [])
    return source if names in ([], [source]) else f"{source}, in {', '.join(names)}"
