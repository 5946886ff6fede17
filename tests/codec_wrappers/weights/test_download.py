"""Downloads: only whole and right files get their name, whatever a server does, and what is there is not sent again."""

import hashlib
import io
import logging
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import requests
from file_server import FileServer, running
from places import ROOT

from codec_wrappers.weights import download as module
from codec_wrappers.weights import partial_file
from codec_wrappers.weights.checkpoints import PublishedFile
from codec_wrappers.weights.download import DownloadError, Patience, download
from codec_wrappers.weights.responses import CHUNK_BYTES

DATA = np.random.default_rng(0).bytes(1_000_000)
OTHER = np.random.default_rng(1).bytes(1_000_000)
CUT = 600_000
QUICK = Patience(attempts=3, backoff_seconds=0.0, timeout_seconds=10.0)
DATE = "Mon, 06 Oct 2025 00:00:00 GMT"

pytestmark = pytest.mark.usefixtures("no_proxy")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "weights" / "codec.pt"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def published(*addresses: str, **facts: Any) -> PublishedFile:
    return PublishedFile("codec.pt", addresses, **facts)


def zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("weights", data)
    return buffer.getvalue()


def names(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, "did not happen within a minute"
        time.sleep(0.01)


def test_a_file_arrives_whole_and_leaves_nothing_else(server: FileServer, target: Path) -> None:
    file = published(server.serve("codec.pt", DATA), bytes=len(DATA), sha256=sha256(DATA))
    download(file, target, QUICK)
    assert target.read_bytes() == DATA
    assert names(target) == ["codec.pt"]


@pytest.mark.parametrize("data", [b"x", DATA[:CHUNK_BYTES], DATA[: CHUNK_BYTES + 1]])
def test_files_of_any_length_arrive_whole(server: FileServer, target: Path, data: bytes) -> None:
    download(published(server.serve("codec.pt", data)), target, QUICK)
    assert target.read_bytes() == data
    assert names(target) == ["codec.pt"]


def test_a_file_that_is_there_is_not_asked_for(server: FileServer, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"mine")
    download(published(server.serve("codec.pt", DATA)), target, QUICK)
    assert target.read_bytes() == b"mine"
    assert server.requests == []


def test_a_file_with_another_hash_is_refused_with_both_hashes_and_not_kept(server: FileServer, target: Path) -> None:
    file = published(server.serve("codec.pt", OTHER), sha256=sha256(DATA))
    with pytest.raises(DownloadError, match=f"(?s)sha256 {sha256(OTHER)}.*published file has {sha256(DATA)}"):
        download(file, target, QUICK)
    assert names(target) == []


def test_a_file_of_another_size_than_published_is_not_even_received(server: FileServer, target: Path) -> None:
    file = published(server.serve("codec.pt", DATA), bytes=len(DATA) + 1)
    with pytest.raises(DownloadError, match=f"offers {len(DATA)} bytes; the published file has {len(DATA) + 1}"):
        download(file, target, QUICK)
    assert names(target) == []


@pytest.mark.parametrize("about_mb", [0.9, 1.1])
def test_a_file_far_from_the_published_megabytes_is_refused(server: FileServer, target: Path, about_mb: float) -> None:
    with pytest.raises(DownloadError, match="the published file has about|more than the file can have"):
        download(published(server.serve("codec.pt", DATA), about_mb=about_mb), target, QUICK)
    assert names(target) == []


def test_a_file_near_the_published_megabytes_is_taken(server: FileServer, target: Path) -> None:
    download(published(server.serve("codec.pt", DATA), about_mb=0.98), target, QUICK)
    assert target.read_bytes() == DATA


def test_a_connection_that_always_ends_early_is_given_up_and_what_came_is_kept(
    server: FileServer, target: Path
) -> None:
    address = server.serve("codec.pt", DATA, ranges=False, cuts=[CUT] * QUICK.attempts)
    with pytest.raises(DownloadError, match="at attempt 3 of 3"):
        download(published(address), target, QUICK)
    assert len(server.requests) == QUICK.attempts
    assert names(target) == ["codec.pt.part", "codec.pt.part.json"]


def test_a_zip_file_without_its_end_is_refused_where_no_length_tells(server: FileServer, target: Path) -> None:
    address = server.serve("codec.pt", zipped(DATA)[:-100], says_length=False)
    with pytest.raises(DownloadError, match="cut short: .* zip file without its end"):
        download(published(address), target, QUICK)
    assert names(target) == []


def test_a_server_that_does_not_stop_is_stopped(server: FileServer, target: Path) -> None:
    address = server.serve("codec.pt", DATA, says_length=False)
    with pytest.raises(DownloadError, match="sent more than 1000 bytes"):
        download(published(address, bytes=1000), target, QUICK)
    assert names(target) == []


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "application/xhtml+xml"])
def test_a_web_page_is_refused_by_what_the_server_calls_it(server: FileServer, target: Path, content_type: str) -> None:
    address = server.serve("codec.pt", DATA, content_type=content_type)
    with pytest.raises(DownloadError, match="returned a web page"):
        download(published(address), target, QUICK)
    assert names(target) == []


