"""The files of released detectors whose addresses and digests are known, and how they are fetched.

Only files whose license lets everybody use them are here. Any other is a local file, which its user has fetched.
"""

from pathlib import Path, PurePosixPath
from typing import Any

from codec_wrappers.weights.checkpoints import PublishedFile
from codecfake.base import files, provenance
from codecfake.detectors import released_forms

AASIST = "https://raw.githubusercontent.com/clovaai/aasist"


class ReleasedFileError(RuntimeError):
    """A released file could not be fetched, or is not the published one."""


def _of_aasist(name: str, commit: str, num_bytes: int, sha256: str) -> PublishedFile:
    """A file of the authors' repository: at the commit that added it, or else where it is now."""
    addresses = tuple(f"{AASIST}/{version}/models/weights/{name}" for version in (commit, "main"))
    return PublishedFile(f"aasist/{name}", addresses, num_bytes, sha256=sha256)


FILES: dict[str, PublishedFile] = {  # form -> its file, by its path under the weights folder
    "aasist": _of_aasist(
        "AASIST.pth",
        "f8ad059ccba0ed8a3ed3772eb766c1d20a93dcd2",
        1_281_532,
        "51d2d9cf0738172f61e2a384ec50a54a55363240f67c971ed55a92435bc1a1c0",
    ),
    "aasist-l": _of_aasist(
        "AASIST-L.pth",
        "8ec3bf996b1e3591ee6371cc28980a74e5042136",
        426_428,
        "814331d088032bb4c3fa61cc014789eadeed464209dd094ab3a2dd6ffbdce27a",
    ),
}


def outputs(form: str) -> tuple[str, str]:
    """Names of the files that `fetch` writes: the checkpoint, and the record of its origin."""
    return PurePosixPath(FILES[form].name).name, provenance.RECORD


def fetch(form: str, folder: Path, output: Path) -> None:
    """Copy the file of a form from the weights folder, to which it is downloaded if it is not there, into `output`.

    A record of its origin and license is written beside it. Raises ReleasedFileError if the file cannot be downloaded,
    or if the one in the weights folder is not the published one.
    """
    from codec_wrappers.weights.download import DownloadError, download, fault

    file = FILES[form]
    path = folder / file.name
    if not path.is_file():
        try:
            download(file, path)
        except (DownloadError, OSError) as error:
            addresses = " or ".join(file.addresses)
            raise ReleasedFileError(f"{error}\nDownload it by hand from {addresses} and save it as {path}") from error
    if wrong := fault(path, file):
        raise ReleasedFileError(f"{path}: {wrong}; remove it, then the same command fetches it again")
    checkpoint, record = outputs(form)
    with files.atomic(output / checkpoint) as part:
        part.write_bytes(path.read_bytes())
    files.write_note(output / record, files.as_json(_provenance(form, file)))


def _provenance(form: str, file: PublishedFile) -> dict[str, Any]:
    released = released_forms.find(form)
    return {
        "detector": form,
        "origin": released.origin,
        "code_license": released.code_license,
        "weights_license": released.weights_license,
        "official_files": [
            {
                "name": file.name,
                "addresses": list(file.addresses),
                "bytes": file.bytes,
                "sha256": file.sha256,
            }
        ],
        "weights_sha256": {outputs(form)[0]: file.sha256},
    }
