"""The workflow meets kills, full disks, damage and wrong clocks: it says what is wrong, loses nothing and goes on."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from kills import digests, finish_despite_kills, kill, start
from places import ROOT, TINY
from whole_runs import ON_CPU, rerun, snakemake

KILLS = 20
TARS = "audio/english/F01/*.tar"
RECORDED = [f"results/audio/{shard}.tar" for shard in ("english/F00/0000", "english/F00/0001", "mandarin/F00/0000")]

pytestmark = pytest.mark.slow


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB; tests mount it anew with other options."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.getuid() != 0:
        pytest.skip("needs root, to mount a small disk")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("needs a small disk to be mounted, which is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


def finished(directory: Path, *targets: str) -> str:
    """What a run says that comes to its end."""
    done = snakemake(directory, TINY, *(targets or ("all",)))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def failed(directory: Path, *targets: str, config: Sequence[str] = ON_CPU) -> str:
    """What a run says that fails."""
    done = snakemake(directory, TINY, *(targets or ("all",)), config=config)
    assert done.returncode != 0
    return done.stdout + done.stderr


def wait_for(directory: Path, pattern: str) -> None:
    for _ in range(3000):
        if any((directory / "results").glob(pattern)):
            return
        time.sleep(0.1)
    pytest.fail(f"no {pattern} after five minutes")


# kills


def test_a_run_killed_at_twenty_moments_is_continued_by_the_same_command_to_the_same_bytes(
    tiny: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    kills = 0
    while kills < KILLS:
        directory = tmp_path / f"from kill {kills}"
        kills += len(finish_despite_kills(directory, TINY, rng))
        assert digests(directory) == digests(tiny)
    assert len(digests(tiny)) > 80


def test_a_run_that_is_asked_to_end_at_many_moments_is_continued_to_the_same_bytes(tiny: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(28)
    moments = finish_despite_kills(tmp_path, TINY, rng, sent=(signal.SIGTERM, signal.SIGINT))
    assert len(moments) >= 2  # both signals
    assert digests(tmp_path) == digests(tiny)
    assert not [path for path in (tmp_path / "results").rglob(".*") if path.name.endswith(".part")]


def test_jobs_that_outlive_a_killed_run_are_waited_for(tmp_path: Path) -> None:
    first = start(tmp_path, TINY, "protocols")
    wait_for(tmp_path, ".demo.part/*")
    first.send_signal(signal.SIGKILL)
    try:
        said = finished(tmp_path, "protocols")
    finally:
        first.communicate()
    assert "jobs of a killed run are still at work here; waiting for them to end" in said
    assert f"the last run here was killed (process {first.pid} on " in said


def test_a_second_run_in_a_directory_is_refused_by_one_message_and_harms_nothing(tiny: Path, tmp_path: Path) -> None:
    first = start(tmp_path, TINY, "protocols")
    wait_for(tmp_path, ".demo.part/*")
    said = failed(tmp_path, "protocols")
    assert f"another run is at work here (process {first.pid} on " in said
    assert "--rerun-incomplete" not in said and "--unlock" not in said
    assert rerun(tmp_path, TINY)["report"] == 1  # looking is allowed
    assert first.communicate()[0] and first.returncode == 0
    made = digests(tmp_path)
    assert made == {name: digest for name, digest in digests(tiny).items() if name in made}


def test_a_killed_run_may_be_unlocked_by_hand_too(tmp_path: Path) -> None:
    first = start(tmp_path, TINY, "protocols")
    wait_for(tmp_path, ".demo.part/*")
    kill(first)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--directory", str(tmp_path), "--unlock"]
    subprocess.run([*command, "--config", f"experiment={TINY}"], cwd=ROOT, check=True, capture_output=True)
    assert "was killed" not in finished(tmp_path, "protocols")


# disks


def test_a_disk_that_fills_up_is_named_and_the_same_command_goes_on_when_there_is_room(tiny: Path, disk: Path) -> None:
    remount(disk, "size=200m")
    finished(disk, "protocols")
    remount(disk, f"size={shutil.disk_usage(disk).used // 1024 + 200}k")
    said = failed(disk, *RECORDED, config=[*ON_CPU, "check_disk=False"])
    assert re.search(
        r"WriteError: results/audio/.*\.tar: cannot be written \(No space left on device\); free some", said
    )
    before = digests(disk)
    remount(disk, "size=200m")
    finished(disk, *RECORDED)
    made = digests(disk)
    assert before.items() <= made.items() and set(RECORDED) <= set(made)
    assert made == {name: digest for name, digest in digests(tiny).items() if name in made}


def test_a_run_directory_that_cannot_be_written_to_is_named(disk: Path) -> None:
    remount(disk, "ro")
    assert f"{disk}/.snakemake: cannot be written (Read-only file system); make that place writable" in failed(disk)
    remount(disk, "rw,size=200m")
    finished(disk, "results/protocols/sources.tsv")


# damage


def test_a_damaged_shard_is_named_and_made_again_by_one_command_and_nothing_else_is(tiny: Path) -> None:
    expected, tar = digests(tiny), sorted((tiny / "results").glob(TARS))[0]
    date = tar.stat()
    data = bytearray(tar.read_bytes())
    data[700] ^= 1
    tar.write_bytes(data)
    os.utime(tar, ns=(date.st_atime_ns, date.st_mtime_ns))
    assert rerun(tiny, TINY) == {}  # Snakemake sees nothing
    check = [sys.executable, "-m", "codecfake", "check", "--run", str(tiny), "--delete"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"{tar}: 1 of " in done.stdout
    again = done.stdout.splitlines()[-1].split(" -- ")[1].split()
    assert "Made again with the same bytes as before: results/audio/english/F01" in finished(tiny, *again)
    assert rerun(tiny, TINY) == {}
    assert digests(tiny) == expected


def test_a_damaged_shard_stops_a_job_that_reads_it_which_says_what_to_do(tiny: Path, tmp_path: Path) -> None:
    finished(tmp_path, "dataset")
    for tar in (tmp_path / "results").glob(TARS):
        os.truncate(tar, 2000)
    said = failed(tmp_path)
    assert re.search(r"F01/0000.tar: utterance \w+ is damaged .*`codecfake check --delete`", said)
    check = [sys.executable, "-m", "codecfake", "check", "--run", str(tmp_path), "--delete"]
    subprocess.run(check, cwd=ROOT, capture_output=True, check=True)
    finished(tmp_path)
    assert digests(tmp_path) == digests(tiny)


@pytest.mark.parametrize("name", ["protocols/eval/C1.tsv", "corpora/vocoder/utterances.parquet"])
def test_a_table_cut_short_is_named_by_the_job_that_reads_it(tiny: Path, tmp_path: Path, name: str) -> None:
    finished(tmp_path, "protocols")
    path = tmp_path / "results" / name
    os.truncate(path, path.stat().st_size - 100)
    assert f"results/{name}: damaged" in failed(
        tmp_path, "results/audio/vocoder/F00/0000.tar", "results/quality/through.tsv"
    )
    check = [sys.executable, "-m", "codecfake", "check", "--run", str(tmp_path), "--delete"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=True)
    finished(tmp_path, *done.stdout.splitlines()[-1].split(" -- ")[1].split())
    made = digests(tmp_path)
    assert made == {file: digest for file, digest in digests(tiny).items() if file in made}


def test_trained_weights_that_were_replaced_are_refused(tiny: Path, tmp_path: Path) -> None:
    finished(tmp_path, "results/codecs/encodec/weights.safetensors")
    weights = tmp_path / "results/codecs/encodec/weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    said = failed(tmp_path, "results/audio/mandarin/F01/0000.tar")
    assert "weights.safetensors: damaged, or changed by hand: its sha256 is not the one in" in said
    check = [sys.executable, "-m", "codecfake", "check", "--run", str(tmp_path), "--delete"]
    subprocess.run(check, cwd=ROOT, capture_output=True, check=True)
    finished(tmp_path, "results/audio/mandarin/F01/0000.tar")
    made = digests(tmp_path)
    assert made == {file: digest for file, digest in digests(tiny).items() if file in made}


# clocks


def test_a_clock_that_was_ahead_makes_nothing_again_and_stops_nothing(tiny: Path) -> None:
    """Half of the results are dated a day ahead, in the order they were made in."""
    made = sorted(
        (path for path in (tiny / "results").rglob("*") if path.is_file()), key=lambda path: path.stat().st_mtime
    )
    for path in made[len(made) // 2 :]:
        date = path.stat().st_mtime + 86400
        os.utime(path, (date, date))
    said = finished(tiny)
    assert "Dated in the future: results/" in said and "Nothing to be done" in said
    assert max(path.stat().st_mtime for path in made) < time.time() + 1
    assert rerun(tiny, TINY) == {}
