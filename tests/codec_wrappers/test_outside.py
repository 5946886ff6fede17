"""Codecs outside the package work as ours do: resynthesis, contract, training, and the jobs that read their file."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
import yaml
from places import ROOT, TINY
from torch import Tensor

import codec_wrappers
from codec_wrappers import CodecError, contract
from codec_wrappers.codec import Codec, TrainableCodec
from codec_wrappers.contract.measurements import Settings
from codec_wrappers.contract.promises import broken_promises
from codec_wrappers.resynthesis.settings import ResynthesisSettings
from codec_wrappers.resynthesis.shard import resynthesize_shard
from codec_wrappers.resynthesis.stages import ResynthesisError
from codecfake.audio import shards
from codecfake.base import files, plugins
from codecfake.base.utterances import COLUMNS
from codecfake.experiment import reading
from codecfake.experiment.inputs import Inputs
from codecfake.running import environments

CPU = torch.device("cpu")

HALVES = """
from codec_wrappers.codec import Codec

class Halves(Codec):
    sample_rate, hop_length, num_quantizers, bits_per_code = 8000, 4, 2, 16

    def __init__(self, factor):
        self.factor = factor

    def encode(self, wav):
        return (wav[:, None, ::4] * 10000).round().long().expand(-1, 2, -1)

    def decode(self, codes):
        return self.factor * codes[:, 0].repeat_interleave(4, dim=1) / 10000

def build(model):
    return Halves(model["factor"])

def nothing(model):
    return None
"""

MIMI = """
from dataclasses import dataclass
from pathlib import Path

import torch
from codec_wrappers.codec import Codec
from codec_wrappers.weights.loading import load_into

ENTRY = {"license": "Apache-2.0", "package": "transformers", "weights": ["none", "local"]}

@dataclass(frozen=True)
class MimiSettings:
    num_quantizers: int = 4
    codebook_size: int = 16

class Mimi(Codec):
    sample_rate, hop_length, any_length = 24_000, 1920, True

    def __init__(self, settings: MimiSettings) -> None:
        from transformers import MimiConfig, MimiModel

        self.num_quantizers, self.bits_per_code = settings.num_quantizers, 4.0
        torch.manual_seed(0)
        self.network = MimiModel(MimiConfig(
            hidden_size=16, num_filters=4, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
            num_key_value_heads=2, head_dim=8, codebook_dim=8, vector_quantization_hidden_dimension=8,
            upsample_groups=16, codebook_size=settings.codebook_size, num_quantizers=settings.num_quantizers,
        )).eval()
        for name, buffer in self.network.named_buffers():
            if name.endswith("embed_sum"):  # fresh ones hold zeros
                buffer.normal_()

    def encode(self, wav: torch.Tensor) -> torch.Tensor:
        return self.network.encode(wav[:, None], num_quantizers=self.num_quantizers).audio_codes

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        return self.network.decode(codes).audio_values[:, 0]

def build(settings: MimiSettings) -> Codec:
    return Mimi(settings)

def load(settings: MimiSettings, weights: Path | None) -> Codec:
    return build(settings) if weights is None else load_into(build(settings), weights)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of an experiment, with two codecs beside it, which are forgotten afterwards."""
    monkeypatch.setenv(plugins.VARIABLE, "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    modules = set(sys.modules)
    (tmp_path / "halves.py").write_text(HALVES)
    (tmp_path / "mimi.py").write_text(MIMI)
    plugins.look_beside(tmp_path / "mine.yaml")
    yield tmp_path
    for name in set(sys.modules) - modules:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two utterances, with their table beside their folder."""
    rows = []
    for number, length in enumerate((4001, 9000)):
        path = tmp_path / "corpus" / f"u{number}.wav"
        path.parent.mkdir(exist_ok=True)
        wav = 0.3 * np.sin(np.arange(length) / (5 + number))
        soundfile.write(path, wav, 16_000, subtype="PCM_16")
        row = dict.fromkeys(COLUMNS, "x") | {"utterance_id": f"u{number}", "path": path.name, "key": "bonafide"}
        rows.append(row | {"sample_rate": 16_000, "num_samples": length, "channels": 1, "sha256": files.sha256(path)})
    files.write_parquet(tmp_path / "corpus.parquet", pd.DataFrame(rows))
    return tmp_path / "corpus"


