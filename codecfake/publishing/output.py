"""The folder of a published data set: complete files only, resumed after a stop, with a manifest of their sha256.

A journal records each finished file. After a stop, files in the journal are kept if they still have their digest. The
manifest replaces the journal when everything is written, so a folder with a manifest is complete.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pandas as pd

from codecfake.base import files
from codecfake.base.hidden_files import visible
from codecfake.publishing.clips import Clip, PublishingError

JOURNAL = ".publishing.jsonl"
MANIFEST = "manifest.sha256"
LABEL_POLICY = "label_policy"  # in the record, if coded speech is not simply spoof, see `coded_keys.policy`
RECORD = "publication.json"  # what was published, of which run


@dataclass(frozen=True)
class Output:
    """The files of a data set in `root`; `finished`: name -> sha256 of each."""

    root: Path
    finished: dict[str, str]

    def keeps(self, name: str) -> bool:
        """Whether a file of an earlier attempt is there with its recorded digest."""
        path, digest = self.root / name, self.finished.get(name)
        return digest is not None and path.is_file() and files.sha256(path) == digest

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """Yield a temporary name; when the block ends without an error, the file gets its name and is recorded."""
        path = self.root / name
        with files.atomic(path) as part:
            yield part
        self._record(name, files.sha256(path))

    def write_text(self, name: str, text: str) -> None:
        """Write a UTF-8 text file, unless it is there."""
        if self.finished.get(name) == sha256(text.encode()).hexdigest() and self.keeps(name):
            return
        with self.writing(name) as part:
            part.write_text(text, encoding="utf-8")

    def write_tsv(self, name: str, table: pd.DataFrame) -> None:
        """Write a tab-separated table with a header."""
        self.write_text(name, table.to_csv(sep="\t", index=False, lineterminator="\n"))

    def write_audio(self, name: str, clip: Clip) -> None:
        """Write the FLAC file of a clip, unless it is there."""
        if not (self.finished.get(name) == clip.sha256 and self.keeps(name)):
            self.write_bytes(name, clip.audio())

    def write_bytes(self, name: str, data: bytes) -> None:
        """Write a small file, of which there may be a million."""
        path = self.root / name
        part = path.with_name(f".{path.name}.part")
        with files.explaining(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # not synchronized, which would take hours; what a power failure cuts fails its digest
            part.write_bytes(data)
            part.replace(path)
        self._record(name, sha256(data).hexdigest())

    def finish(self) -> None:
        """Write the manifest, and remove the journal."""
        files.write_note(self.root / MANIFEST, self.manifest())
        (self.root / JOURNAL).unlink(missing_ok=True)

    def manifest(self, folder: str = "") -> str:
        """The digests of all files of a folder, with names relative to it; the manifest of the folder is not one."""
        prefix = f"{folder}/" if folder else ""
        digests = {
            name.removeprefix(prefix): digest for name, digest in self.finished.items() if name.startswith(prefix)
        }
        return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()) if name != MANIFEST)

    def _record(self, name: str, digest: str) -> None:
        self.finished[name] = digest
        with (self.root / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps({"file": name, "sha256": digest}) + "\n")


def begin(root: Path, fingerprint: str) -> Output:
    """Start writing a data set to `root`, or continue; `fingerprint`: of the publication and its form.

    Raises PublishingError if the folder has anything else.
    """
    finished = _finished(root, fingerprint)
    lines = [{"fingerprint": fingerprint}, *({"file": name, "sha256": digest} for name, digest in finished.items())]
    files.write_note(root / JOURNAL, "".join(json.dumps(line) + "\n" for line in lines))
    (root / MANIFEST).unlink(missing_ok=True)
    return Output(root, finished)


def _finished(root: Path, fingerprint: str) -> dict[str, str]:
    """The files of an earlier attempt with the same fingerprint, by the journal or the manifest."""
    if not (root / JOURNAL).is_file() and not (root.exists() and visible(root.iterdir())):
        return {}
    if (root / JOURNAL).is_file():
        first, *entries = _journal(root / JOURNAL)
        earlier, names = first.get("fingerprint"), {entry["file"]: entry["sha256"] for entry in entries}
    else:
        earlier, names = _recorded_fingerprint(root), read_manifest(root) if (root / MANIFEST).is_file() else {}
    if earlier != fingerprint:
        what = "holds another publication" if earlier else "is not empty, and is no publication"
        raise PublishingError(f"{root}: {what}; choose another folder for --to, or empty this one")
    return names


def _journal(path: Path) -> list[dict[str, str]]:
    """The entries of a journal; a kill can cut the last line."""
    entries: list[dict[str, str]] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entries.append(json.loads(line))
        except ValueError:
            break
    return entries or [{}]


def _recorded_fingerprint(root: Path) -> str | None:
    path = root / RECORD
    return files.read_json(path).get("fingerprint") if path.is_file() else None


def read_manifest(root: Path) -> dict[str, str]:
    """Name -> sha256 of each file in a manifest. Raises PublishingError for a line of another form."""
    digests: dict[str, str] = {}
    for number, line in enumerate((root / MANIFEST).read_text(encoding="utf-8").splitlines(), start=1):
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name:
            raise PublishingError(f"{root / MANIFEST}: line {number} is not a sha256 and a file name; publish again")
        digests[name] = digest
    return digests
