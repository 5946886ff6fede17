"""A run as a data set: the clips that are published, shard by shard, and what is withheld."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path

import pandas as pd

from codec_wrappers import UNSTATED
from codecfake import __version__
from codecfake.audio import shard_files, shard_lists
from codecfake.audio.shard_files import Entry
from codecfake.audio.shard_index import ShardError
from codecfake.base import files
from codecfake.base.degraded_names import base_of, degradation_of, with_degradation
from codecfake.base.utterances import KEYS
from codecfake.protocols.exports import RECORDINGS
from codecfake.publishing import catalog, coded_keys, licensing
from codecfake.publishing.catalog import Catalog, Trial
from codecfake.publishing.clips import Clip, Place, PublishingError
from codecfake.publishing.run_facts import RunFacts
from codecfake.publishing.selection import Selection
from codecfake.publishing.survey import SourceFacts, index_paths, index_rows, survey


@dataclass(frozen=True)
class Withheld:
    """A source of a corpus that may not be redistributed, and the command that makes it."""

    corpus: str
    source: str
    num_clips: int
    license: str  # SPDX expression
    reason: str
    recipe: str


@dataclass(frozen=True)
class ClipShard:
    """The published clips of one shard of a run, in the order of its tar."""

    corpus: str
    source: str
    name: str  # `0000`
    clips: tuple[Clip, ...]


@dataclass(frozen=True)
class Publication:
    """What a form writes. Audio is read clip by clip; the memory that this needs does not depend on their number."""

    run: Path
    facts: RunFacts
    selection: Selection
    catalog: Catalog  # of the published clips alone
    sources: tuple[SourceFacts, ...]  # sorted by corpus and source
    withheld: tuple[Withheld, ...]
    has_ladders: bool = False  # whether the run has degraded clips, published or not

    def shards(self) -> Iterator[ClipShard]:
        """Every shard with published clips, sorted by corpus, source and name; each clip is in one shard."""
        for source in self.sources:
            trials = self.catalog.of(source.corpus, source.source)
            for path in index_paths(self._audio, source.corpus, source.source):
                clips = tuple(self._clips(path, source, trials))
                if clips:
                    yield ClipShard(source.corpus, source.source, path.stem, clips)

    def clips(self) -> Iterator[Clip]:
        """Every published clip once, in the order of `shards`."""
        for shard in self.shards():
            yield from shard.clips

    @cached_property
    def parts(self) -> dict[str, list[str]]:
        """Part -> its splits."""
        return self.catalog.parts()

    @cached_property
    def places(self) -> dict[tuple[str, str], set[tuple[Place, ...]]]:
        """(corpus, source) -> the sets of places that its clips have."""
        names = [(source.corpus, source.source) for source in self.sources]
        return {name: {trial.places for trial in self.catalog.of(*name).values()} for name in names}

    def of_part(self, part: str) -> "Publication":
        """The publication of one part alone."""
        alone = self.catalog.with_places(lambda place: place.part == part)
        sources = tuple(survey(self._audio, *group, alone.of(*group)) for group in alone.groups())
        return replace(self, catalog=alone, sources=sources)

    def transcripts(self, corpus: str) -> dict[str, str]:
        """Utterance id -> its words on one line, of the utterances of a corpus that have any."""
        table = files.read_parquet(self._utterances(corpus), ("utterance_id", "text")).dropna()
        lines = {name: " ".join(text.split()) for name, text in table.itertuples(index=False, name=None)}
        return {name: line for name, line in lines.items() if line}

    @cached_property
    def policy(self) -> dict[str, dict[str, str]]:
        """See `coded_keys.policy`; empty where all coded speech is spoof."""
        return coded_keys.policy(self.catalog.trials, self.sources)

    @property
    def hours(self) -> float:
        """Of all clips, each counted once."""
        return sum(source.seconds for source in self.sources) / 3600

    @cached_property
    def num_clips(self) -> dict[str, int]:
        """Key -> number of clips, each counted once."""
        clips = self.catalog.trials.drop_duplicates(catalog.CLIP)
        return {key: int((clips["key"] == key).sum()) for key in KEYS}

    @cached_property
    def fingerprint(self) -> str:
        """Digest of everything that determines the published files, except for their form."""
        protocols = catalog.protocol_paths(self.run / "results/protocols")
        values = {
            "version": __version__,
            "facts": asdict(self.facts),
            "selection": self.selection.plain(),
            "sources": [source.plain() for source in self.sources],
            "withheld": [asdict(item) for item in self.withheld],
            "utterances": {source.corpus: self._digest_of_utterances(source.corpus) for source in self.sources},
            "protocols": {f"{path.parent.name}/{path.name}": files.sha256(path) for path in protocols},
        }
        return sha256(files.as_json(values).encode()).hexdigest()

    def license_of(self, source: SourceFacts) -> str:
        """The SPDX expression of the clips of a source."""
        return license_of(source, self.facts)

    def _clips(self, index: Path, source: SourceFacts, trials: Mapping[str, Trial]) -> Iterator[Clip]:
        """The clips of one shard that have trials."""
        tar, license = index.with_suffix(".tar"), self.license_of(source)
        is_resynthesis = base_of(source.source) != RECORDINGS
        recordings = with_degradation(RECORDINGS, degradation_of(source.source))
        prefix = "" if recordings == RECORDINGS else f"{recordings}_"  # of their clips
        for row in index_rows(index):
            trial = trials.get(row["utterance_id"])
            if trial is None:
                continue
            entry = Entry(row["utterance_id"], row["offset"], row["num_bytes"], row["sha256"])
            yield Clip(
                clip_id=trial.trial_id,
                utterance_id=entry.utterance_id,
                corpus=source.corpus,
                source=source.source,
                key=trial.key,
                attack=trial.attack,
                coding=trial.coding,
                speaker_id=trial.speaker_id,
                language=trial.language,
                codec=source.codec,
                quantizers=source.quantizers,
                bitrate_kbps=source.bitrate_kbps,
                weights_sha256=source.weights_sha256,
                license=license,
                twin_id=prefix + entry.utterance_id if is_resynthesis else "",
                sha256=entry.sha256,
                num_bytes=entry.num_bytes,
                num_samples=row["num_samples"],
                sample_rate=row["sample_rate"],
                places=trial.places,
                audio=partial(_read, tar, entry),
            )

    def _digest_of_utterances(self, corpus: str) -> str:
        path = self._utterances(corpus)
        if not path.is_file():
            raise PublishingError(f"{path}: missing; finish the run first")
        return files.sha256(path)

    def _utterances(self, corpus: str) -> Path:
        return self.run / "results/corpora" / corpus / "utterances.parquet"

    @property
    def _audio(self) -> Path:
        return self.run / "results/audio"


def read(
    run: Path, facts: RunFacts, selection: Selection, place_of: Callable[[Place], Place | None] = lambda place: place
) -> Publication:
    """What to publish of a finished run, by tables alone; places for which `place_of` gives None are left out.

    Raises PublishingError if the run is not finished, or if nothing of the selection may be published.
    """
    everything = catalog.read(run / "results/protocols")
    chosen = Catalog(selection.of(everything.trials)).with_places(lambda place: place_of(place) is not None)
    if chosen.trials.empty:
        raise PublishingError("the form has no room for these parts and splits; choose others, or another --form")
    coded_keys.require_one_key(chosen.trials)
    sources = [survey(run / "results/audio", *group, chosen.of(*group)) for group in chosen.groups()]
    withheld = [item for source in sources if (item := _withheld(source, facts, selection)) is not None]
    names = {(item.corpus, item.source) for item in withheld}
    published = tuple(source for source in sources if (source.corpus, source.source) not in names)
    if not published:
        reasons = "; ".join(f"{item.corpus}/{item.source}: {item.reason}" for item in withheld)
        raise PublishingError(f"nothing of the selection may be redistributed ({reasons})")
    has_ladders = any(degradation_of(str(part)) for part in everything.trials["part"].unique())
    return Publication(run, facts, selection, _without(chosen, names), published, tuple(withheld), has_ladders)


def license_of(source: SourceFacts, facts: RunFacts) -> str:
    """The SPDX expression of the clips of a source: of the recordings that they come from, and of what made them.

    Raises PublishingError for a corpus that the experiment does not have.
    """
    corpus = facts.corpora.get(source.corpus)
    if corpus is None:
        raise PublishingError(f"corpus {source.corpus} is not in the experiment {facts.title!r}; give --experiment")
    origins = [facts.corpora[name] for name in corpus.texts_of] or [corpus]
    # generated fakes have the license of their generator, unless they come from a folder of somebody else
    made_by = source.identifiers or ([UNSTATED] if corpus.texts_of else [])
    return licensing.expression([*(origin.credit.license for origin in origins), *made_by])


def _withheld(source: SourceFacts, facts: RunFacts, selection: Selection) -> Withheld | None:
    """Why a source is not published; None if it is."""
    license = license_of(source, facts)
    refused = licensing.refused(license, selection.allowed)
    if not refused:
        return None
    folder = Path("results/audio") / source.corpus / source.source / shard_lists.LIST
    homepage = facts.corpora[source.corpus].credit.homepage
    get = f"Get the corpus from {homepage} and enter its folder in config.yaml; then " if homepage else ""
    return Withheld(
        source.corpus,
        source.source,
        source.num_clips,
        license,
        f"license {' and '.join(refused)} is not among those to publish",
        f"{get}{facts.command} -- {folder.as_posix()}",
    )


def _without(trials: Catalog, names: set[tuple[str, str]]) -> Catalog:
    """The trials without those of some corpora and sources."""
    table = trials.trials
    pairs = pd.MultiIndex.from_frame(table[["corpus", "source"]].astype(str))
    return Catalog(table[~pairs.isin(names)]) if names else trials


def _read(tar: Path, entry: Entry) -> bytes:
    """The bytes of one clip. Raises ShardError if they are damaged."""
    with shard_files.open_tar(tar) as file:
        data = b"".join(shard_files.chunks(file, entry))
    if sha256(data).hexdigest() != entry.sha256:
        raise ShardError(
            f"{tar}: utterance {entry.utterance_id!r} is damaged (its sha256 differs from the index); "
            f"{files.MAKE_AGAIN}"
        )
    return data
