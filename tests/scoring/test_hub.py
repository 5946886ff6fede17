"""Model folders from a hub, on a server of this machine: fetched once, checked, and never code."""

import json
from pathlib import Path
from typing import Any

import pytest
from file_server import FileServer
from small_detectors import write_model

from codec_wrappers.weights.download import Patience
from codecfake.base import files
from codecfake.detectors import models
from codecfake.scoring import hub, model_sources
from codecfake.scoring.hub import HubError

NAME, COMMIT = "someone/small", "0123abc"
IMPATIENT = Patience(attempts=1, backoff_seconds=0.0, timeout_seconds=5, answer_seconds=5)
OUTSIDE = {"name": "evil.py:Back"}

pytestmark = pytest.mark.usefixtures("no_proxy")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = write_model(tmp_path / "model")
    (folder / "card.md").write_text("# A card\n", encoding="utf-8")
    return folder


def publish(server: FileServer, folder: Path, **changes: Any) -> str:
    """Serve a folder as a hub does; the address of the hub."""
    paths = sorted(folder.iterdir())
    for path in paths:
        server.serve(f"{NAME}/resolve/{COMMIT}/{path.name}", path.read_bytes())
    siblings = [{"rfilename": path.name, "size": path.stat().st_size} for path in paths]
    answer = json.dumps({"sha": COMMIT, "siblings": siblings, **changes}).encode()
    server.serve(f"api/models/{NAME}?blobs=true", answer, content_type="application/json")
    return server.address.rstrip("/")


def rewrite(folder: Path, **detector: Any) -> None:
    """Change settings of the detector and seal them again."""
    record = json.loads((folder / models.SETTINGS).read_text(encoding="utf-8"))
    record["settings"]["detector"] |= detector
    files.write_json(folder / models.SETTINGS, record)


def test_a_model_is_fetched_once_with_its_card_and_its_seals(server: FileServer, model: Path, tmp_path: Path) -> None:
    address = publish(server, model)
    for name in (NAME, f"hf:{NAME}"):
        source = model_sources.find(name, {"HF_ENDPOINT": address + "/"}, tmp_path / "weights")
        assert source.folder == tmp_path / "weights/hub" / NAME
    for path in model.iterdir():
        assert (source.folder / path.name).read_bytes() == path.read_bytes()
    assert len(server.requests) == 1 + len(list(model.iterdir()))
    assert source.read_card() == "# A card\n"
    assert not source.is_demonstration


def test_files_that_are_not_of_a_model_folder_are_not_fetched(server: FileServer, model: Path, tmp_path: Path) -> None:
    (model / "pytorch_model.bin").write_bytes(b"a pickle")
    (model / "evil.py").write_text("raise SystemExit")
    output = hub.fetch(NAME, tmp_path, publish(server, model), IMPATIENT)
    assert not (output / "pytorch_model.bin").exists() and not (output / "evil.py").exists()


@pytest.mark.parametrize("status", [401, 404])
def test_an_unknown_id_is_named_with_the_hub(server: FileServer, tmp_path: Path, status: int) -> None:
    server.serve(f"api/models/{NAME}?blobs=true", b"", statuses=[status])
    with pytest.raises(
        HubError, match=f"{NAME}: neither a folder here nor a public model of the hub .*check the spell"
    ):
        hub.fetch(NAME, tmp_path, server.address.rstrip("/"), IMPATIENT)


def test_without_a_network_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="cannot be reached .*HF_ENDPOINT to a mirror, or fetch it elsewhere"):
        hub.fetch(NAME, tmp_path, "http://127.0.0.1:9", IMPATIENT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["weights.safetensors", "settings.json", "weights.safetensors.sha256"])
def test_a_model_that_lacks_a_file_is_refused_before_anything_is_fetched(
    server: FileServer, model: Path, tmp_path: Path, name: str
) -> None:
    (model / name).unlink()
    with pytest.raises(HubError, match=f"but without {name}.*name another model"):
        hub.fetch(NAME, tmp_path / "out", publish(server, model), IMPATIENT)
    assert len(server.requests) == 1


def test_weights_that_differ_from_their_seal_are_refused(server: FileServer, model: Path, tmp_path: Path) -> None:
    data = (model / models.WEIGHTS).read_bytes()
    (model / models.WEIGHTS).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(HubError, match="weights.safetensors could not be fetched .*has the sha256"):
        hub.fetch(NAME, tmp_path / "out", publish(server, model), IMPATIENT)
    assert not (tmp_path / "out/hub" / NAME / models.WEIGHTS).exists()


@pytest.mark.parametrize(
    "answer", [{"sha": "../../x"}, {"sha": None}, {"siblings": 3}, {"siblings": [{}]}, {"siblings": ["x"]}]
)
def test_a_server_that_is_no_hub_is_named(
    server: FileServer, model: Path, tmp_path: Path, answer: dict[str, Any]
) -> None:
    with pytest.raises(HubError, match="did not answer as a hub .*set HF_ENDPOINT to a hub"):
        hub.fetch(NAME, tmp_path, publish(server, model, **answer), IMPATIENT)


@pytest.mark.parametrize(
    ("detector", "message"),
    [
        ({"back_end": OUTSIDE}, "its back_end is 'evil.py:Back', code outside of codecfake"),
        ({"front_end": {"name": "wav2vec2", "weights": "included", "config": {"auto_map": {}}}}, "the key 'auto_map'"),
        ({"front_end": {"name": "wav2vec2", "weights": "included", "config": {"_attn_implementation": "x/y"}}}, "key"),
    ],
)
def test_settings_that_name_code_are_refused(
    server: FileServer, model: Path, tmp_path: Path, detector: dict[str, Any], message: str
) -> None:
    rewrite(model, **detector)
    with pytest.raises(HubError, match=message):
        hub.fetch(NAME, tmp_path / "out", publish(server, model), IMPATIENT)


def test_a_front_end_elsewhere_must_be_named_by_the_user(server: FileServer, model: Path, tmp_path: Path) -> None:
    rewrite(model, front_end={"name": "wav2vec2", "weights": "facebook/wav2vec2-xls-r-300m"})
    environment = {"HF_ENDPOINT": publish(server, model)}
    with pytest.raises(HubError, match="front-end 'facebook/.*' is not in it.* with --front-end"):
        model_sources.find(NAME, environment, tmp_path / "out")
    assert model_sources.find(NAME, environment, tmp_path / "out", front_end="/data/xls-r").name == NAME


@pytest.mark.parametrize("address", ["nonsense", "ftp://mirror", "file:///etc"])
def test_an_endpoint_that_is_no_web_address_is_refused(address: str) -> None:
    with pytest.raises(HubError, match="HF_ENDPOINT is .*not a web address"):
        hub.endpoint({"HF_ENDPOINT": address})


def test_the_public_hub_is_the_default() -> None:
    assert hub.endpoint({}) == hub.endpoint({"HF_ENDPOINT": ""}) == "https://huggingface.co"
