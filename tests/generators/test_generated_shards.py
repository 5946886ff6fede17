"""A shard of generated fakes: the same bytes for any batch, whole or not there, and a row that says how it was made."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from codecfake import generators
from codecfake.audio.export import export
from codecfake.audio.shards import AudioStore
from codecfake.base import files
from codecfake.base.plugins import VARIABLE
from codecfake.base.settings import build
from codecfake.corpora.generated import write_utterances
from codecfake.corpora.ingest import IngestError
from codecfake.corpora.settings import GeneratedSettings
from codecfake.generators import GeneratorError
from codecfake.generators.job_settings import ShardSettings
from codecfake.generators.prompts import Prompts
from codecfake.generators.shard import Run, fault_of, generate_shard, shard_rows
from codecfake.protocols.generation_lists import COLUMNS

TOYS = Path(__file__).parents[1] / "experiments"
CPU = torch.device("cpu")
TEXTS = ["One", "Two plus three", "A bell", "Six birds sing", "Ten", "A longer sentence of six words"]


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recording to imitate, its utterance table, and a generation list of six texts."""
    monkeypatch.setenv(VARIABLE, str(TOYS))
    wav = 0.3 * np.random.default_rng(0).standard_normal(48_000).astype(np.float32).clip(-3, 3) / 3
    (tmp_path / "speech").mkdir()
    soundfile.write(tmp_path / "speech/p1_1.wav", wav, 48_000)
    sha256 = hashlib.sha256((tmp_path / "speech/p1_1.wav").read_bytes()).hexdigest()
    row = {"utterance_id": "p1_1", "path": "p1_1.wav", "sha256": sha256, "sample_rate": 48_000, "num_samples": 48_000}
    names = ("corpus", "speaker_id", "language", "text", "key", "split", "attack", "channels")
    table = pd.DataFrame([{**dict.fromkeys(names, ""), **row}])
    files.write_parquet(tmp_path / "corpora/speech/utterances.parquet", table)
    rows = [
        (f"A1_{n}", "speech", f"p1_{n}", "p1", "en", text, "p1_1", "p1_1.wav", "A prompt", n)
        for n, text in enumerate(TEXTS)
    ]
    files.write_tsv(tmp_path / "list.tsv", pd.DataFrame(rows, columns=list(COLUMNS)))
    return tmp_path


def settings(unreadable: str = "", **changes: Any) -> ShardSettings:
    generator = {"generator": "toy_speech:build", "model": {"unreadable": unreadable}}
    values = {"corpus": "valle", "generator": generator, "num_shards": 2, "attack": "VALL-E", "license": "MIT"}
    return build(ShardSettings, {**values, **changes})


def generate(corpus: Path, name: str, shard: int = 0, batch_size: int = 1, **changes: Any) -> Path:
    """The tar of a shard."""
    prompts = Prompts(corpus / "corpora", {"speech": corpus / "speech"})
    tar = corpus / name / f"audio/valle/F00/{shard:04d}.tar"
    generate_shard(settings(**changes), corpus / "list.tsv", prompts, Run(CPU, batch_size), shard, tar)
    return tar


def digests(tar: Path) -> list[str]:
    kinds = (".tar", ".parquet", ".rejected.tsv")
    return [hashlib.sha256(tar.with_suffix(kind).read_bytes()).hexdigest() for kind in kinds]


def test_a_shard_has_the_same_bytes_for_batches_of_one_and_of_eight(corpus: Path) -> None:
    assert digests(generate(corpus, "one")) == digests(generate(corpus, "eight", batch_size=8))