@pytest.mark.parametrize(
    "text", [b"\n <!DOCTYPE html><html>", b"\xef\xbb\xbf<HTML>", b"<?xml ?><Error>", b"version https://git-lfs.github"]
)
def test_a_text_in_place_of_a_checkpoint_is_refused_by_its_beginning(
    server: FileServer, target: Path, text: bytes
) -> None:
    with pytest.raises(DownloadError, match="is a text that begins"):
        download(published(server.serve("codec.pt", text)), target, QUICK)
    assert names(target) == []


def test_a_download_that_breaks_off_goes_on_where_it_was(server: FileServer, target: Path) -> None:
    file = published(server.serve("codec.pt", DATA, cuts=[CUT]), sha256=sha256(DATA))
    download(file, target, QUICK)
    first, second = server.requests
    assert target.read_bytes() == DATA
    assert first.range is None
    assert second.range is not None
    assert CUT - CHUNK_BYTES < int(second.range.removeprefix("bytes=").removesuffix("-")) <= CUT
    assert second.if_range == '"first"'
    assert server.bytes_sent < 1.1 * len(DATA)


def test_a_later_run_goes_on_with_what_an_earlier_one_left(server: FileServer, target: Path) -> None:
    file = published(server.serve("codec.pt", DATA, cuts=[CUT]))
    with pytest.raises(DownloadError):
        download(file, target, Patience(attempts=1))
    download(file, target, QUICK)
    assert target.read_bytes() == DATA
    assert server.bytes_sent < 1.1 * len(DATA)
    assert names(target) == ["codec.pt"]


def test_a_part_that_is_complete_gets_its_name_without_a_request(server: FileServer, target: Path) -> None:
    address = server.serve("codec.pt", DATA)
    source = {"address": address, "etag": '"first"', "last_modified": None, "num_bytes": len(DATA), "sha256": None}
    target.parent.mkdir()
    target.with_name("codec.pt.part").write_bytes(DATA)
    module.files.write_json(target.with_name("codec.pt.part.json"), source)
    download(published(address, sha256=sha256(DATA)), target, QUICK)
    assert target.read_bytes() == DATA
    assert server.requests == []


def test_a_server_that_cannot_resume_sends_the_file_anew(server: FileServer, target: Path) -> None:
    download(published(server.serve("codec.pt", DATA, ranges=False, cuts=[CUT])), target, QUICK)
    assert target.read_bytes() == DATA
    assert len(server.requests) == 2


