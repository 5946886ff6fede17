"""The first commands of every job's shell survive any name of a folder."""

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from codecfake.running.hooks import Run
from codecfake.running.storage import Storage


@pytest.mark.parametrize("name", ["plain", "a {1} b", "{}", "it's", "$HOME `x`", "语音 é"])
def test_jobs_get_the_folder_of_the_experiment_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("CODECFAKE_PLUGINS", str(tmp_path / name))
    storage = Storage(SimpleNamespace(storage_settings=None))
    run = cast(Run, SimpleNamespace(is_module=True, storage=storage))
    prefix = Run.shell_prefix(run, "export OF_IMPORTER='{x}'; ").format()  # Snakemake formats it
    command = f'{prefix}printf "%s|%s" "$CODECFAKE_PLUGINS" "$OF_IMPORTER"'
    output = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout
    assert output == f"{tmp_path / name}|{{x}}"
