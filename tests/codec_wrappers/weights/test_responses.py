"""Servers that mean harm or are broken: each is an error with the address, and the next address is asked."""

import gzip
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from file_server import FileServer

from codec_wrappers.weights import responses
from codec_wrappers.weights.checkpoints import PublishedFile
from codec_wrappers.weights.download import DownloadError, Patience, download
from codec_wrappers.weights.responses import LEAST_SPEED, BrokenOffError

DATA = bytes(range(256)) * 800
IMPATIENT = Patience(attempts=2, backoff_seconds=0.0, timeout_seconds=5.0, answer_seconds=2.0, speed_seconds=1.0)
SLOW = 0.02  # seconds per byte: 50 bytes per second

pytestmark = pytest.mark.usefixtures("no_proxy")

HARM: dict[str, tuple[dict[str, Any], str]] = {
    "an empty body": ({"data": b""}, "is empty"),
    "a body that drips": ({"seconds_per_byte": SLOW}, "slower than 1000 bytes per second for 1 s, at attempt 2 of 2"),
    "headers that drip": (
        {"raw": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 99, "seconds_per_byte": SLOW}, "no answer within 2 s"
    ),
    "a bomb": (
        {"data": gzip.compress(bytes(1 << 24)), "headers": {"Content-Encoding": "gzip"}},
        r"sent the file packed \(gzip\), though it was asked for as it is",
    ),
    "a length of many digits": (
        {"says_length": False, "headers": {"Content-Length": "9" * 5000}}, "announces a length of 5000 digits"
    ),
    "a reason with control characters": (
        {"raw": b"HTTP/1.1 404 \x1b[2J\x1b[32mALL GOOD\r\nContent-Length: 0\r\n\r\n"}, r"HTTP status 404 \\x1b\[2J"
    ),
    "a redirect to a file": ({"redirect": "file:///etc/passwd"}, "redirects to file:///etc/passwd, which is not"),
    "a redirect to itself": ({"redirect": "first.pt"}, "redirects more than 10 times"),
    "a redirect that is not text": ({"redirect": "x:\xff\x1b"}, r"redirects to x:\S*\\x1b, which is not an address"),
    "what is not HTTP": ({"raw": b"\x1b[2J\n\n"}, r"\\x1b\[2J\\n, at attempt 2"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HARM)
def test_a_harmful_answer_is_an_error_with_its_address_and_the_next_address_is_asked(
    kind: str, server: FileServer, tmp_path: Path
) -> None:
    how, message = HARM[kind]
    first = server.serve("first.pt", **{"data": DATA, **how})
    with pytest.raises(DownloadError, match=f"(?s){first}.*{message}") as error:
        download(PublishedFile("codec.pt", (first,)), tmp_path / "codec.pt", IMPATIENT)
    assert str(error.value).replace("\n", "").isprintable()
    assert not (tmp_path / "codec.pt").exists()
    download(PublishedFile("codec.pt", (first, server.serve("second.pt", DATA))), tmp_path / "codec.pt", IMPATIENT)
    assert (tmp_path / "codec.pt").read_bytes() == DATA
    assert [path.name for path in tmp_path.iterdir()] == ["codec.pt"]


def test_an_endless_body_of_a_redirect_is_not_read(server: FileServer, tmp_path: Path) -> None:
    server.serve("second.pt", DATA)
    first = server.serve("first.pt", bytes(50 << 20), redirect="second.pt", seconds_per_byte=0)
    download(PublishedFile("codec.pt", (first,)), tmp_path / "codec.pt", Patience(attempts=1, answer_seconds=10.0))
    assert (tmp_path / "codec.pt").read_bytes() == DATA


@pytest.mark.parametrize(("bytes_per_second", "arrives"), [(LEAST_SPEED, True), (LEAST_SPEED // 2, False)])
def test_a_body_arrives_if_it_is_fast_enough(
    bytes_per_second: int, arrives: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(100))  # a second between two looks at it, as each piece arrives
    monkeypatch.setattr(responses, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    body = [bytes(bytes_per_second)] * 9
    monkeypatch.setattr(responses, "_piece", lambda response: body.pop() if body else b"")
    with nullcontext() if arrives else pytest.raises(BrokenOffError, match="slower than 1000 bytes per second for 3 s"):
        assert len(list(responses.pieces(requests.Response(), speed_seconds=3))) == 9


@pytest.mark.parametrize("redirect", ["", "second.pt"])
def test_passwords_of_this_user_are_not_sent(
    redirect: str, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    server.serve("second.pt", DATA)
    address = server.serve("first.pt", DATA, redirect=redirect)
    download(PublishedFile("codec.pt", (address,)), tmp_path / "codec.pt", IMPATIENT)
    assert len(server.requests) == 1 + bool(redirect)
    assert {request.authorization for request in server.requests} == {None}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"etag": '"first"'}, {"etag": None}),
        ({"etag": None, "last_modified": "Mon, 06 Oct 2025 00:00:00 GMT"}, {"etag": None, "last_modified": None}),
    ],
)
def test_the_rest_of_a_file_without_its_version_is_not_glued_to_the_beginning(
    before: dict[str, Any], after: dict[str, Any], server: FileServer, tmp_path: Path
) -> None:
    file = PublishedFile("codec.pt", (server.serve("first.pt", DATA, cuts=[100_000], **before),))
    with pytest.raises(DownloadError):
        download(file, tmp_path / "codec.pt", Patience(attempts=1))
    server.serve("first.pt", DATA[::-1], heeds_if_range=False, **after)
    download(file, tmp_path / "codec.pt", IMPATIENT)
    assert (tmp_path / "codec.pt").read_bytes() == DATA[::-1]
