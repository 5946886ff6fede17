"""Makes a wrapper's files from published weights: downloads, verifies and converts them, and records their origin."""

import json
import logging
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from codec_wrappers.weights import archives
from codec_wrappers.weights.checkpoints import (
    CONFIG,
    PROVENANCE,
    SHA256,
    UNKNOWN,
    WEIGHTS,
    Checkpoint,
    OfficialFile,
    PublishedFile,
)
from codec_wrappers.weights.download import PATIENCE, DownloadError, Patience, download, fault, most_bytes
from codec_wrappers.weights.partial_file import claim
from codecfake.base import files, plugins

log = logging.getLogger("codecfake.weights")


class MissingFilesError(RuntimeError):
    """Files are not in the weights folder and could not be downloaded."""


class WrongFileError(ValueError):
    """A file in the weights folder differs from the published one, or from an earlier use."""


def fetch(checkpoint: Checkpoint, folder: Path, output: Path, patience: Patience = PATIENCE) -> None:
    """Write the weights and a record of their origin (`checkpoint.outputs`) into `output`.

    The official files are read from `folder`; missing ones are downloaded to it.
    """
    paths = obtain([checkpoint], folder, patience)[checkpoint.name]
    hashes = {file.name: _verify(file, paths[file.name], output) for file in checkpoint.files}
    if checkpoint.is_copied:
        _copy(checkpoint, paths, output)
    else:
        _convert(checkpoint, paths, output)
    for file in checkpoint.files:
        _remember(file, paths[file.name], hashes[file.name])
    # no seals here: the digest of a folder without WEIGHTS is of all its files, and the record has a sha256 of each
    files.write_note(output / PROVENANCE, files.as_json(provenance(checkpoint, paths, hashes, output)))


def obtain(
    checkpoints: Iterable[Checkpoint], folder: Path, patience: Patience = PATIENCE
) -> dict[str, dict[str, Path]]:
    """Paths of all files, by checkpoint and name. Raises MissingFilesError, which lists all unavailable files."""
    paths: dict[str, dict[str, Path]] = {}
    missing = {}
    for checkpoint in checkpoints:
        paths[checkpoint.name] = {}
        for file in checkpoint.files:
            try:
                paths[checkpoint.name][file.name] = _obtain(checkpoint, file, folder, patience)
            except DownloadError as error:
                missing[file.name] = error.faults
    if missing:
        raise MissingFilesError(_by_hand(missing, folder))
    return paths


def provenance(
    checkpoint: Checkpoint, paths: Mapping[str, Path], hashes: Mapping[str, str], output: Path
) -> dict[str, Any]:
    """The record of the weights in `output`: their checkpoint, licenses and origin. It depends only on the files."""
    return {
        "checkpoint": checkpoint.name,
        "wrapper": checkpoint.wrapper,
        "model": checkpoint.model,
        "code_license": checkpoint.code_license,
        "weights_license": checkpoint.weights_license,
        "permissive": checkpoint.is_permissive,
        "notice": checkpoint.notice,
        "official_files": [
            {
                "name": file.name,
                "addresses": _addresses(file),
                "bytes": paths[file.name].stat().st_size,
                "sha256": hashes[file.name],
                "sha256_is_published": file.sha256 != UNKNOWN,
            }
            for file in checkpoint.files
        ],
        "weights_sha256": {name: files.sha256(output / name) for name in checkpoint.outputs if name != PROVENANCE},
    }


def _obtain(checkpoint: Checkpoint, file: OfficialFile, folder: Path, patience: Patience) -> Path:
    target = folder / file.name
    for path in _places(checkpoint, file, folder):
        if path.is_file():
            return path
    try:
        if file.archive is not None and (folder / file.archive.name).is_file():
            _unpack(file, folder / file.archive.name, target)
        else:
            _download(file, folder, patience)
    except OSError as error:
        reason = f"{target.parent} cannot be written to: {error.strerror or error}"
        raise DownloadError(file.name, dict.fromkeys(_addresses(file), reason)) from error
    return target


def _places(checkpoint: Checkpoint, file: OfficialFile, folder: Path) -> list[Path]:
    """Possible paths of a file: its name under the weights folder, and below a folder with the checkpoint's name."""
    base_names = [PurePosixPath(other.name).name for other in checkpoint.files]
    base_name = PurePosixPath(file.name).name
    places = [folder / file.name, folder / checkpoint.name / file.name]
    return [*places, folder / checkpoint.name / base_name] if base_names.count(base_name) == 1 else places