def test_a_server_may_give_less_than_the_rest_at_a_time(server: FileServer, target: Path) -> None:
    address = server.serve("codec.pt", DATA, cuts=[CUT], most_of_range=(len(DATA) - CUT) // 2 + CHUNK_BYTES)
    download(published(address), target, QUICK)
    assert target.read_bytes() == DATA
    assert len(server.requests) == 3


@pytest.mark.parametrize("version", [{"etag": '"%s"'}, {"etag": None, "last_modified": "%s"}])
@pytest.mark.parametrize("heeds_if_range", [True, False])
def test_a_file_that_changed_meanwhile_is_not_glued_to_the_old_part(
    server: FileServer, target: Path, version: dict[str, Any], heeds_if_range: bool
) -> None:
    def of(day: str) -> dict[str, Any]:
        return {key: value % f"{day} Oct 2025 00:00:00 GMT" if value else None for key, value in version.items()}

    file = published(server.serve("codec.pt", DATA, cuts=[CUT], **of("Mon, 06")))
    with pytest.raises(DownloadError):
        download(file, target, Patience(attempts=1))
    server.serve("codec.pt", OTHER, heeds_if_range=heeds_if_range, **of("Tue, 07"))
    download(file, target, QUICK)
    assert target.read_bytes() == OTHER


def test_a_file_of_another_length_is_not_glued_even_where_nothing_else_tells(server: FileServer, target: Path) -> None:
    file = published(server.serve("codec.pt", DATA, cuts=[CUT]))
    with pytest.raises(DownloadError):
        download(file, target, Patience(attempts=1))
    server.serve("codec.pt", OTHER[:-1])
    download(file, target, QUICK)
    assert target.read_bytes() == OTHER[:-1]


def test_where_a_server_cannot_tell_versions_apart_a_download_begins_anew(server: FileServer, target: Path) -> None:
    download(published(server.serve("codec.pt", DATA, etag=None, cuts=[CUT])), target, QUICK)
    assert target.read_bytes() == DATA
    assert [request.range for request in server.requests] == [None, None]


def test_a_weak_etag_is_not_trusted_with_bytes_but_a_date_is(server: FileServer, target: Path) -> None:
    address = server.serve("codec.pt", DATA, etag='W/"first"', last_modified=DATE, cuts=[CUT])
    download(published(address), target, QUICK)
    assert target.read_bytes() == DATA
    assert server.requests[1].if_range == DATE


def test_the_part_of_one_address_is_not_continued_from_another(server: FileServer, target: Path) -> None:
    first = server.serve("first.pt", DATA, cuts=[CUT] * QUICK.attempts, ranges=False)
    second = server.serve("second.pt", OTHER)
    download(published(first, second), target, QUICK)
    assert target.read_bytes() == OTHER
    assert server.requests[-1].range is None


def test_the_second_address_serves_where_the_first_does_not(server: FileServer, target: Path) -> None:
    file = published(server.address + "gone.pt", server.serve("codec.pt", DATA), sha256=sha256(DATA))
    download(file, target, QUICK)
    assert target.read_bytes() == DATA
    assert [request.path for request in server.requests] == ["gone.pt", "codec.pt"]


def test_the_second_address_serves_where_the_first_gives_another_file(server: FileServer, target: Path) -> None:
    file = published(server.serve("wrong.pt", OTHER), server.serve("codec.pt", DATA), sha256=sha256(DATA))
    download(file, target, QUICK)
    assert target.read_bytes() == DATA


def test_a_server_that_is_busy_is_asked_again(server: FileServer, target: Path) -> None:
    download(published(server.serve("codec.pt", DATA, statuses=[503, 429])), target, QUICK)
    assert target.read_bytes() == DATA
    assert len(server.requests) == 3


def test_a_server_that_stays_busy_is_given_up(server: FileServer, target: Path) -> None:
    with pytest.raises(DownloadError, match="HTTP status 503 .* at attempt 3 of 3"):
        download(published(server.serve("codec.pt", DATA, statuses=[503] * 9)), target, QUICK)
    assert len(server.requests) == QUICK.attempts


def test_waits_double_between_attempts(server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(module, "time", SimpleNamespace(**{**vars(time), "sleep": waits.append}))  # of this module only
    with pytest.raises(DownloadError):
        download(published(server.serve("codec.pt", DATA, statuses=[503] * 9)), target, Patience(4, 2.0))
    assert waits == [2.0, 4.0, 8.0]


def test_a_file_that_is_not_there_is_not_asked_for_twice(server: FileServer, target: Path) -> None:
    with pytest.raises(DownloadError, match="HTTP status 404"):
        download(published(server.address + "gone.pt"), target, QUICK)
    assert len(server.requests) == 1
    assert names(target) == []


def test_no_connection_is_told_with_the_address_and_the_cause(target: Path) -> None:
    with running() as server:
        address = server.address + "codec.pt"
    with pytest.raises(DownloadError, match=f"(?s){address}.*refused"):
        download(published(address), target, QUICK)


def test_the_hash_that_a_hub_announces_before_it_redirects_is_kept_to(server: FileServer, target: Path) -> None:
    server.serve("store", DATA)
    right, wrong = ({"X-Linked-Etag": f'"{sha256(data)}"'} for data in (DATA, OTHER))
    with pytest.raises(DownloadError, match=f"the published file has {sha256(OTHER)}"):
        download(published(server.serve("hub", b"", redirect="store", headers=wrong)), target, QUICK)
    download(published(server.serve("hub", b"", redirect="store", headers=right)), target, QUICK)
    assert target.read_bytes() == DATA


def test_an_encrypted_address_may_not_lead_over_a_plain_one(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses: list[str] = []

    def get(_: object, address: str, **__: object) -> requests.Response:
        addresses.append(address)
        response = requests.Response()
        response.status_code, response.url, response.raw = 302, address, io.BytesIO()
        response.headers["Location"] = "http://elsewhere.example/codec.pt"
        return response

    monkeypatch.setattr(requests.Session, "get", get)
    with pytest.raises(DownloadError, match="redirects to http://elsewhere.example/codec.pt, which is not encrypted"):
        download(published("https://hub.example/codec.pt"), target, QUICK)
    assert addresses == ["https://hub.example/codec.pt"]


def test_two_at_once_get_one_good_file_from_one_request(
    server: FileServer, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="codecfake.weights")
    gate = threading.Event()
    file = published(server.serve("codec.pt", DATA, gate=gate), sha256=sha256(DATA))
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(download, file, target, QUICK) for _ in range(2)]
        wait_for(lambda: "another process is downloading it" in caplog.text)
        gate.set()
        assert [job.result(timeout=60) for job in jobs] == [None, None]
    assert target.read_bytes() == DATA
    assert len(server.requests) == 1
    assert names(target) == ["codec.pt"]


def test_one_that_waited_for_another_that_failed_tries_itself(
    server: FileServer, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="codecfake.weights")
    gate = threading.Event()
    file = published(server.serve("codec.pt", DATA, statuses=[404], gate=gate))
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(download, file, target, QUICK) for _ in range(2)]
        wait_for(lambda: "another process is downloading it" in caplog.text)
        gate.set()
        faults = sorted(type(job.exception(timeout=60)).__name__ for job in jobs)
    assert faults == ["DownloadError", "NoneType"]
    assert target.read_bytes() == DATA
    assert names(target) == ["codec.pt"]


def test_a_killed_download_leaves_only_a_part_and_the_next_one_ends_in_the_same_file(
    server: FileServer, target: Path
) -> None:
    gate = threading.Event()
    address = server.serve("codec.pt", DATA, gate=gate)
    code = (
        "import sys; from pathlib import Path; from codec_wrappers.weights.checkpoints import PublishedFile; "
        "from codec_wrappers.weights.download import download; "
        "download(PublishedFile('codec.pt', (sys.argv[1],)), Path(sys.argv[2]))"
    )
    part = target.with_name("codec.pt.part")
    with subprocess.Popen([sys.executable, "-c", code, address, str(target)], cwd=ROOT) as job:
        try:
            wait_for(lambda: part.exists() and part.stat().st_size > CUT)
        finally:
            job.send_signal(signal.SIGKILL)
    assert names(target) == ["codec.pt.part", "codec.pt.part.json"]
    gate.set()
    download(published(address, sha256=sha256(DATA)), target, QUICK)
    assert target.read_bytes() == DATA
    assert server.requests[1].range is not None


def test_a_file_system_that_cannot_lock_is_told_of(
    server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(partial_file.fcntl, "flock", no_locks)
    download(published(server.serve("codec.pt", DATA)), target, QUICK)
    assert target.read_bytes() == DATA
    assert "cannot be locked" in caplog.text
