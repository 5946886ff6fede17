"""A run with stored features: extracted once by jobs of their own, deleted at any time, read by all trainings."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from places import EXPERIMENTS
from whole_runs import digests, rerun, snakemake

from codecfake.base import files
from codecfake.running.check import check, delete

pytestmark = [pytest.mark.usefixtures("quick_jobs"), pytest.mark.long]

MODEL = "results/models/w2v2/{}/erm/seed{}/weights.safetensors"
FIRST, ALL = [[MODEL.format(name, n) for n in seeds for name in ("codec", "co")] for seeds in ([1], [1, 2])]


@pytest.fixture
def experiment(tmp_path: Path) -> Callable[..., Path]:
    """Writes the tiny experiment with a detector on a shipped front-end."""

    def write(seeds: list[int], **training: str) -> Path:
        front_end = {"name": "wav2vec2", "weights": "shipped:wav2vec2-small", "layer": 2}
        values = {
            "based_on": str(EXPERIMENTS / "tiny.yaml"),
            "detectors": {"w2v2": {"front_end": front_end, "back_end": {"name": "pooling"}}},
            "training": training,
            "models": [{"detectors": ["w2v2"], "training_sets": ["codec", "co"], "seeds": seeds}],
        }
        path = tmp_path / "stored.yaml"
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        return path

    return write


def test_a_run_extracts_features_once_and_deleting_them_repeats_no_training(
    experiment: Callable[..., Path], tiny_copy: Path
) -> None:
    directory, results = tiny_copy, tiny_copy / "results"
    shutil.rmtree(results / "models")
    done = snakemake(directory, experiment([1], cache_features="disk"), *FIRST)
    assert done.returncode == 0, done.stdout + done.stderr
    lists = sorted(results.glob("feature_lists/*/*/*.tsv"))
    assert [path.relative_to(path.parents[1]).as_posix() for path in lists] == [
        "english/F00.tsv", "english/F01.tsv", "mandarin/F00.tsv", "mandarin/F01.tsv", "vocoder/F00.tsv",
    ]  # fmt: skip
    trials = pd.concat(
        pd.read_csv(path, sep="\t") for path in results.glob("protocols/*/*.tsv") if path.stem in ("train", "dev")
    )
    num_clips = sum(pd.read_csv(path, sep="\t")["clips"].sum() for path in lists)
    assert num_clips == len(trials.drop_duplicates(["corpus", "source", "utterance_id"]))
    assert list(check(results)) == []
    models = digests(directory, "models/**/weights.safetensors", "models/**/history.tsv")

    # what is damaged is found, deleted, and computed again by the next training
    part = next(results.glob("features/*/*/english/F01/*.f16"))
    whole = part.read_bytes()
    part.write_bytes(whole[:-2] + b"\1\1")
    (damage,) = check(results)
    assert damage.path == part
    delete([damage])
    assert rerun(directory, experiment([1], cache_features="disk"), *FIRST) == {}

    # a list that is lost causes no computation, because the features are there
    lists[0].unlink()
    ages = {path: path.stat().st_mtime_ns for path in results.glob("features/*/*/english/F00/*.f16")}
    done = snakemake(directory, experiment([1], cache_features="disk"), str(lists[0].relative_to(directory)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path: path.stat().st_mtime_ns for path in ages} == ages
    assert rerun(directory, experiment([1], cache_features="disk"), *FIRST) == {}

    # without features, finished models stay, and new ones compute them again, in their jobs or in jobs of their own
    shutil.rmtree(results / "features")
    assert rerun(directory, experiment([1], cache_features="disk"), *FIRST) == {}
    more, again = experiment([1, 2], cache_features="disk"), ("--forcerun", "extract_features")
    assert rerun(directory, more, *ALL) == {"train_detector": 2}
    assert rerun(directory, more, *ALL, options=again) == {"extract_features": 5}
    done = snakemake(directory, more, *ALL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests(directory, "models/**/seed1/weights.safetensors", "models/**/seed1/history.tsv") == models

    # without a store, at the same precision, training gives the same bytes
    streamed = experiment([1], cache_features="none", feature_precision="float16")
    jobs = rerun(directory, streamed, *FIRST)
    assert jobs == {"train_detector": 2}
    for path in files_of_models(directory):
        files.discard(path)
    done = snakemake(directory, streamed, *FIRST)
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests(directory, "models/**/seed1/weights.safetensors", "models/**/seed1/history.tsv") == models


def files_of_models(directory: Path) -> list[Path]:
    return [path for path in directory.glob("results/models/*/*/*/seed1/*") if path.is_file()]
