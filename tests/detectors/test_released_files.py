"""Files of released detectors: from the weights folder or the web, and refused unless they are the published ones."""

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from file_server import FileServer

from codec_wrappers.weights import checkpoints
from codec_wrappers.weights.checkpoints import PERMISSIVE, PublishedFile
from codecfake.base import provenance
from codecfake.detectors import released_files
from codecfake.detectors.released_files import FILES, ReleasedFileError, fetch, outputs
from codecfake.detectors.released_forms import RELEASED

CONTENT = b"weights" * 100
SHA256 = hashlib.sha256(CONTENT).hexdigest()

pytestmark = pytest.mark.usefixtures("no_proxy")


def publish(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    file = PublishedFile("aasist/AASIST.pth", (address,), len(CONTENT), sha256=SHA256)
    monkeypatch.setitem(FILES, "aasist", file)


def test_every_known_file_is_of_a_form_and_pinned_and_free_to_use() -> None:
    for form, file in FILES.items():
        assert {RELEASED[form].code_license, RELEASED[form].weights_license} <= PERMISSIVE
        assert len(file.sha256) == 64 and file.bytes
        assert all(address.startswith("https://") for address in file.addresses)


def test_a_form_has_no_name_of_a_checkpoint_whose_folder_it_would_share() -> None:
    assert not set(RELEASED) & set(checkpoints.load())


@pytest.mark.parametrize("form", FILES)
def test_the_files_that_authors_released_are_the_known_ones(form: str, shared: Path, tmp_path: Path) -> None:
    if not (shared / "weights" / FILES[form].name).is_file():
        pytest.skip(f"needs {FILES[form].name} in {shared / 'weights'}")
    fetch(form, shared / "weights", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(outputs(form))
    assert list(provenance.faults(tmp_path)) == []


def test_a_missing_file_is_downloaded_once_and_recorded(
    server: FileServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    publish(monkeypatch, server.serve("AASIST.pth", CONTENT))
    for output in ("first", "second"):
        fetch("aasist", tmp_path / "weights", tmp_path / output)
        assert (tmp_path / output / "AASIST.pth").read_bytes() == CONTENT
    assert len(server.requests) == 1
    record = json.loads((tmp_path / "second" / provenance.RECORD).read_text(encoding="utf-8"))
    assert record["official_files"][0]["sha256"] == record["weights_sha256"]["AASIST.pth"] == SHA256
    assert (record["detector"], record["weights_license"]) == ("aasist", "MIT")


def test_a_file_that_is_not_the_published_one_is_refused_and_a_damaged_copy_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    publish(monkeypatch, "http://127.0.0.1:9/none")
    (tmp_path / "weights/aasist").mkdir(parents=True)
    path = tmp_path / "weights/aasist/AASIST.pth"
    path.write_bytes(CONTENT)
    fetch("aasist", tmp_path / "weights", tmp_path / "output")
    (tmp_path / "output/AASIST.pth").write_bytes(b"other")
    assert [damaged.name for damaged, _ in provenance.faults(tmp_path / "output")] == ["AASIST.pth"]
    path.write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(ReleasedFileError, match="has the sha256 .* remove it, then the same command fetches it again"):
        fetch("aasist", tmp_path / "weights", tmp_path / "output")


def test_without_a_network_the_error_says_what_to_save_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    publish(monkeypatch, "http://127.0.0.1:9/none")
    monkeypatch.setattr("codec_wrappers.weights.download.time", SimpleNamespace(sleep=lambda seconds: None))
    where = tmp_path / "weights/aasist/AASIST.pth"
    with pytest.raises(ReleasedFileError, match=rf"by hand from http://127.0.0.1:9/none and save it as {where}"):
        released_files.fetch("aasist", tmp_path / "weights", tmp_path / "output")
