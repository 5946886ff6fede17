"""Models of the Hugging Face hub: fetched once for a run, and read from the cache at the commit that it recorded.

Downloads are those of `huggingface_hub`: they resume, go to the mirror in HF_ENDPOINT, and stay in the user's cache.
With a record, a job needs no network. Jobs get the folder of a run's records from the environment variable
CODECFAKE_HUB_MODELS, which only this module reads: as with plugins, Snakemake must not take it for a setting.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from codecfake.base import files, json_texts, provenance
from codecfake.base.home import expanded

VARIABLE = "CODECFAKE_HUB_MODELS"
ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[0-9a-f]{40})?", re.ASCII)  # with a commit, or the newest
CONFIG, WEIGHTS = "config.json", ("model.safetensors", "pytorch_model.bin")  # of a model; either file of weights


class HubModelError(RuntimeError):
    """A model of the hub that a run has recorded cannot be read."""


def is_id(weights: str) -> bool:
    """Whether weights are named by a hub id, `OWNER/NAME` or `OWNER/NAME@COMMIT`, and not by a folder here."""
    return bool(ID.fullmatch(weights)) and not Path(expanded(weights)).is_dir()


def record_name(model: str) -> str:
    """The name of the folder of a model's record."""
    return model.replace("/", "--").replace("@", "--")


def download(model: str, names: Sequence[str] = ()) -> Path:
    """The folder of a model in the cache, with the files `names` of one commit; without, its configuration and weights.

    What the cache has is not downloaded. Raises the errors of `huggingface_hub`.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    repository, _, pinned = model.partition("@")
    first, *others = names or (CONFIG,)
    folder = Path(hf_hub_download(repository, first, revision=pinned or None)).parent
    commit = folder.name
    for name in others:
        hf_hub_download(repository, name, revision=commit)
    if not names:
        try:
            hf_hub_download(repository, WEIGHTS[0], revision=commit)
        except EntryNotFoundError:  # some published models have none
            hf_hub_download(repository, WEIGHTS[1], revision=commit)
    return folder


def fetch(model: str, output: Path, names: Sequence[str] = ()) -> None:
    """Download a model to the cache as `download`; record in `output` its commit and the sha256 of its files."""
    folder = download(model, names)
    paths = sorted(path for path in folder.iterdir() if path.name in (names or (CONFIG, *WEIGHTS)))
    record = {
        "hub_model": model,
        "revision": folder.name,
        "official_files": [
            {"name": path.name, "bytes": path.stat().st_size, "sha256": files.sha256(path)} for path in paths
        ],
        "weights_sha256": {},  # of files in this folder, which has none
    }
    files.write_note(output / provenance.RECORD, files.as_json(record))


def fetched(model: str) -> Path | None:
    """The folder in the cache of a model that this run has fetched, at its recorded commit; None if it has no record.

    Raises HubModelError if the cache has lost it.
    """
    records = os.environ.get(VARIABLE)
    folder = Path(records) / record_name(model) if records and is_id(model) else None
    return None if folder is None or not (folder / provenance.RECORD).is_file() else recorded(folder, model)


def recorded(folder: Path, model: str | None = None) -> Path:
    """The folder in the cache of a model (None: the recorded one) at the commit that `fetch` recorded in `folder`.

    Raises HubModelError if the cache has lost it.
    """
    from huggingface_hub import try_to_load_from_cache

    path = folder / provenance.RECORD
    remedy = f"remove {path}, and the same command fetches it again"
    record = json_texts.read_object(path, remedy)
    commit = record.get("revision")
    repository = str(model or record.get("hub_model")).partition("@")[0]
    name = next((str(file["name"]) for file in record.get("official_files", [])), CONFIG)
    file = try_to_load_from_cache(repository, name, revision=str(commit))
    if not isinstance(file, str):
        raise HubModelError(f"{repository}: the cache of Hugging Face no longer has commit {commit} of it; {remedy}")
    return Path(file).parent
