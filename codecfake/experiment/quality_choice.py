"""Which sources are measured for quality, and on which recordings."""

import json
from dataclasses import asdict

from codecfake.base.utterances import BONAFIDE
from codecfake.experiment.schema import Experiment
from codecfake.experiment.sections import Condition
from codecfake.protocols.lists import RECORDINGS


def conditions(experiment: Experiment) -> list[str]:
    """Conditions whose bona fide trials codecs are measured on: the first one with codec fakes for each selection of
    recordings.
    """
    plain = experiment.plain_conditions()
    with_codec_fakes = [name for name in plain if _has_codec_fakes(experiment.conditions[name])]
    # compared by content, not by domain name, so that changes to other conditions cause no new measurement
    choices = {name: json.dumps(asdict(experiment.condition_settings(name).bonafide)) for name in with_codec_fakes}
    return [name for place, name in enumerate(choices) if choices[name] not in list(choices.values())[:place]]


def _has_codec_fakes(condition: Condition) -> bool:
    return condition.spoof.source != RECORDINGS and condition.spoof.original in (None, BONAFIDE)


def corpora(experiment: Experiment, source: str) -> list[str]:
    """Corpora that have both: recordings to measure on, and the source's audio."""
    items = (experiment.conditions[name] for name in conditions(experiment))
    bonafide = dict.fromkeys(corpus for item in items for corpus in experiment.corpora_of(item.bonafide))
    audio = set(experiment.all_audio())
    has_coded = [corpus for corpus in bonafide if BONAFIDE in experiment.resynthesized_keys(corpus)]
    return [corpus for corpus in has_coded if (corpus, source) in audio]


def by_codec(experiment: Experiment) -> dict[str, list[str]]:
    """Codec -> its sources that can be measured, without aliases; only codecs that have any."""
    choices = {
        name: [source for source in codec.generated() if corpora(experiment, source)]
        for name, codec in experiment.codecs.items()
    }
    return {name: measured for name, measured in choices.items() if measured}


def sources(experiment: Experiment) -> list[str]:
    """These sources in order."""
    return [source for measured in by_codec(experiment).values() for source in measured]


def audio(experiment: Experiment, codec: str) -> list[tuple[str, str]]:
    """(corpus, source) of the sources of a codec that are measured, each after the recordings it is compared with."""
    measured = by_codec(experiment).get(codec, [])
    pairs = [(corpus, source) for source in measured for corpus in corpora(experiment, source)]
    return [(corpus, each) for corpus, source in pairs for each in (RECORDINGS, source)]