def speech() -> Tensor:
    return 0.1 * torch.sin(torch.arange(9600) / 20)[None]


def test_a_function_that_takes_a_mapping_is_given_the_model_as_it_is(folder: Path, corpus: Path) -> None:
    settings = ResynthesisSettings("own", "halves.py:build", {"H1": 2}, 1, {"factor": 0.5}, sample_rate="native")
    resynthesize_shard(settings, corpus.with_suffix(".parquet"), corpus, None, 0, corpus.parent / "audio/c", CPU)
    index = pd.read_parquet(corpus.parent / "audio/c/H1/0000.parquet")
    assert list(index["num_samples"]) == [2001, 4500]
    assert set(index["codec"]) == {"own"} and set(index["bitrate_kbps"]) == {64.0}
    wav, _ = shards.AudioStore(corpus.parent / "audio", [("c", "H1")]).read("c", "H1", "u1")
    assert 0.14 < np.abs(wav).max() / 32768 < 0.16  # half of 0.3


def test_more_quantizers_than_an_undescribed_codec_has_end_its_first_job(folder: Path, corpus: Path) -> None:
    settings = ResynthesisSettings("own", "halves.py:build", {"H1": 3}, 1, {"factor": 0.5})
    with pytest.raises(ResynthesisError, match="H1: 3 quantizers, but own has 2"):
        resynthesize_shard(settings, corpus.with_suffix(".parquet"), corpus, None, 0, corpus.parent / "audio/c", CPU)


def test_a_function_must_give_a_codec(folder: Path) -> None:
    with pytest.raises(CodecError, match="halves.py:nothing returns NoneType; return a subclass of"):
        codec_wrappers.build("halves.py:nothing", {})


def test_an_inference_only_codec_over_transformers_makes_shards(folder: Path, corpus: Path) -> None:
    assert not isinstance(codec_wrappers.build("mimi.py:build", {}), TrainableCodec)
    settings = ResynthesisSettings("mimi", "mimi.py:build", {"M2": 2, "M4": 4}, 1, {"codebook_size": 32})
    output = corpus.parent / "audio/c"
    resynthesize_shard(settings, corpus.with_suffix(".parquet"), corpus, None, 0, output, CPU)
    few, all_of_them = (pd.read_parquet(output / source / "0000.parquet") for source in ("M2", "M4"))
    assert list(few["num_samples"]) == list(all_of_them["num_samples"]) == [4001, 9000]
    assert set(all_of_them["bitrate_kbps"]) == {4 * 4.0 * 12.5 / 1000}
    assert (output / "M2/0000.tar").read_bytes() != (output / "M4/0000.tar").read_bytes()


def test_weights_of_ones_own_are_loaded_by_the_module_of_the_codec(folder: Path) -> None:
    from codec_wrappers.weights.loading import save

    network = codec_wrappers.build("mimi.py:build", {}).network
    assert network is not None
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(0.5)
    save(network, folder / "mimi.safetensors")
    loaded = codec_wrappers.load("mimi.py:build", {}, folder / "mimi.safetensors").network
    assert loaded is not None
    for name, tensor in loaded.state_dict().items():
        assert torch.equal(tensor, network.state_dict()[name]), name
    with pytest.raises(CodecError, match=r"its module has no load\(settings, weights\)"):
        codec_wrappers.load("halves.py:build", {"factor": 1}, folder / "mimi.safetensors")


