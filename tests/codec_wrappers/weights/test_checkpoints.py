"""The manifest of published weights: complete, spelled right, and fitting the architectures that wrappers build."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
import torch

import codec_wrappers
from codec_wrappers.weights import checkpoints
from codec_wrappers.weights.checkpoints import (
    LICENSES,
    MANIFEST,
    PERMISSIVE,
    UNKNOWN,
    Checkpoint,
    ManifestError,
    PublishedFile,
)

ALL = checkpoints.load()
CODECS = {name: checkpoint for name, checkpoint in ALL.items() if not checkpoint.converter}
CONVERTED = [name for name, checkpoint in CODECS.items() if checkpoint.form == "state_dicts"]
AUDIOGEN_CODEC = "audiogen-medium/compression_state_dict.bin"
PAPERS = {  # id in its paper -> checkpoint
    "A": "speechtokenizer_hubert_avg",
    "B1": "hificodec_16k_320d",
    "B2": "hificodec_16k_320d_large_universal",
    "B3": "hificodec_24k_320d",
    "C": "audiodec_libritts_v1",
    "D1": "dac_16khz",
    "D2": "dac_24khz",
    "D3": "dac_44khz",
    "E": "encodec_24khz",
    "F1": "freqcodec_gr1",
    "F2": "freqcodec_gr8",
    "F3": "funcodec_libritts_ds320",
    "F4": "funcodec_libritts_ds640",
    "F5": "funcodec_general_ds320",
    "F6": "funcodec_general_ds640",
    "F01": "soundstream_kaiidams",
    "F01 of AcademiCodec": "soundstream_academicodec",
    "F01 of Lyra": "lyra",
    "F05 symmetric": "audiodec_libritts_sym",
}
ENTRY: dict[str, Any] = {
    "wrapper": "encodec",
    "model": {},
    "code_license": "MIT",
    "weights_license": "MIT",
    "notice": "",
    "files": [{"name": "a.pt", "addresses": ["https://example.org/a.pt"], "holds": {"model": ""}}],
}


def manifest(path: Path, **changes: Any) -> Path:
    """A manifest (JSON is YAML) of one entry named `mine`."""
    path.write_text(json.dumps({"unused": {}, "checkpoints": {"mine": ENTRY | changes}}))
    return path


def remote_files(checkpoint: Checkpoint) -> list[PublishedFile]:
    return [*checkpoint.files, *(file.archive for file in checkpoint.files if file.archive)]


@pytest.mark.parametrize("name", PAPERS.values(), ids=PAPERS)
def test_every_codec_of_both_papers_has_its_checkpoint(name: str) -> None:
    assert ALL[name].name == name


def test_no_name_is_given_twice_in_the_manifest() -> None:
    entries = re.findall(r"^  ([^ #][^:]*):", MANIFEST.read_text(encoding="utf-8").split("checkpoints:\n")[1], re.M)
    assert entries == list(ALL)


@pytest.mark.parametrize("name", ALL)
def test_a_name_is_fit_for_a_folder_and_a_command_line(name: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_.]*", name)


def test_files_of_one_name_are_one_file() -> None:
    facts_of: dict[str, tuple[Any, ...]] = {}
    for checkpoint in ALL.values():
        for file in remote_files(checkpoint):
            facts = (file.addresses, file.bytes, file.about_mb, file.sha256)
            assert facts_of.setdefault(file.name, facts) == facts, file.name


def test_no_two_files_have_one_address() -> None:
    names: dict[str, str] = {}
    for checkpoint in ALL.values():
        for file in remote_files(checkpoint):
            for address in file.addresses:
                assert names.setdefault(address, file.name) == file.name, address


@pytest.mark.parametrize("name", ALL)
def test_every_file_has_an_encrypted_address_that_names_a_file(name: str) -> None:
    for file in remote_files(ALL[name]):
        assert file.addresses or file in ALL[name].files and file.archive is not None  # type: ignore[attr-defined]
        for address in file.addresses:
            parts = urlparse(address)
            assert (parts.scheme, parts.query, parts.fragment) == ("https", "", "")
            assert parts.path.strip("/").count("/") >= 2
            assert "/blob/" not in parts.path and "/tree/" not in parts.path, "a page of a hub, not a file"


def test_hashes_are_those_that_were_published_and_no_others() -> None:
    hashes = {file.name: file.sha256 for item in ALL.values() for file in remote_files(item) if file.sha256 != UNKNOWN}
    assert hashes == {
        "encodec_24khz-d7cc33bc.th": "d7cc33bcf1aad7f2dad9836f36431530744abeace3ca033005e3290ed4fa47bf",
        "lyra/soundstream_encoder.tflite": "237da0b16226fb0a68d49551c81bebf614e42142af72764448359f68581e88f1",
        "lyra/quantizer.tflite": "841ee05989687d32d1f616a8ad1419fc7eda37599d3c05c7cf5a0d60ccf8ac5c",
        "lyra/lyragan.tflite": "50e7839cda4f30599a3a34cfaddcd9c98449b049eee884e1a74295780448ad06",
        AUDIOGEN_CODEC: "5a520e64ca99226a9956f83b06df0617b713183fcdc384779883a6bb46dc1095",
    }


@pytest.mark.parametrize("name", CONVERTED)
def test_the_model_of_a_checkpoint_can_be_built(name: str) -> None:
    with torch.device("meta"):
        network = codec_wrappers.build(ALL[name].wrapper, ALL[name].model).network
    assert network.state_dict()


@pytest.mark.parametrize("name", [name for name in CONVERTED if all(file.about_mb for file in ALL[name].files)])
def test_published_sizes_are_those_of_the_architecture(name: str) -> None:
    with torch.device("meta"):
        network = codec_wrappers.build(ALL[name].wrapper, ALL[name].model).network
    ours = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values()) / 1e6
    published = sum(file.about_mb or 0 for file in ALL[name].files)
    assert 0.97 * published < ours < published  # FunCodec's files have a discriminator too


def test_lyra_is_in_the_repository_as_the_manifest_says(shared: Path) -> None:
    for file in ALL["lyra"].files:
        assert (shared / "weights" / file.name).stat().st_size == file.bytes


def test_permissive_are_the_licenses_of_code_and_weights_together() -> None:
    checkpoint = ALL["dac_16khz"]
    assert checkpoint.is_permissive
    assert not replace(checkpoint, weights_license="unstated").is_permissive
    assert not replace(checkpoint, code_license="CC-BY-NC-4.0").is_permissive


def test_what_forbids_commerce_or_is_not_stated_is_not_permissive() -> None:
    assert not {"unstated", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0"} & PERMISSIVE
    assert PERMISSIVE < LICENSES


def test_checkpoints_under_permissive_licenses_are_these() -> None:
    assert {name for name, checkpoint in ALL.items() if checkpoint.is_permissive} == {
        *(name for name in ALL if name.startswith(("dac_", "freqcodec_", "funcodec_", "soundstream_kaiidams"))),
        "lyra",
        "mimi",
        "neucodec",
        "vocos_encodec_24khz",
        "snac_24khz",
        "valle_librilight_6k",
        "valle_libritts",
        "vallex",
    }


def test_a_license_is_one_line_for_a_table() -> None:
    assert ALL["dac_16khz"].license == "MIT"
    assert ALL["encodec_24khz"].license == "code MIT, weights unstated"
    assert ALL["audiodec_libritts_v1"].license == "CC-BY-NC-4.0"


def test_every_checkpoint_has_a_credit_with_a_year_or_a_version() -> None:
    for checkpoint in ALL.values():
        assert re.search(r"\((\w.* )?20\d\d\)", checkpoint.notice), checkpoint.name


@pytest.mark.parametrize("name", codec_wrappers.names())
def test_the_code_of_every_codec_has_a_license_that_is_known(name: str) -> None:
    assert codec_wrappers.entry(name).license in checkpoints.LICENSES


def test_outputs_are_one_file_of_weights_or_the_models_as_they_are(tmp_path: Path) -> None:
    assert ALL["dac_16khz"].outputs == ("weights.safetensors", "provenance.json")
    assert ALL["dac_16khz"].weights_in(tmp_path) == tmp_path / "weights.safetensors"
    assert ALL["lyra"].outputs == (
        "soundstream_encoder.tflite", "quantizer.tflite", "lyragan.tflite", "provenance.json"
    )  # fmt: skip
    assert ALL["lyra"].weights_in(tmp_path) == tmp_path


@pytest.mark.parametrize("name", [name for name, item in CODECS.items() if item.form == "folder"])
def test_a_folder_has_the_files_that_transformers_reads(name: str, tmp_path: Path) -> None:
    assert ALL[name].outputs == ("config.json", "model.safetensors", "provenance.json")
    assert ALL[name].weights_in(tmp_path) == tmp_path
    assert codec_wrappers.shape(ALL[name].wrapper, ALL[name].model) is not None


def test_an_unknown_checkpoint_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ManifestError, match="unknown checkpoint 'dac'; .*from encodec_24khz, .*dac_16khz"):
        checkpoints.find("dac")


FILE = ENTRY["files"][0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"wrapper": "mp3"}, "unknown codec 'mp3'; choose from passthrough, "),
        ({"weights_license": "mit"}, "unknown license 'mit'; "),
        ({"code_license": "free"}, "unknown license 'free'; "),
        ({"form": "pickle"}, "unknown form 'pickle'; choose from state_dicts, tflite, folder"),
        ({"license": "MIT"}, ".*unknown setting 'license'"),
        ({"files": []}, "has no files"),
        ({"files": [FILE, FILE]}, "two files have the same name"),
        ({"files": [FILE | {"holds": {}}]}, "every file must list its state_dicts in `holds`"),
        ({"files": [FILE | {"addresses": []}]}, "a.pt: has neither an address nor an archive"),
        ({"files": [FILE | {"member": "a.pt"}]}, "a.pt: `archive` and `member` go together"),
        ({"files": [FILE | {"name": "../a.pt"}]}, "file '../a.pt': give a relative path under the weights folder"),
        ({"files": [FILE | {"name": "/a.pt"}]}, "file '/a.pt': give a relative path under the weights folder"),
        (
            {"files": [FILE | {"sha256": "d7cc33bc"}]},
            "a.pt: sha256 'd7cc33bc' is neither 64 hexadecimal digits",
        ),
        ({"files": [FILE | {"bytes": 1.5}]}, "Checkpoint.files.0.bytes"),
    ],
)
def test_a_manifest_that_says_something_impossible_is_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = manifest(tmp_path / "checkpoints.yaml", **changes)
    with pytest.raises(ManifestError, match=f"{re.escape(str(path))}: mine: .*{message}"):
        checkpoints.load(path)


def test_a_manifest_as_it_should_be_is_taken(tmp_path: Path) -> None:
    assert list(checkpoints.load(manifest(tmp_path / "checkpoints.yaml"))) == ["mine"]
