"""Jobs in a container: every command goes to the image of config.yaml; the image of the Dockerfile can be built."""

import shutil
import subprocess
from pathlib import Path

import pytest
from places import ROOT, TINY
from whole_runs import ON_CPU, python_in, snakemake

# stands for Apptainer, which needs a kernel's leave: notes its arguments and runs the command without a container
APPTAINER = """#!/usr/bin/env bash
if [ "$1" = --version ]; then echo "apptainer version 1.3.6"; exit; fi
echo "$@" >>{notes}
while [ "$1" != {image} ]; do shift; done
shift
exec "$@"
"""


@pytest.mark.long
@pytest.mark.usefixtures("quick_jobs")
def test_jobs_run_in_the_container_of_the_configuration(tmp_path: Path) -> None:
    image, notes, folder = tmp_path / "codecfake.sif", tmp_path / "notes.txt", tmp_path / "bin"
    image.touch()
    folder.mkdir()
    (folder / "apptainer").write_text(APPTAINER.format(notes=notes, image=image), encoding="utf-8")
    (folder / "apptainer").chmod(0o755)
    options = ["--software-deployment-method", "apptainer"]
    with python_in(folder):
        config = [*ON_CPU, f"container={image}"]
        done = snakemake(tmp_path / "run", TINY, "results/protocols/sources.tsv", options=options, config=config)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "codecfake step sources" in notes.read_text(encoding="utf-8")
    assert (tmp_path / "run/results/protocols/sources.tsv").is_file()


def builder() -> str:
    """Docker or Podman, if it works here."""
    for program in ("docker", "podman"):
        if shutil.which(program) and subprocess.run([program, "info"], capture_output=True, timeout=60).returncode == 0:
            return program
    pytest.skip("needs a working docker or podman to build the image")


@pytest.mark.slow
def test_the_image_can_be_built_and_lists_codecs() -> None:
    program = builder()
    built = subprocess.run([program, "build", "--tag", "codecfake-test", str(ROOT)], capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    command = [program, "run", "--rm", "--entrypoint", "python", "codecfake-test", "-m", "codecfake", "list", "codecs"]
    listed = subprocess.run(command, capture_output=True, text=True)
    assert "encodec" in listed.stdout, listed.stderr