@pytest.mark.long
@pytest.mark.parametrize("name", ["valle", "audiogen"])
def test_a_shard_of_our_own_generators_has_the_same_bytes_for_any_batch(corpus: Path, name: str) -> None:
    entry = generators.entry(name)
    generator = {"generator": name, "model": entry.small, "sampling": entry.small_sampling}
    if not entry.needs_prompt:
        files.write_tsv(corpus / "list.tsv", files.read_tsv(corpus / "list.tsv").assign(prompt_id=""))
    one, eight = (generate(corpus, str(size), batch_size=size, generator=generator) for size in (1, 8))
    assert digests(one) == digests(eight)
    rows = pd.read_parquet(one.with_suffix(".parquet"))
    assert (rows["generator"] == name).all() and (rows["num_samples"] >= 1600).all() and len(rows) > 0


def test_every_row_says_how_its_fake_was_made(corpus: Path) -> None:
    rows = pd.read_parquet(generate(corpus, "run").with_suffix(".parquet")).set_index("utterance_id")
    assert (rows["key"] == "spoof").all() and (rows["codec"] == "none").all()
    row = rows.loc["A1_3"]
    assert (row["generator"], row["attack"], row["license"]) == ("toy_speech:build", "VALL-E", "MIT")
    assert (row["text"], row["text_corpus"], row["text_id"]) == ("Six birds sing", "speech", "p1_3")
    assert (row["prompt_id"], row["seed"], row["language"], row["speaker_id"]) == ("p1_1", 3, "en", "p1")
    assert row["sample_rate"] == 16_000
    assert row["num_samples"] == (24_000 // 2 + 300 * len("Six birds sing")) * 16 // 24


def test_the_shards_together_are_the_list_and_read_like_any_source(corpus: Path) -> None:
    ids = [set(pd.read_parquet(generate(corpus, "run", n).with_suffix(".parquet"))["utterance_id"]) for n in (0, 1)]
    assert not ids[0] & ids[1]
    assert ids[0] | ids[1] == {f"A1_{n}" for n in range(6)}
    samples, rate = AudioStore(corpus / "run/audio", [("valle", "F00")]).read("valle", "F00", "A1_4")
    assert rate == 16_000 and np.abs(samples).max() > 1000


def test_an_export_says_how_each_fake_was_made_and_under_which_license(corpus: Path) -> None:
    for shard in (0, 1):
        generate(corpus, "run", shard)
    assert export(corpus / "run/audio", corpus / "loose") == 6
    table = pd.read_csv(corpus / "loose/valle/F00/generated.tsv", sep="\t").set_index("file")
    assert sorted(table.index) == sorted(path.name for path in (corpus / "loose/valle/F00").glob("*.flac"))
    row = table.loc["A1_3.flac"]
    assert (row["key"], row["generator"], row["license"]) == ("spoof", "toy_speech:build", "MIT")
    assert (row["text"], row["prompt_id"]) == ("Six birds sing", "p1_1")


def test_shards_are_alike_and_begin_with_the_shortest_text() -> None:
    items = pd.DataFrame(
        {"trial_id": [f"t{n:03d}" for n in range(100)], "text": ["x" * (n % 50 + 1) for n in range(100)]}
    )
    parts = [shard_rows(items, shard, 4) for shard in range(4)]
    assert all(part["text"].str.len().is_monotonic_increasing for part in parts)
    lengths = [part["text"].str.len().sum() for part in parts]
    assert max(lengths) - min(lengths) <= 50


def test_an_unreadable_text_is_left_out_with_its_reason(corpus: Path) -> None:
    tar = generate(corpus, "run", unreadable="+", max_rejected=0.5)
    assert files.read_tsv(tar.with_suffix(".rejected.tsv")).empty
    files.write_tsv(corpus / "list.tsv", files.read_tsv(corpus / "list.tsv").replace("One", "1+2"))
    tar = generate(corpus, "run", unreadable="+", max_rejected=0.5)
    rejected = files.read_tsv(tar.with_suffix(".rejected.tsv"))
    assert rejected.to_dict("list") == {"path": ["A1_0"], "reason": ["unknown symbol '+'"]}
    assert "A1_0" not in set(pd.read_parquet(tar.with_suffix(".parquet"))["utterance_id"])


def test_too_many_unreadable_texts_are_one_clear_message_and_no_shard(corpus: Path) -> None:
    with pytest.raises(
        GeneratorError, match="valle: 1 of 3 items of this shard cannot be .*\n  A1_0: unknown symbol 'One'"
    ):
        generate(corpus, "run", unreadable="One")
    assert not list((corpus / "run").rglob("*.tar"))


def test_a_generator_that_fails_leaves_no_part_of_a_shard(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate(corpus, "whole")
    import toy_speech

    def fail(self: object, item: Any) -> NDArray[np.float32]:
        if item.trial == "A1_3":
            raise RuntimeError("out of memory")
        return np.ones(24_000, dtype=np.float32)

    monkeypatch.setattr(toy_speech.Toy, "_tone", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        generate(corpus, "run")
    assert not list((corpus / "run").rglob("*.*"))
    monkeypatch.undo()
    monkeypatch.setenv(VARIABLE, str(TOYS))
    assert digests(generate(corpus, "run")) == digests(generate(corpus, "whole"))


def test_a_changed_prompt_is_refused(corpus: Path) -> None:
    soundfile.write(corpus / "speech/p1_1.wav", np.zeros(48_000), 48_000)
    with pytest.raises(ValueError, match="the file changed since its corpus was ingested"):
        generate(corpus, "run")


@pytest.mark.parametrize(
    ("wav", "message"),
    [
        (np.zeros(0), "generated 0.0000 s; at least 0.1 s"),
        (np.full(2400, np.nan), "not finite"),
        (np.full(2400, 1e-6), "digital silence"),
        (np.sin(np.arange(2400)), None),
    ],
)
def test_what_cannot_be_a_trial_is_named(wav: NDArray[np.float64], message: str | None) -> None:
    fault = fault_of(wav, 24_000)
    assert fault is None if message is None else message in str(fault)


def tabulate(corpus: Path, max_rejected: float = 0.5) -> pd.DataFrame:
    indexes = sorted((corpus / "run/audio/valle/F00").glob("*.parquet"))
    left_out = corpus / "left_out.tsv"
    files.write_tsv(left_out, pd.DataFrame([("speech/p315_1", "no text")], columns=["path", "reason"]))
    table = corpus / "run/utterances.parquet"
    settings = GeneratedSettings("valle", max_rejected)
    write_utterances(settings, indexes, left_out, table, corpus / "run/rejected.tsv")
    return pd.read_parquet(table)


def test_the_utterance_table_lists_the_fakes_of_all_shards(corpus: Path) -> None:
    for shard in (0, 1):
        generate(corpus, "run", shard)
    table = tabulate(corpus)
    assert list(table["utterance_id"]) == [f"A1_{n}" for n in range(6)]
    assert set(table["path"].str.split("/").str[1]) == {"0000.tar", "0001.tar"}
    assert (table["corpus"] == "valle").all() and (table["key"] == "spoof").all()
    assert table["split"].isna().all()
    rejected = files.read_tsv(corpus / "run/rejected.tsv")
    assert rejected.to_dict("list") == {"path": ["speech/p315_1"], "reason": ["no text"]}


def test_too_many_missing_fakes_are_one_clear_message(corpus: Path) -> None:
    for shard in (0, 1):
        generate(corpus, "run", shard, unreadable="T", max_rejected=0.7)
    with pytest.raises(IngestError, match="corpus valle: 2 of 6 items were not generated.*\n  A1_1: unknown symbol"):
        tabulate(corpus, 0.01)


def test_settings_of_a_job_name_a_known_generator() -> None:
    with pytest.raises(ValueError, match="unknown generator 'vale'; did you mean 'valle'"):
        settings(generator={"generator": "vale"})
    assert replace(settings(), sample_rate="native").rate(24_000) == 24_000
