"""Generation lists: what a generator says, with which voice; from tables of utterances and captions, without audio."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

import pandas as pd

from codecfake.base import files, utterances
from codecfake.base.settings import SettingsError
from codecfake.base.utterances import BONAFIDE
from codecfake.protocols.lists import ProtocolError, Side, Tables, side_rows, split_utterances
from codecfake.protocols.people import UNKNOWN
from codecfake.protocols.prompts import PromptRule, prompts, seed_of, words

COLUMNS = (
    "trial_id", "corpus", "utterance_id", "speaker_id", "language", "text",
    "prompt_id", "prompt_path", "prompt_text", "seed",
)  # fmt: skip
REJECTED = ("path", "reason")
NO_TEXT = "no text: its corpus has no transcript of it"
NUM_ITEMS, PUBLISHED = "listed", "published"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CaptionTables:
    """Captions of a corpus, whether or not their recordings exist; the names of its tables, or () for all."""

    corpus: str
    tables: tuple[str, ...] = ()


@dataclass(frozen=True)
class GenerationListSettings:
    """The list of one corpus of fakes. Its texts are what bona fide trials say (`texts`), or captions."""

    corpus: str
    num_shards: int
    texts: Side | None = None
    captions: CaptionTables | None = None
    prompts: PromptRule | None = None  # None: the generator takes no prompt
    prefix: str = ""  # of trial ids: those of the texts are taken
    seed: int = 1
    published: int | None = None  # number of fakes in the paper
    speakers_of: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.texts is None) == (self.captions is None):
            raise SettingsError("a generation list has either texts or captions; give one of them")
        if self.captions is not None and self.prompts is not None:
            raise SettingsError("captions have no speaker, so there are no prompts for them; leave out `prompts`")

    @property
    def corpora(self) -> list[str]:
        """Those whose utterance tables it needs."""
        return self.texts.corpora if self.texts is not None else []


@dataclass(frozen=True)
class GenerationList:
    items: pd.DataFrame  # with `COLUMNS`, sorted by trial_id
    rejected: pd.DataFrame  # with `REJECTED`
    counts: pd.DataFrame  # columns what, number


def generation_list(settings: GenerationListSettings, tables: Tables, captions: pd.DataFrame | None) -> GenerationList:
    """The list of a corpus, what is left out with reasons, and the counts of both.

    Raises ProtocolError for an empty list, a list with fewer items than shards, and a trial that occurs twice.
    """
    texts, pool = _captions(settings, captions) if captions is not None else _texts_of_trials(settings, tables)
    texts = texts.sort_values(["corpus", "utterance_id"], kind="stable").reset_index(drop=True)
    outcomes = _outcomes(settings, texts, pool)
    reasons = pd.Series([each if isinstance(each, str) else None for each in outcomes], dtype=object)
    voices = [each for each in outcomes if isinstance(each, int)]
    items = _items(settings, texts[reasons.isna()], pool.iloc[voices])
    rejected = pd.DataFrame({"path": texts["corpus"] + "/" + texts["utterance_id"], "reason": reasons}).dropna()
    _require_enough(settings, items, rejected)
    return GenerationList(items, rejected.reset_index(drop=True), _counts(settings, texts, rejected, items))


def write_generation_list(
    settings: GenerationListSettings, corpora_root: Path, captions: Path | None, output: Path
) -> None:
    """Write `output` (TSV), and beside it `{corpus}.rejected.tsv` and `{corpus}.counts.tsv`."""
    tables = {name: utterances.read(corpora_root / name / "utterances.parquet") for name in settings.corpora}
    result = generation_list(settings, tables, None if captions is None else files.read_tsv(captions))
    files.write_tsv(output.with_suffix(".rejected.tsv"), result.rejected)
    files.write_tsv(output.with_suffix(".counts.tsv"), result.counts)
    files.write_tsv(output, result.items)
    for row in result.counts.itertuples():
        logger.info("%s: %s: %s", settings.corpus, row.what, f"{row.number:,}")


def _texts_of_trials(settings: GenerationListSettings, tables: Tables) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bona fide trials of a side, and the recordings that can be prompts."""
    assert settings.texts is not None
    pool = _pool(tables, settings.speakers_of)
    texts = side_rows(settings.texts, BONAFIDE, pool)
    if settings.prompts is None or settings.prompts.utterances == "eval":
        return texts, texts
    every = pool(settings.texts.corpora, settings.texts.split)
    return texts, every[every["key"] == BONAFIDE]


