"""Files of pretrained networks that generators share with others: a folder, or an id of the Hugging Face hub."""

from collections.abc import Sequence
from pathlib import Path

from codecfake.base import hub_models
from codecfake.base.home import expanded
from codecfake.generators.generator import GeneratorError


def files_of(place: str, names: Sequence[str], purpose: str) -> list[Path]:
    """Paths of the files `names` in a folder, or of a hub id, which are downloaded unless they already were.

    Raises GeneratorError if one is not available.
    """
    folder = hub_models.fetched(place) or Path(expanded(place))
    if folder.is_dir():
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise absent(place, purpose, f"the folder has no {missing[0]}")
        return [folder / name for name in names]
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HFValidationError

    try:
        return [Path(hf_hub_download(place, name)) for name in names]
    except HFValidationError as error:
        raise absent(place, purpose, "it is neither a folder on this machine nor the id of a hub model") from error
    except (OSError, EntryNotFoundError) as error:
        raise absent(place, purpose, error) from error


def absent(place: str, purpose: str, error: Exception | str) -> GeneratorError:
    return GeneratorError(
        f"{purpose} {place!r} cannot be loaded: {error}. Download it on a machine with network access "
        f"(hf download {place} --local-dir FOLDER), and give that folder in the generator's `model`"
    )
