"""The first stages in numbers: corpora, codec weights, and audio shards."""

from collections.abc import Iterator
from functools import cache
from itertools import product
from math import nan
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

import codec_wrappers
from codec_wrappers.weights import checkpoints
from codecfake.base import plugins
from codecfake.experiment.schema import Codec, laid_over
from codecfake.protocols.lists import RECORDINGS
from codecfake.running.planning.basis import Basis, hours_of
from codecfake.running.planning.steps import HOUR, MB, Outputs, Step, add, most

NATIVE = "native"
OWN = "own"
RECIPES = Path(codec_wrappers.__file__).parent / "training" / "recipes.yaml"
CODEC_FILES = ("weights.safetensors", "history.tsv", "quality.tsv", "settings.json")


def steps(basis: Basis) -> Iterator[Step]:
    """The steps up to the shards."""
    yield from _demo(basis)
    yield _ingest(basis)
    yield from _fetch(basis)
    if _trained(basis):
        yield _codec_training(basis)
    yield _record(basis)
    for codec in basis.experiment.codecs_run():
        yield _resynthesis(basis, codec)
    audio = [*basis.experiment.all_audio(), *product(_trained_on(basis), [NATIVE])]
    yield Step("resynthesis", "list_shards", tuple((f"results/audio/{c}/{s}/shards.tsv",) for c, s in audio))


def rate_part(name: str, wrapper: str) -> str:
    """The name of a codec in rates: its wrapper, or the experiment's name for a codec outside the package.

    The latter is not used if it is the name of a packaged codec, whose rates it would get.
    """
    return name if plugins.is_outside(wrapper) and name not in codec_wrappers.names() else wrapper


def _rate_part(name: str, codec: Codec) -> str:
    """The same, but `own` for a packaged codec whose network does not have the published size."""
    is_own = not plugins.is_outside(codec.wrapper) and not codec_wrappers.entry(codec.wrapper).is_published_size(
        codec.model
    )
    return OWN if is_own else rate_part(name, codec.wrapper)


def _demo(basis: Basis) -> Iterator[Step]:
    demo = [name for name, corpus in basis.experiment.corpora.items() if corpus.demo]
    if demo:
        counts = basis.counts(demo)
        hours = hours_of(counts)
        yield Step(
            "corpora", "synthesize_demo", (("results/demo/SHA256SUMS",),),
            audio_hours_out=hours, cpu_hours=hours / basis.rates["synthesize.cpu"],
            bytes_out=add(counts["file_bytes"]), other_files=2 * int(add(counts["utterances"])),
        )  # fmt: skip


def _ingest(basis: Basis) -> Step:
    corpora = list(basis.experiment.corpora)
    counts = basis.counts(corpora)
    hours = hours_of(counts)
    return Step(
        "corpora", "ingest_corpus",
        tuple((f"results/corpora/{c}/utterances.parquet", f"results/corpora/{c}/rejected.tsv") for c in corpora),
        audio_hours_in=hours, cpu_hours=hours / basis.rates["ingest.cpu"], bytes_in=add(counts["file_bytes"]),
        bytes_out=add(counts["utterances"]) * basis.rates["bytes.utterance"],
    )  # fmt: skip


def _fetch(basis: Basis) -> Iterator[Step]:
    for checkpoint in basis.experiment.checkpoints_run():
        # once downloaded (into the weights folder, which may be elsewhere), once converted
        num_bytes = 2 * MB * basis.rates[f"weights_mb.{checkpoints.find(checkpoint).wrapper}"]
        outputs = (f"results/weights/{checkpoint}/provenance.json",)
        yield Step("codec weights", f"fetch_{checkpoint}", (outputs,), bytes_out=num_bytes, other_files=3)


def _trained(basis: Basis) -> list[str]:
    return [codec for codec in basis.experiment.codecs_run() if basis.experiment.is_trained(codec)]


def _trained_on(basis: Basis) -> list[str]:
    training = basis.experiment.codec_training
    return training.corpora if training is not None and _trained(basis) else []


def _codec_training(basis: Basis) -> Step:
    segments = {codec: _segments(basis, codec) for codec in _trained(basis)}
    seconds = {codec: number * duration for codec, (number, duration) in segments.items()}
    counts = basis.bonafide(_trained_on(basis))
    recording = _shard_bytes(basis, counts, None) / add(counts["utterances"])  # read whole for every segment
    names = {codec: _rate_part(codec, basis.experiment.codecs[codec]) for codec in segments}
    speeds = {codec: basis.rates[f"codec_training.{name}.{basis.device}"] for codec, name in names.items()}
    sizes = [MB * basis.rates[f"weights_mb.{name}"] for name in names.values()]
    return Step(
        "codec weights", "train_codec",
        tuple(tuple(f"results/codecs/{codec}/{name}" for name in CODEC_FILES) for codec in segments),
        audio_hours_in=add(seconds.values()) / HOUR,
        bytes_in=recording * add(number for number, _ in segments.values()),
        bytes_out=add(sizes), other_files=len(sizes), passing_bytes=most(sizes) * basis.rates["checkpoint.share"],
        **basis.network_hours(add(seconds[codec] / speeds[codec] for codec in segments) / HOUR),
    )  # fmt: skip


