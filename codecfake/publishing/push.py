"""Uploads a finished data set to the Hugging Face Hub, or to the server in HF_ENDPOINT.

The token is the one that `huggingface_hub` finds: HF_TOKEN, or what `hf auth login` has stored.
"""

from pathlib import Path

from codecfake.publishing.checks import file_digests
from codecfake.publishing.clips import PublishingError
from codecfake.publishing.output import JOURNAL, MANIFEST


def push(folder: Path, repository: str) -> str:
    """Upload `folder` to the dataset `OWNER/NAME`; returns its address. A new repository is private.

    Raises PublishingError for a folder that is not complete or differs from its manifest, for what the server refuses,
    and where `huggingface_hub` is not installed.
    """
    _require_complete(folder)
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError
    except ImportError as error:
        raise PublishingError(
            f"huggingface_hub is not installed ({error}); run `pip install huggingface_hub`"
        ) from error
    api = HfApi()
    try:
        address = api.create_repo(repository, repo_type="dataset", private=True, exist_ok=True)
        api.upload_folder(
            repo_id=repository,
            repo_type="dataset",
            folder_path=folder,
            commit_message="Data set of codecfake",
            ignore_patterns=[JOURNAL, ".*.part"],
        )
    except (HfHubHTTPError, HFValidationError, LocalTokenNotFoundError) as error:
        raise PublishingError(
            f"{repository}: cannot be uploaded ({str(error).splitlines()[0]}); check the name, and log in with "
            f"`hf auth login` or set HF_TOKEN to a token that may write"
        ) from error
    return str(address)


def _require_complete(folder: Path) -> None:
    if not (folder / MANIFEST).is_file():
        raise PublishingError(f"{folder}: no {MANIFEST}: not a finished data set; publish a run there first")
    fault = next(file_digests.faults(folder), None)
    if fault is not None:
        raise PublishingError(f"{folder / fault.where}: {fault.what}; publish again before you upload it")
