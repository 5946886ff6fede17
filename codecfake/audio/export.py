"""Exports shards to loose files, with names as in the exported lists: `F01_p225_001.flac`."""

import tarfile
from pathlib import Path

from codecfake.audio import shards
from codecfake.base.exported_names import exported_name
from codecfake.base.files import atomic
from codecfake.base.hidden_files import visible
from codecfake.base.progress import progress


def export(audio_root: Path, to: Path, sources: list[str] | None = None) -> int:
    """Unpack `audio_root/{corpus}/{source}/*.tar` into `to/{corpus}/{source}/`; returns the number of files written.

    `sources` selects sources; None: all. Existing files of the right size are kept. Raises ShardError if there is
    nothing to unpack.
    """
    tars = [tar for tar in visible(audio_root.glob("*/*/*.tar")) if not sources or tar.parent.name in sources]
    if not tars:
        raise shards.ShardError(f"{audio_root}: no shards of {', '.join(sources) if sources else 'any source'}")
    return sum(
        _unpack(tar, to / tar.parent.relative_to(audio_root)) for tar in progress(tars, "export", len(tars), "shard")
    )


def _unpack(tar_path: Path, folder: Path) -> int:
    count = 0
    with tarfile.open(tar_path) as tar:
        for member in tar:
            path = folder / exported_name(Path(member.name).name)
            stream = tar.extractfile(member)
            if stream is None or (path.exists() and path.stat().st_size == member.size):
                continue
            with atomic(path) as part:
                part.write_bytes(stream.read())
            count += 1
    return count
