"""Data directories of Kaldi, one for each part and split, as Kaldi, ESPnet, WeDefense and Lhotse read them.

https://kaldi-asr.org/doc/data_prep.html: files are sorted by their first word, and the id of an utterance begins with
that of its speaker, so that both orders are the same. `utt2lab` and `lab2utt` have the keys, as in WeDefense.
"""

import posixpath
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from codecfake.audio import decoding
from codecfake.base.exported_names import exported_name
from codecfake.base.hidden_files import visible
from codecfake.base.utterances import SPLITS
from codecfake.publishing import flat_names, listed_clips, loose_files
from codecfake.publishing.card_header import split_in_name
from codecfake.publishing.clips import Clip, Place, PublishingError
from codecfake.publishing.output import Output
from codecfake.publishing.publication import Publication
from codecfake.publishing.published import PublishedClip, key_of

ABOUT = "FLAC files and data directories of Kaldi: wav.scp, utt2spk, utt2lab, text"
USE = """\
`data/PART/SPLIT` is a data directory. `wav.scp` names FLAC files relative to this folder. ESPnet, WeDefense and Lhotse
read them; Kaldi's own programs need pipes:

```
sed 's|^\\([^ ]*\\) \\(.*\\)$|\\1 flac -c -d -s \\2 \\||' data/PART/SPLIT/wav.scp
```

The id of an utterance is `SPEAKER-CLIP`; `utt2lab` has its key, and `utt2attack` the source of a fake. `text` is there
where all utterances have transcripts. Blanks, quotes and # in names are percent-encoded.
"""
MARKER = "**/wav.scp"
FOLDER, AUDIO = "data", "audio"
UNKNOWN_SPEAKER = "-"
INVERSES = {"utt2spk": "spk2utt", "utt2lab": "lab2utt"}
WITHOUT = ("corpus", "codec", "utterance_id", "sha256")

require = flat_names.require_unique


def configurations(publication: Publication) -> dict[str, dict[str, list[str]]]:
    """The Hub cannot load this form."""
    return {}


def write(publication: Publication, output: Output) -> None:
    """Write all audio and the data directories."""
    words = _Transcripts(publication)
    names = loose_files.write(publication, output, lambda clip: [_path(clip)], words.lines_of, is_sorted=True)
    for name in names:
        folder, table = posixpath.split(name)
        if table in INVERSES:
            output.write_text(f"{folder}/{INVERSES[table]}", _inverse(output.root / name))


def read(folder: Path) -> Iterator[PublishedClip]:
    """The clips of all data directories. Raises PublishingError for audio that comes from a pipe."""
    return listed_clips.once(partial(_of_directories, folder))


class _Transcripts:
    """The lines of clips in the tables of data directories; transcripts are those of the run."""

    def __init__(self, publication: Publication) -> None:
        self._texts = {source.corpus: publication.transcripts(source.corpus) for source in publication.sources}
        clips = publication.catalog.trials[["corpus", "utterance_id", "part", "split"]].drop_duplicates()
        self._without_text = {
            Place(part, split)
            for corpus, utterance_id, part, split in clips.itertuples(index=False, name=None)
            if utterance_id not in self._texts[corpus]
        }

    def lines_of(self, clip: Clip) -> Iterator[tuple[str, str]]:
        """Each table of each place of a clip, with its line."""
        speaker, utterance = _names(clip)
        values = {
            "wav.scp": _path(clip),
            "utt2spk": speaker,
            "utt2lab": clip.key,
            "utt2attack": exported_name(clip.attack),
            "utt2lang": clip.language,
            "utt2dur": str(clip.duration),
        }
        for place in clip.places:
            text = {} if place in self._without_text else {"text": self._texts[clip.corpus][clip.utterance_id]}
            for table, value in {**values, **text}.items():
                yield f"{FOLDER}/{place.part}/{place.split}/{table}", f"{utterance} {value}"


def _path(clip: Clip) -> str:
    return f"{AUDIO}/{clip.path}"


def _names(clip: Clip) -> tuple[str, str]:
    """The ids of speaker and utterance; without a speaker, both are that of the clip."""
    clip_id = exported_name(clip.clip_id)
    if clip.speaker_id == UNKNOWN_SPEAKER:
        return clip_id, clip_id
    speaker = exported_name(clip.speaker_id)
    return speaker, f"{speaker}-{clip_id}"


def _inverse(path: Path) -> str:
    """A table from the values of another to all of its keys, such as `spk2utt` of `utt2spk`."""
    keys: dict[str, list[str]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        key, value = line.split(" ")
        keys[value].append(key)
    return "".join(f"{value} {' '.join(keys[value])}\n" for value in sorted(keys, key=str.encode))


def _of_directories(folder: Path) -> Iterator[PublishedClip]:
    for scp in visible(folder.glob(MARKER)):
        place = _place(scp.parent.relative_to(folder))
        speakers, keys, attacks = (_table(scp.with_name(name)) for name in ("utt2spk", "utt2lab", "utt2attack"))
        for utterance, path in _table(scp).items():
            where = f"{scp.relative_to(folder).as_posix()}, {utterance}"
            if path.endswith("|"):
                raise PublishingError(f"{where}: its audio comes from a command; checks read files alone")
            speaker = speakers.get(utterance)
            clip_id = unquote(utterance.removeprefix(f"{speaker}-"))
            yield PublishedClip(
                where,
                clip_id,
                key_of(keys[utterance]) if utterance in keys else None,
                (place,),
                partial(decoding.read_bytes, folder / path),
                speaker_id=UNKNOWN_SPEAKER if speaker == utterance else unquote(speaker or UNKNOWN_SPEAKER),
                twin_id=listed_clips.recording_of(clip_id, unquote(attacks.get(utterance, ""))) or "",
            )


def _place(directory: PurePosixPath | Path) -> Place:
    """`data/C1/eval` is the split eval of C1; for directories of others, the split is a word in the path."""
    parts = directory.parts
    if len(parts) == 3 and parts[0] == FOLDER and parts[2] in SPLITS:
        return Place(parts[1], parts[2])
    return Place("", split_in_name(directory.as_posix()))


def _table(path: Path) -> dict[str, str]:
    """First word -> rest of each line; empty if there is no such table."""
    if not path.is_file():
        return {}
    pairs = (line.text.strip().partition(" ") for line in listed_clips.lines(path))
    return {key: value.strip() for key, _, value in pairs}
