"""Uploads go to the server in HF_ENDPOINT with the token of `huggingface_hub`; only finished data sets are uploaded."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hub_stand_in
import pytest
from hub_stand_in import Hub

from codecfake.publishing.clips import PublishingError
from codecfake.publishing.output import MANIFEST
from codecfake.publishing.push import push


@pytest.fixture
def hub() -> Iterator[Hub]:
    with hub_stand_in.running() as hub:
        yield hub


def command(hub: Hub, folder: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own: `huggingface_hub` reads its environment when it is imported."""
    ours = {"HF_ENDPOINT": hub.address, "HF_TOKEN": "hf_test", "NO_PROXY": "127.0.0.1", "HF_HOME": str(tmp_path)}
    arguments = [sys.executable, "-m", "codecfake", "publish", "--to", str(folder), "--push", "owner/name"]
    return subprocess.run(arguments, env={**os.environ, **ours}, capture_output=True, text=True, timeout=300)


def test_every_file_is_uploaded_to_a_private_data_set_with_the_users_token(
    hub: Hub, data_set: Path, tmp_path: Path
) -> None:
    process = command(hub, data_set, tmp_path)
    assert process.returncode == 0, process.stderr
    assert process.stdout.strip() == f"{hub.address}/datasets/owner/name"
    assert hub.files == {p.relative_to(data_set).as_posix(): p.read_bytes() for p in data_set.rglob("*") if p.is_file()}
    (repository,) = hub.repositories
    assert repository["type"] == "dataset" and repository["visibility"] == "private"
    assert hub.authorizations == {"Bearer hf_test"}


@pytest.mark.long
def test_a_refusal_names_the_remedy(hub: Hub, data_set: Path, tmp_path: Path) -> None:
    hub.refuses = True
    process = command(hub, data_set, tmp_path)
    assert process.returncode == 1
    assert "owner/name: cannot be uploaded" in process.stderr and "`hf auth login` or set HF_TOKEN" in process.stderr
    assert hub.files == {}


def test_without_the_library_the_remedy_is_named(data_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(PublishingError, match="huggingface_hub is not installed .*; run `pip install huggingface_hub`"):
        push(data_set, "owner/name")


def test_a_data_set_that_is_not_finished_or_was_changed_is_not_uploaded(data_set: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(data_set, tmp_path / "copy")
    (folder / "README.md").write_text("changed", encoding="utf-8")
    with pytest.raises(PublishingError, match=r"README.md: its sha256 is not the one in .*; publish again before"):
        push(folder, "owner/name")
    (folder / MANIFEST).unlink()
    with pytest.raises(PublishingError, match="not a finished data set; publish a run there first"):
        push(folder, "owner/name")