def _pool(tables: Tables, speakers_of: Mapping[str, str]) -> Callable[..., pd.DataFrame]:
    return lambda corpora, rule: split_utterances(corpora, rule, tables, speakers_of)


def _captions(settings: GenerationListSettings, captions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    assert settings.captions is not None
    names = settings.captions.tables
    absent = sorted(set(names) - set(captions["table"]))
    if absent:
        raise ProtocolError(
            f"{settings.corpus}: corpus {settings.captions.corpus} has no table {absent[0]}, only "
            f"{', '.join(sorted(set(captions['table'])))}; put it there, or correct `captions: tables`"
        )
    rows = captions[captions["table"].isin(names)] if names else captions
    return rows.assign(corpus=settings.captions.corpus, speaker_id=UNKNOWN), rows.iloc[:0]


def _outcomes(settings: GenerationListSettings, texts: pd.DataFrame, pool: pd.DataFrame) -> list[int | str | None]:
    """For each text the row number of its prompt in the pool, None if it needs no prompt, or why it is left out."""
    readable = pd.Series([isinstance(text, str) and bool(words(text)) for text in texts["text"]], dtype=bool)
    rule = settings.prompts
    voices = iter(prompts(texts[readable], pool, rule, settings.seed)) if rule is not None else repeat(None)
    return [next(voices) if fit else NO_TEXT for fit in readable]


def _items(settings: GenerationListSettings, texts: pd.DataFrame, voices: pd.DataFrame) -> pd.DataFrame:
    ids = settings.prefix + texts["utterance_id"]
    twice = ids[ids.duplicated()]
    if len(twice):
        raise ProtocolError(
            f"{settings.corpus}: trial {twice.iloc[0]!r} appears twice; ids of texts must be unique over corpora"
        )
    columns = {"prompt_id": "utterance_id", "prompt_path": "path", "prompt_text": "text"}
    has_prompts = settings.prompts is not None
    voice = {column: voices[name].to_numpy() if has_prompts else "" for column, name in columns.items()}
    seeds = [seed_of(settings.seed, trial) for trial in ids]
    items = texts.assign(trial_id=ids, text=texts["text"].map(_on_one_line), **voice, seed=seeds)
    return items[list(COLUMNS)].sort_values("trial_id", kind="stable").reset_index(drop=True)


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _require_enough(settings: GenerationListSettings, items: pd.DataFrame, rejected: pd.DataFrame) -> None:
    if len(items) >= settings.num_shards:
        return
    reasons = rejected["reason"].value_counts()
    most = (
        f"; of the {len(rejected)} that are left out, {reasons.iloc[0]} have: {reasons.index[0]}"
        if len(rejected)
        else ""
    )
    raise ProtocolError(
        f"{settings.corpus}: {len(items)} texts cannot fill {settings.num_shards} shards{most}. "
        f"Give its texts or prompts another rule, or set a smaller `shards`"
    )


def _counts(
    settings: GenerationListSettings, texts: pd.DataFrame, rejected: pd.DataFrame, items: pd.DataFrame
) -> pd.DataFrame:
    kinds = Counter(reason.partition(":")[0] for reason in rejected["reason"])
    rows = [("texts", len(texts)), *sorted(kinds.items()), (NUM_ITEMS, len(items))]
    if settings.published is not None:
        rows.append((PUBLISHED, settings.published))
    return pd.DataFrame(rows, columns=["what", "number"])
