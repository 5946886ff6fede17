"""Models of the hub: fetched once from a server of this machine, pinned by a record, and read without a network."""

import json
import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest
import tones
import torch
from file_server import FileServer

import codec_wrappers
from codecfake.base import files, hub_models, provenance
from codecfake.base.hub_models import HubModelError, fetch, fetched, is_id, record_name
from codecfake.detectors.detector import DetectorSettings
from codecfake.detectors.front_end_settings import SslSettings
from codecfake.detectors.ssl import Wav2Vec2
from codecfake.generators.hub import files_of
from codecfake.training.loop import TrainSettings, train

MODEL, COMMIT = "somebody/xls-r", "0123456789abcdef0123456789abcdef01234567"

pytestmark = pytest.mark.usefixtures("no_proxy")


def write_model(folder: Path, seed: int = 0) -> Path:
    import transformers

    torch.manual_seed(seed)
    config = transformers.Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, conv_dim=[8] * 7,
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    transformers.Wav2Vec2Model(config).save_pretrained(folder)
    return folder


@pytest.fixture
def hub(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileServer:
    """A hub with one model, and an empty cache."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", server.address.rstrip("/"))
    template = server.address + "{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    folder = write_model(tmp_path / "published")
    for path in folder.iterdir():
        for revision in ("main", COMMIT):
            headers = {"X-Repo-Commit": COMMIT}
            etag = f'"{files.sha256(path)}"'
            server.serve(f"{MODEL}/resolve/{revision}/{path.name}", path.read_bytes(), etag=etag, headers=headers)
    return server


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(hub_models.VARIABLE, str(tmp_path / "weights"))
    return tmp_path / "weights"


def cut_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> NoReturn:
        raise AssertionError("a job used the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_a_folder_and_a_word_are_no_ids_of_the_hub(tmp_path: Path) -> None:
    assert is_id(MODEL)
    assert not any(map(is_id, ("random", "included", "shipped:wavlm-small", "/data/xls-r", "~/xls-r", str(tmp_path))))


def test_a_model_is_fetched_once_and_its_commit_and_digests_are_recorded(hub: FileServer, records: Path) -> None:
    for _ in range(2):
        fetch(MODEL, records / record_name(MODEL))
    record = json.loads((records / record_name(MODEL) / provenance.RECORD).read_text(encoding="utf-8"))
    assert (record["hub_model"], record["revision"]) == (MODEL, COMMIT)
    assert {file["name"] for file in record["official_files"]} == {"config.json", "model.safetensors"}
    weights = records.parent / "published/model.safetensors"
    assert files.sha256(weights) in {file["sha256"] for file in record["official_files"]}
    assert len([request for request in hub.requests if request.path.endswith("model.safetensors")]) == 1
    assert list(provenance.faults(records / record_name(MODEL))) == []


def test_a_training_with_the_network_cut_reads_what_was_fetched(
    hub: FileServer, records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(MODEL, records / record_name(MODEL))
    cut_the_network(monkeypatch)
    audio = tones.write_audio(tmp_path / "audio", num_utterances=4)
    lists = [tones.write_protocol(tmp_path / f"{n}.tsv", part) for n, part in (("t", range(2)), ("d", range(2, 4)))]
    front_end = {"name": "wav2vec2", "weights": MODEL, "layer": 1}
    settings = TrainSettings(
        detector=DetectorSettings(front_end, {"name": "pooling"}), crop_samples=4_000, batch_size=4, epochs=1,
        tensorboard=False,
    )  # fmt: skip
    train(lists[:1], lists[1:], audio, tmp_path / "model", settings, torch.device("cpu"))
    record = files.read_json(tmp_path / "model/settings.json")
    local = Wav2Vec2(SslSettings(weights=str(tmp_path / "published"), layer=1))
    assert record["front_end_weights"] == {"source": MODEL, "sha256": local.digest()}


def test_a_pinned_commit_is_asked_for_and_is_another_record(hub: FileServer, records: Path) -> None:
    pinned = f"{MODEL}@{COMMIT}"
    assert is_id(pinned) and not is_id(f"{MODEL}@main")
    fetch(pinned, records / record_name(pinned))
    assert record_name(pinned) != record_name(MODEL)
    assert not any("/main/" in request.path for request in hub.requests)
    assert fetched(pinned) == hub_models.recorded(records / record_name(pinned))


def test_a_codec_reads_the_model_that_its_record_names(
    server: FileServer, hub: FileServer, records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = {"family": "mimi", "config": codec_wrappers.entry("transformers").small["config"], "seed": 1}
    network = codec_wrappers.build("transformers", model).network
    network.save_pretrained(tmp_path / "mimi")
    for path in (tmp_path / "mimi").iterdir():
        for revision in ("main", COMMIT):
            headers, etag = {"X-Repo-Commit": COMMIT}, f'"{files.sha256(path)}"'
            server.serve(f"{MODEL}/resolve/{revision}/{path.name}", path.read_bytes(), etag=etag, headers=headers)
    fetch(MODEL, records / record_name(MODEL))
    cut_the_network(monkeypatch)
    loaded = codec_wrappers.load("transformers", model, records / record_name(MODEL)).network
    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in network.state_dict().items())


def test_without_a_record_nothing_is_known_and_a_lost_cache_is_named(
    hub: FileServer, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fetched(MODEL) is None
    path = records / record_name(MODEL) / provenance.RECORD
    files.write_note(path, json.dumps({"revision": COMMIT}))
    with pytest.raises(HubModelError, match=f"no longer has commit {COMMIT} of it; remove {path}, and"):
        fetched(MODEL)
    monkeypatch.delenv(hub_models.VARIABLE)
    assert fetched(MODEL) is None


def test_named_files_are_fetched_for_a_generator_and_read_with_the_network_cut(
    hub: FileServer, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.serve("somebody/vocoder/resolve/main/config.yaml", b"a: 1", etag='"1"', headers={"X-Repo-Commit": COMMIT})
    hub.serve(
        f"somebody/vocoder/resolve/{COMMIT}/weights.bin", b"weights", etag='"2"', headers={"X-Repo-Commit": COMMIT}
    )
    fetch("somebody/vocoder", records / record_name("somebody/vocoder"), ("config.yaml", "weights.bin"))
    cut_the_network(monkeypatch)
    config, weights = files_of("somebody/vocoder", ("config.yaml", "weights.bin"), "the vocoder")
    assert (config.read_bytes(), weights.read_bytes()) == (b"a: 1", b"weights")