@pytest.mark.long
def test_a_codec_outside_the_package_can_be_held_to_the_contract(folder: Path) -> None:
    quick = Settings(speech_duration=0.4, odd_duration=0.1)
    (measured,) = contract.measure_forms(contract.choose(["mimi.py:build"], {}), {}, True, quick, CPU)
    assert measured.sample_rate == 24_000 and not measured.is_trained
    assert [fault for fault in broken_promises(measured) if "samples" in fault or "finite" in fault] == []


@pytest.mark.long
def test_the_command_finds_the_folder_by_the_variable_that_jobs_are_given(folder: Path, corpus: Path) -> None:
    settings = {
        "codec": "own",
        "wrapper": "halves.py:build",
        "model": {"factor": 1},
        "sources": {"H": 1},
        "num_shards": 1,
    }
    command = ["-m", "codec_wrappers", "resynthesize", "--settings", json.dumps(settings), "--device", "cpu"]
    places = ["--utterances", f"{corpus}.parquet", "--root", str(corpus), "--shard", "0", "--output", f"{corpus}/out"]
    process = subprocess.run([sys.executable, *command, *places], cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert len(pd.read_parquet(corpus / "out/H/0000.parquet")) == 2


def test_the_file_of_a_codec_is_an_input_of_its_jobs_and_of_no_others(folder: Path) -> None:
    values = yaml.safe_load(TINY.read_text(encoding="utf-8"))
    own = {
        "wrapper": "halves.py:build",
        "weights": "none",
        "model": {"factor": 1},
        "sources": {"H1": {"quantizers": 2}},
    }
    values["codecs"]["halves"] = own
    domain = next(iter(values["domains"]))
    values["conditions"]["H1"] = {"bonafide": {"domain": domain}, "spoof": {"domain": domain, "source": "H1"}}
    (folder / "mine.yaml").write_text(yaml.safe_dump(values))
    inputs = Inputs(reading.load(folder / "mine.yaml"))
    read = {codec: inputs.code_of_codec(codec) for codec in values["codecs"]}
    assert read.pop("halves") == [str(folder / "halves.py")]
    assert set(map(tuple, read.values())) == {()}
    for rules in ("resynthesis.smk", "codec_weights.smk"):
        assert "INPUTS.code_of_codec" in (ROOT / "rules" / rules).read_text(encoding="utf-8")


def test_the_jobs_of_a_codec_have_the_environment_of_its_entry_and_others_the_common_one(folder: Path) -> None:
    (folder / "halves-env.yaml").write_text("channels: [conda-forge]\ndependencies: [python=3.11]\n")
    code = (folder / "halves.py").read_text(encoding="utf-8")
    (folder / "theirs.py").write_text(f"{code}\nENTRY = {{'environment': 'halves-env.yaml'}}\n")
    values = yaml.safe_load(TINY.read_text(encoding="utf-8"))
    for name in ("halves", "theirs"):
        sources = {name: {"quantizers": 2}}
        values["codecs"][name] = {
            "wrapper": f"{name}.py:build", "weights": "none", "model": {"factor": 1}, "sources": sources,
        }  # fmt: skip
    (folder / "mine.yaml").write_text(yaml.safe_dump(values))
    experiment = reading.load(folder / "mine.yaml")
    environment_of = {codec: environments.of_codec(experiment, codec) for codec in experiment.codecs}
    assert environment_of.pop("theirs") == str(folder / "halves-env.yaml")
    assert set(environment_of.values()) == {"../envs/codecs.yaml"}
    for rules in ("resynthesis.smk", "codec_weights.smk"):
        assert "environments.of_codec" in (ROOT / "rules" / rules).read_text(encoding="utf-8")


def test_an_abstract_codec_names_what_it_lacks() -> None:
    with pytest.raises(TypeError, match="abstract method.* decode"):
        type("Half", (Codec,), {"encode": lambda self, wav: wav})()
    with pytest.raises(TypeError, match="abstract method.* reconstruct"):
        type("Half", (TrainableCodec,), {"encode": lambda self, wav: wav, "decode": lambda self, codes: codes})()
