"""What the card and the Croissant description say about a data set, in the same words."""

from codec_wrappers import UNSTATED
from codecfake.base.degraded_names import degradation_of
from codecfake.base.utterances import BONAFIDE, SPOOF
from codecfake.publishing import licensing
from codecfake.publishing.publication import Publication

KEYWORDS = ["audio deepfake detection", "anti-spoofing", "neural audio codec", "codec fakes", "speech"]
INTENDED_USE = (
    "Research on the detection of speech that passed through neural audio codecs: training and comparing detectors, "
    "tracing the codec of a fake, and auditing data sets."
)
OUT_OF_SCOPE = (
    "Do not use it to identify or imitate speakers, and do not expect its error rates on speech from elsewhere."
)
PREPROCESSING = (
    "Recordings are decoded, averaged over channels, resampled and rounded to 16 bit. Each recording is encoded and "
    "decoded by neural codecs. Recordings and fakes pass through the same reader, resampler and FLAC encoder."
)
ANNOTATION = (
    "Keys follow from how a clip was made: recordings are bonafide, and all output of codecs and generators is spoof."
)
OTHER_KEYS = "Other recordings have their own key, and other output of codecs and generators is spoof."
BIASES = (
    "Languages, accents, recording conditions and speakers are those of the corpora. A detector can learn them where "
    "they differ between the two keys."
)
SOCIAL_IMPACT = (
    "It helps to detect synthetic speech. The program that made it has no command that speaks a text of the user in a "
    "voice of the user's choice."
)
ADDRESS = "https://spdx.org/licenses/{}.html"


def annotation(publication: Publication) -> str:
    """How clips got their keys, which a label policy can change."""
    if not publication.policy:
        return ANNOTATION
    lines = [
        f"coded {original} speech of {codec} is {key}"
        for codec, keys in publication.policy.items()
        for original, key in keys.items()
    ]
    return (
        f"Keys follow from how a clip was made, and from the label policy of the run: {'; '.join(lines)}. {OTHER_KEYS}"
    )


def summary(publication: Publication) -> str:
    """Two or three sentences with the numbers of clips."""
    clips = publication.num_clips
    numbers = f"{clips[BONAFIDE]:,} bona fide recordings and {clips[SPOOF]:,} spoofs, {publication.hours:.1f} hours"
    text = f"{numbers}, of these corpora: {', '.join(corpora(publication))}. {publication.facts.description}"
    return text.strip()


def corpora(publication: Publication) -> list[str]:
    """The names of published corpora, and of those whose texts and voices their generators used, sorted."""
    names = {source.corpus for source in publication.sources}
    return sorted(names | {text for name in names for text in publication.facts.corpora[name].texts_of})


def codecs(publication: Publication) -> list[str]:
    """The published codec configurations, sorted."""
    return sorted({source.codec for source in publication.sources if source.codec in publication.facts.codecs})


def languages(publication: Publication) -> list[str]:
    """ISO 639-1, sorted."""
    return sorted(publication.catalog.trials["language"].astype(str).unique())


def licenses(publication: Publication) -> list[str]:
    """The identifiers of all licenses that apply to some clip, sorted."""
    lines = {publication.license_of(source) for source in publication.sources}
    return sorted({identifier for line in lines for identifier in line.split(licensing.AND)})


def license_addresses(publication: Publication) -> list[str]:
    """The pages of the licenses in the SPDX list; `unstated` as it is."""
    return [name if name == UNSTATED else ADDRESS.format(name) for name in licenses(publication)]


def citations(publication: Publication) -> list[str]:
    """The credits of corpora and papers of codecs."""
    facts = publication.facts
    credits = [facts.corpora[name].credit.citation for name in corpora(publication)]
    papers = [facts.codecs[name].paper for name in codecs(publication)]
    return list(dict.fromkeys(text for text in [*credits, *papers] if text)) or [facts.title]


def collection(publication: Publication) -> str:
    """Where the recordings come from."""
    names = ", ".join(f"{name} ({publication.facts.corpora[name].layout})" for name in corpora(publication))
    return f"Recordings of existing corpora: {names}. Fakes were computed from them."


def personal(publication: Publication) -> str:
    """Whether people can be heard."""
    if all(publication.facts.corpora[name].is_demo for name in corpora(publication)):
        return "None: all speech is synthesized, and no person speaks."
    return "Voices of people, with the speaker ids of their corpora; see the terms of each corpus."


def limits(publication: Publication) -> list[str]:
    """What a reader must know before trusting a number."""
    lines = ["The codecs are those listed; others may be easier or harder to detect."]
    if publication.withheld:
        lines.append(f"{len(publication.withheld)} sources are withheld because of their licenses; see withheld.tsv.")
    if any(publication.facts.corpora[name].is_demo for name in corpora(publication)):
        lines.append("Some recordings are synthesized for a demo; error rates on them say nothing about real speech.")
    steps = sorted({degradation_of(source.source) for source in publication.sources} - {""})
    if steps:
        lines.append(f"Some parts are steps of laundering ladders, degraded alike for both keys: {', '.join(steps)}.")
    elif publication.has_ladders:
        lines.append("The run has laundering ladders, whose degraded clips are not in this data set.")
    return lines
