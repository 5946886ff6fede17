"""Model folders from a hub: files of our form, from a server with the interface of Hugging Face's.

Only safetensors, JSON and the card are fetched, each checked against the sha256 in its seal if it has one. Settings
from a hub are not trusted: they can name no code outside this package, and no weights elsewhere that would be loaded.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from codec_wrappers.weights import responses
from codec_wrappers.weights.checkpoints import UNKNOWN, PublishedFile
from codec_wrappers.weights.download import PATIENCE, DownloadError, Patience, download
from codec_wrappers.weights.responses import BrokenOffError, RefusedError
from codecfake.base import files, json_texts, plugins
from codecfake.base.printing import excerpt
from codecfake.detectors import models
from codecfake.detectors.front_end_settings import INCLUDED, RANDOM
from codecfake.detectors.shipped_models import CARD
from codecfake.scoring.verdicts import CALIBRATION

PREFIX = "hf:"
ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
VARIABLE = "HF_ENDPOINT"  # a mirror, as in the hub's own client
PUBLIC = "https://huggingface.co"
SUBFOLDER = "hub"  # of the weights folder
SEALED = (models.SETTINGS, models.WEIGHTS)
MOST_LISTING_BYTES = 16 << 20
MOST_SMALL_BYTES = 16 << 20  # of every file but the weights
ABSENT = (401, 403, 404)  # the hub answers 401 for a model that does not exist, as for a private one
COMMIT = re.compile(r"[0-9a-f]{7,64}")
ELSEWHERE = "or fetch it elsewhere and give its folder"


class HubError(RuntimeError):
    """A model cannot be fetched from the hub, or its settings are not safe to use."""


def endpoint(environment: Mapping[str, str]) -> str:
    """The address of the hub: the variable HF_ENDPOINT, or the public one. Raises HubError for no web address."""
    address = environment.get(VARIABLE, "").rstrip("/") or PUBLIC
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise HubError(f"{VARIABLE} is {address!r}, not a web address; set it to one such as {PUBLIC}, or unset it")
    return address


def fetch(name: str, folder: Path, address: str, patience: Patience = PATIENCE) -> Path:
    """The model folder `OWNER/NAME` below the weights folder, downloaded from the hub at `address` if it is not there.

    Raises HubError if the hub cannot be reached, does not have the model, or has something else under its name.
    """
    if not ID.fullmatch(name):
        raise HubError(f"{PREFIX}{name}: not a hub id; write {PREFIX}OWNER/NAME, of letters, digits, `-`, `_` and `.`")
    output = folder / SUBFOLDER / name
    if not all((output / part).is_file() for part in SEALED):
        _download_all(name, output, address, patience)
    _require_safe(name, output / models.SETTINGS)
    return output


def _download_all(name: str, output: Path, address: str, patience: Patience) -> None:
    commit, sizes = _listing(name, address, patience)
    absent = [part for part in SEALED for part in (part, part + files.SEAL) if part not in sizes]
    if absent:
        raise HubError(
            f"{name}: the hub {address} has it, but without {', '.join(absent)}, and a model folder of codecfake has "
            f"{' and '.join(SEALED)} with their seals; name another model"
        )
    place = f"{address}/{name}/resolve/{commit}"
    optional = [part for part in (CARD, CALIBRATION) if part in sizes]
    try:
        for part in (*optional, *SEALED):  # the weights last: with them the folder is complete
            _download(part, place, sizes, output, patience)
    except DownloadError as error:
        reasons = "; ".join(error.faults.values())
        raise HubError(
            f"{name}: {error.args[0].partition(':')[0]} could not be fetched ({reasons}); give the same command again, "
            f"{ELSEWHERE}"
        ) from error


def _download(part: str, place: str, sizes: Mapping[str, int | None], output: Path, patience: Patience) -> None:
    """Fetch a file and its seal, if it has one; the seal comes first, since it has the digest of the file."""
    sha256 = UNKNOWN
    if part + files.SEAL in sizes:
        seal = part + files.SEAL
        (output / seal).unlink(missing_ok=True)  # of an earlier attempt, perhaps at another commit
        download(_published(seal, place, sizes), output / seal, patience)
        sha256 = files.sealed_sha256(output / part) or UNKNOWN
    if (output / part).is_file() and (sha256 == UNKNOWN or files.sha256(output / part) != sha256):
        (output / part).unlink()
    download(_published(part, place, sizes, sha256), output / part, patience)


def _published(part: str, place: str, sizes: Mapping[str, int | None], sha256: str = UNKNOWN) -> PublishedFile:
    size = sizes[part]
    if part != models.WEIGHTS and (size is None or size > MOST_SMALL_BYTES):
        has = "no known size" if size is None else f"{size} bytes"
        raise HubError(f"{place}/{part}: has {has}, but at most {MOST_SMALL_BYTES} are read; name another model")
    return PublishedFile(part, (f"{place}/{quote(part)}",), size, sha256=sha256)


def _listing(name: str, address: str, patience: Patience) -> tuple[str, dict[str, int | None]]:
    """The newest commit of a model, and the sizes of its files by name; None where the hub does not tell."""
    try:
        status, content = _get(f"{address}/api/models/{name}?blobs=true", patience)
    except (BrokenOffError, RefusedError) as error:
        raise HubError(
            f"{name}: the hub {address} cannot be reached ({error}). No folder here has "
            f"that name, if one was meant; otherwise check the network, set {VARIABLE} to a mirror, {ELSEWHERE}"
        ) from error
    if status in ABSENT:
        raise HubError(
            f"{name}: neither a folder here nor a public model of the hub {address} (HTTP status {status}); "
            f"check the spelling"
        )
    if status != responses.OK:
        raise HubError(f"{name}: the hub {address} answered with HTTP status {status}; try again later, {ELSEWHERE}")
    try:
        return _parsed(json_texts.parse(content.decode("utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = excerpt(f"{type(error).__name__}: {error}")
        raise HubError(
            f"{name}: {address} did not answer as a hub ({reason}); set {VARIABLE} to a hub, {ELSEWHERE}"
        ) from error


def _get(address: str, patience: Patience) -> tuple[int, bytes]:
    headers = {"Accept-Encoding": "identity"}
    with responses.request(address, headers, patience.timeout_seconds, patience.answer_seconds) as response:
        content = b""
        if response.status_code == responses.OK:
            for piece in responses.pieces(response, patience.speed_seconds):
                content += piece
                if len(content) > MOST_LISTING_BYTES:
                    raise RefusedError(f"sent a list of files of more than {MOST_LISTING_BYTES} bytes")
        return response.status_code, content


def _parsed(answer: Any) -> tuple[str, dict[str, int | None]]:
    commit = answer["sha"]
    if not isinstance(commit, str) or not COMMIT.fullmatch(commit):
        raise ValueError(f"its commit is {commit!r}")
    sizes = {}
    for entry in answer["siblings"]:
        size = entry.get("size")
        sizes[str(entry["rfilename"])] = size if type(size) is int and size >= 0 else None
    return commit, sizes


def _require_safe(name: str, settings: Path) -> None:
    """Raise HubError if settings from a hub name code, or weights that are not in the model folder."""
    detector = models.read_record(settings.parent)["settings"]["detector"]
    for part, values in detector.items():
        if not isinstance(values, dict):
            continue
        if plugins.is_outside(str(values.get("name"))):
            raise HubError(
                f"{name}: its {part} is {excerpt(str(values['name']))!r}, code outside of codecfake, which is not run "
                f"for models of a hub; read the code first, then give the folder {settings.parent}"
            )
        config = values.get("config")
        keys = list(config) if isinstance(config, dict) else []
        odd = [key for key in keys if key.startswith("_") or key.endswith("implementation") or key == "auto_map"]
        if odd:
            raise HubError(
                f"{name}: its {part} has the key {excerpt(odd[0])!r}, which can name code; use another model"
            )


def require_own_front_end(name: str, folder: Path, front_end: str | None) -> None:
    """Raise HubError if a model of a hub would load front-end weights that the user did not name."""
    weights = models.read_record(folder)["settings"]["detector"].get("front_end", {}).get("weights", INCLUDED)
    if front_end is None and weights not in (INCLUDED, RANDOM):
        raise HubError(
            f"{name}: its front-end {excerpt(str(weights))!r} is not in it, and a model of a hub cannot choose files "
            f"to load; fetch the front-end and name its folder or hub id with --front-end"
        )
