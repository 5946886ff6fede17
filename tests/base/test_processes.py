"""What worker processes lack is named with its place and its remedy, before they start."""

import errno
from types import SimpleNamespace

import pytest

from codecfake.base import processes
from codecfake.base.files import WriteError
from codecfake.running.watching import failures


def test_shared_memory_that_cannot_be_written_is_named_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def lock() -> None:
        raise OSError(errno.EROFS, "Read-only file system")  # as `multiprocessing` says it, without a place

    processes.require_shared_memory()
    monkeypatch.setattr(processes, "get_context", lambda method: SimpleNamespace(Lock=lock))
    with pytest.raises(WriteError, match=r"/dev/shm: cannot be written \(Read-only file system\); make that place"):
        processes.require_shared_memory()


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("WriteError: /dev/shm: cannot be written (Read-only file system); …", "processes share memory in /dev/shm"),
        ("WriteError: results/x.tsv: cannot be written (File too large); …", "raise the limit (`ulimit -f unlimited`)"),
        ("WriteError: results/x.tsv: cannot be written (Read-only file system); …", "make that folder writable"),
    ],
)
def test_the_remedy_at_the_end_of_a_run_is_that_of_the_message(line: str, remedy: str) -> None:
    assert remedy in failures.remedy([line])
