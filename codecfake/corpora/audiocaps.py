"""AudioCaps: sound events with captions. Its audio is downloaded from YouTube, where links disappear."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from codecfake.base import settings
from codecfake.base.hidden_files import visible
from codecfake.base.text_tables import Row
from codecfake.base.utterances import Utterance
from codecfake.corpora import tables
from codecfake.corpora.captions import Caption
from codecfake.corpora.listing import CorpusError, Listing, Rejection, audio_files, by_stem, listing, require
from codecfake.corpora.sizes import CorpusSize, Part

AUDIO = "audio"
MARKER = (AUDIO,)
LICENSE = "captions MIT; recordings are those of YouTube"
CONTENT = "sound"
COLUMNS = ("audiocap_id", "youtube_id", "start_time", "caption")
OFFICIAL = (
    f"train.csv, val.csv, test.csv (columns {', '.join(COLUMNS)}) and the clips that could be downloaded, "
    f"{AUDIO}/[Y]<youtube_id>[_<start_time>].wav or .flac"
)

# the clips of 10 s that Xie et al. 2025 could fetch; this size assumes 16 kHz
SIZE = CorpusSize(
    source="Xie et al. 2025, released score files (49,274 recordings)",
    sample_rate=16_000,
    wav=True,
    speech=(Part("bonafide", 49_274, hours=136.9, speakers=1),),
)


@dataclass(frozen=True)
class AudioCapsOptions:
    """`csv`: caption files relative to the root; None means every .csv file in the root."""

    csv: tuple[str, ...] | str | None = None


OPTIONS = AudioCapsOptions


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """One utterance per clip, `Y` + its YouTube id, with its first caption (val and test have five a clip)."""
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    audio = by_stem(root, audio_files(root, AUDIO))
    clips, rejections = [], []
    for row in _first_captions(_caption_files(root, choice.csv)):
        youtube_id = row.cells["youtube_id"]
        name = next((name for name in _names(row) if name in audio), None)
        if name is None:
            absent = f"{AUDIO}/{youtube_id}.wav"
            rejections.append(Rejection(absent, "captioned, but no audio was fetched", expected=True))
        else:
            clips.append(Utterance(f"Y{youtube_id}", "-", "en", audio.pop(name), text=row.cells["caption"] or None))
    rejections += [Rejection(path, "no caption", expected=True) for path in audio.values()]
    return listing(root, clips, rejections)


def captions(root: Path, options: Mapping[str, object]) -> list[Caption]:
    """All captions, those without a recording too, in the order of the tables."""
    choice = settings.build(OPTIONS, options)
    texts, clips = [], set()
    for path in _caption_files(root, choice.csv):
        for row in tables.rows(path, COLUMNS):
            clip = f"Y{row.cells['youtube_id']}"
            name = f"{clip}_{row.cells['audiocap_id']}" if clip in clips else clip
            clips.add(clip)
            texts.append(Caption(name, row.cells["caption"], path.name))
    return texts


def _caption_files(root: Path, csv: tuple[str, ...] | str | None) -> list[Path]:
    if csv is not None:
        return [root / name for name in ([csv] if isinstance(csv, str) else csv)]
    paths = visible(root.glob("*.csv"))
    if not paths:
        raise CorpusError(f"{root}: no .csv with captions; put train.csv there, or name it in the option csv")
    return paths


def _first_captions(paths: list[Path]) -> Iterator[Row]:
    # 103549,7fmOlUlwoNg,20,Constant rattling noise and sharp vibrations
    # 103548,6BJ455B1aAs,0,A rocket flies by followed by a loud explosion and fire crackling as a truck engine runs idle
    clips: set[str] = set()
    for path in paths:
        for row in tables.rows(path, COLUMNS):
            if row.cells["youtube_id"] not in clips:
                clips.add(row.cells["youtube_id"])
                yield row


def _names(row: Row) -> Iterator[str]:
    """The file stems that common downloaders use for a clip."""
    for youtube_id in (row.cells["youtube_id"], "Y" + row.cells["youtube_id"]):
        yield youtube_id
        yield f"{youtube_id}_{row.cells['start_time']}"
