"""Runs whose files are in a storage: a folder that stands for a bucket, and a bucket on an S3 server."""

import hashlib
import importlib.util
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import s3_server
from places import TINY
from whole_runs import MADE, digests, rerun, snakemake

# A stage a line. Each runs in a folder of its own, so it has only what its rules name.
STAGES: Sequence[Sequence[str]] = (
    ("protocols",),
    ("results/codecs/encodec/weights.safetensors",),
    ("dataset",),
    ("results/models/mel-lcnn/codec/erm/seed1/history.tsv", "results/models/mel-lcnn/co/erm/seed1/history.tsv"),
    ("results/scores/mel-lcnn/codec/erm/seed1/C1.tsv", "results/audit/audit.json"),
    ("results/tables/quality.csv",),
    ("tables",),
    ("all",),
)
PAGE = "report.html"
JOB, SHARD = "resynthesize_encodec", "mandarin/F01/0000.tar"

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("quick_jobs", "no_proxy")]


def needs(*modules: str) -> None:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: pip install --no-deps -r envs/storage.txt")


def options(provider: str, prefix: str, *others: str) -> list[str]:
    storage = ["--default-storage-provider", provider, "--default-storage-prefix", prefix]
    return [*storage, *others, "--shared-fs-usage", "none"]


def of_plain_run(tiny: Path) -> dict[str, str]:
    """Its digests, without the seals, which a storage does not have."""
    return {name: digest for name, digest in digests(tiny, *MADE, PAGE).items() if not name.endswith(".sha256")}


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory, quick_jobs: None) -> Iterator[Path]:
    """A folder that stands for a bucket, after the stages of the tiny experiment."""
    needs("snakemake_storage_plugin_fs")
    if shutil.which("rsync") is None:
        pytest.skip("needs rsync, which the storage plugin of folders calls (apt-get install rsync)")
    place = tmp_path_factory.mktemp("stages")
    for number, targets in enumerate(STAGES):
        done = snakemake(place / str(number), TINY, *targets, options=options("fs", str(place / "bucket")))
        assert done.returncode == 0, done.stdout + done.stderr
        assert not (place / str(number) / "results/audio").exists()
    assert str(place / "bucket/results" / PAGE) in done.stdout
    yield place / "bucket"


def test_every_stage_reads_from_the_storage_all_that_it_needs_and_leaves_the_bytes_of_a_plain_run(
    bucket: Path, tiny: Path
) -> None:
    assert digests(bucket, *MADE, PAGE) == of_plain_run(tiny)


def test_nothing_runs_again_in_another_folder_with_the_same_storage(bucket: Path, tmp_path: Path) -> None:
    assert rerun(tmp_path, TINY, options=options("fs", str(bucket))) == {}


def test_a_job_on_another_machine_puts_the_same_bytes_into_the_storage(bucket: Path, tmp_path: Path) -> None:
    """With the arguments that an executor passes to it, in an empty folder."""
    shutil.copytree(bucket, tmp_path / "bucket")
    shard = tmp_path / "bucket/results/audio" / SHARD
    before = shard.read_bytes()
    shard.unlink()
    storage = options("fs", str(tmp_path / "bucket"), "--local-storage-prefix", str(tmp_path / "scratch"))
    job = ["--mode", "remote", "--target-jobs", f"{JOB}:corpus=mandarin,shard=0000", "--allowed-rules", JOB]
    settings = ["--force", "--nolock", "--no-hooks", "--ignore-incomplete"]
    done = snakemake(tmp_path / "node", TINY, options=[*storage, *job, *settings])
    assert done.returncode == 0, done.stdout + done.stderr
    assert shard.read_bytes() == before
    assert not (tmp_path / "node/results").exists()


@pytest.mark.slow
def test_a_run_in_a_bucket_has_the_bytes_of_a_plain_run(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("snakemake_storage_plugin_s3", "boto3", "moto", "flask")
    for name, value in s3_server.KEYS.items():
        monkeypatch.setenv(name, value)
    with s3_server.running() as address:
        storage = options("s3", "s3://codecfake/tiny", "--storage-s3-endpoint-url", address)
        done = snakemake(tmp_path, TINY, "all", options=storage)
        assert done.returncode == 0, done.stdout + done.stderr
        objects = s3_server.objects(address, "codecfake")
    files = {name.removeprefix("tiny/"): hashlib.sha256(data).hexdigest() for name, data in objects.items()}
    plain = of_plain_run(tiny)
    assert {name: files.get(name) for name in plain} == plain