def _segments(basis: Basis, codec: str) -> tuple[float, float]:
    """The number of training segments of a codec over all batches, and the length of each in seconds."""
    settings = basis.experiment.codec_training_settings(codec)
    recipe = laid_over(_recipes().get(settings.get("recipe") or settings["wrapper"], {}), settings.get("changes", {}))
    steps, batch_size, duration = (float(recipe.get(key, nan)) for key in ("steps", "batch_size", "segment_duration"))
    return steps * batch_size, duration


@cache
def _recipes() -> dict[str, dict[str, Any]]:
    return yaml.safe_load(RECIPES.read_text(encoding="utf-8"))


def _record(basis: Basis) -> Step:
    recorded = [corpus for corpus, source in basis.experiment.all_audio() if source == RECORDINGS]
    native = _trained_on(basis)
    whole, bonafide = [basis.counts([name]) for name in recorded], [basis.bonafide([name]) for name in native]
    counts = pd.concat([*whole, *bonafide])
    hours = hours_of(counts)
    shards = [_source_bytes(basis, RECORDINGS, one) for one in whole] + [
        _shard_bytes(basis, one, None) for one in bonafide
    ]
    return Step(
        "resynthesis", "record",
        (*_shards(basis, recorded, [RECORDINGS]), *_shards(basis, native, [NATIVE])),
        audio_hours_in=hours, audio_hours_out=hours, cpu_hours=hours / basis.rates["record.cpu"],
        bytes_in=add(counts["file_bytes"]), bytes_out=add(shards),
    )  # fmt: skip


def _resynthesis(basis: Basis, name: str) -> Step:
    codec = basis.experiment.codecs[name]
    sources = list(codec.generated())
    needed = {corpus for corpus, source in basis.experiment.all_audio() if source in sources}
    corpora = [corpus for corpus in basis.experiment.corpora if corpus in needed]
    counts = basis.bonafide(corpora)
    hours = hours_of(counts)
    device = "cpu" if _is_on_cpu(codec) else basis.device
    passes = 1 + (len(sources) - 1) * basis.rates["resynthesis.further_source"]
    hours_spent = hours * passes / basis.rates[f"resynthesis.{_rate_part(name, codec)}.{device}"]
    return Step(
        "resynthesis", f"resynthesize_{name}", _shards(basis, corpora, sources),
        audio_hours_in=hours, audio_hours_out=hours * len(sources), bytes_in=add(counts["file_bytes"]),
        bytes_out=add(_source_bytes(basis, source, counts) for source in sources),
        **basis.network_hours(hours_spent, on_cpu=_is_on_cpu(codec)),
    )  # fmt: skip


def _is_on_cpu(codec: Codec) -> bool:
    """Whether the codec never runs on a GPU."""
    return codec_wrappers.entry(codec.wrapper).device == "cpu"


def _shards(basis: Basis, corpora: list[str], sources: list[str]) -> tuple[Outputs, ...]:
    """The outputs of each job: one shard of all sources."""
    jobs = ((corpus, number) for corpus in corpora for number in range(basis.experiment.corpora[corpus].shards))
    return tuple(
        tuple(f"results/audio/{c}/{s}/{n:04d}.{kind}" for s, kind in product(sources, ("tar", "parquet")))
        for c, n in jobs
    )


def _shard_bytes(basis: Basis, counts: pd.DataFrame, sample_rate: float | None) -> float:
    """Bytes of tars and indexes with the counted recordings, at a sample rate or (None) at their own."""
    samples = add(counts["samples"]) if sample_rate is None else add(counts["seconds"]) * sample_rate
    utterances = add(counts["utterances"]) * basis.rates["bytes.shard.utterance"]
    return samples * basis.rates["bytes.shard.sample"] + utterances


def _source_bytes(basis: Basis, source: str, counts: pd.DataFrame) -> float:
    """The same for a source's audio, at the experiment's sample rate."""
    if basis.experiment.audio.sample_rate != NATIVE:
        return _shard_bytes(basis, counts, float(basis.experiment.audio.sample_rate))
    if source == RECORDINGS:
        return _shard_bytes(basis, counts, None)
    return _shard_bytes(basis, counts, _codec_rate(basis, basis.experiment.codec_of(source)))


def _codec_rate(basis: Basis, name: str) -> float | None:
    """The output sample rate of a codec in Hz; None if it accepts any."""
    codec = basis.experiment.codecs[name]
    if "sample_rate" in codec.model:
        return float(codec.model["sample_rate"])
    rate = f"sample_rate.{rate_part(name, codec.wrapper)}"
    return basis.rates[rate] if rate in basis.rates.all() else None