def _download(file: OfficialFile, folder: Path, patience: Patience) -> None:
    """Download the file itself, or else an archive that contains it."""
    try:
        download(file, folder / file.name, patience)
    except DownloadError as error:
        if file.archive is None:
            raise
        archive = folder / file.archive.name
        _download_archive(file, file.archive, archive, error.faults, patience)
        _unpack(file, archive, folder / file.name)


def _download_archive(
    file: OfficialFile, archive: PublishedFile, target: Path, faults: dict[str, str], patience: Patience
) -> None:
    try:
        download(archive, target, patience)
    except DownloadError as error:
        inside = {f"{address} (its member {file.member})": why for address, why in error.faults.items()}
        raise DownloadError(file.name, faults | inside) from error


def _unpack(file: OfficialFile, archive: Path, target: Path) -> None:
    with claim(target) as part:
        if part is None:
            return
        part.start()
        with part.path.open("r+b") as output:
            archives.copy_member(archive, file.member, output, most_bytes(file))
        wrong = fault(part.path, file)
        if wrong:
            part.start()
            raise WrongFileError(f"{archive}: member {file.member!r} {wrong}; remove the archive and fetch it again")
        part.finish(target)


def _verify(file: OfficialFile, path: Path, output: Path) -> str:
    """The sha256 of a file. Raises WrongFileError unless it equals the published file, and the file of earlier uses."""
    wrong = fault(path, file)
    if wrong:
        raise WrongFileError(f"{path}: {wrong}; remove it, then the same command fetches it again")
    sha256 = files.sha256(path)
    for where, earlier in _earlier_hashes(file, path, output).items():
        if sha256 != earlier:
            raise WrongFileError(
                f"{path}: has the sha256 {sha256}, but {where} recorded {earlier}; files of published weights do not "
                f"change. Restore the file; if you changed it on purpose, remove that record"
            )
    return sha256


def _earlier_hashes(file: OfficialFile, path: Path, output: Path) -> dict[Path, str]:
    """Hashes of earlier uses, by the file that records them."""
    hashes = {}
    beside, earlier = _note(path), output / PROVENANCE
    if beside.is_file():
        hashes[beside] = _hash_in(beside)
    if earlier.is_file():
        hashes |= {earlier: _hashes_in(earlier)[file.name]} if file.name in _hashes_in(earlier) else {}
    return hashes


def _remember(file: OfficialFile, path: Path, sha256: str) -> None:
    """Record the hash of a file beside it if none is published; in a read-only folder, only provenance has it."""
    note = _note(path)
    if file.sha256 != UNKNOWN or note.exists():
        return
    try:
        files.write_note(note, f"{sha256}  {path.name}\n")
    except OSError as error:
        log.info("%s: cannot be written (%s); the sha256 is in %s alone", note, error.strerror, PROVENANCE)


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _hash_in(note: Path) -> str:
    words = note.read_text(encoding="utf-8").split()
    if not words or not SHA256.fullmatch(words[0]):
        raise WrongFileError(f"{note}: does not begin with a sha256; remove it, and the next use writes it again")
    return words[0]


def _hashes_in(earlier: Path) -> dict[str, str]:
    try:
        return {entry["name"]: entry["sha256"] for entry in json.loads(earlier.read_text("utf-8"))["official_files"]}
    except (ValueError, KeyError, TypeError) as error:
        raise WrongFileError(f"{earlier}: is not a record of weights; remove it, and it is written again") from error


def _copy(checkpoint: Checkpoint, paths: Mapping[str, Path], output: Path) -> None:
    for file in checkpoint.files:
        with files.atomic(output / PurePosixPath(file.name).name) as part:
            shutil.copyfile(paths[file.name], part)


def _convert(checkpoint: Checkpoint, paths: Mapping[str, Path], output: Path) -> None:
    from codec_wrappers.weights.conversion import convert

    if checkpoint.converter:
        plugins.load(checkpoint.converter)({PurePosixPath(name).name: path for name, path in paths.items()}, output)
        return
    convert(checkpoint, paths, output / WEIGHTS)
    config = checkpoint.architecture_file
    if config is not None:
        files.write_note(output / CONFIG, paths[config.name].read_text(encoding="utf-8"))


def _addresses(file: OfficialFile) -> list[str]:
    if file.archive is None:
        return [*file.addresses]
    return [*file.addresses, *(f"{address} (its member {file.member})" for address in file.archive.addresses)]


def _by_hand(missing: Mapping[str, Mapping[str, str]], folder: Path) -> str:
    lines = [f"{len(missing)} file(s) are not in {folder} and could not be downloaded. Download them and save them as:"]
    for name, faults in missing.items():
        lines.append(f"  {folder / name}")
        lines += [f"    from {address}\n      ({reason})" for address, reason in faults.items()]
    return "\n".join(lines)
