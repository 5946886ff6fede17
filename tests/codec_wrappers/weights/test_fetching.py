"""Published weights from a server to a codec: official files in, the wrapper's own weights out, nothing else run."""

import hashlib
import io
import json
import os
import stat
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from file_server import FileServer, running
from small_codecs import SMALL
from torch import Tensor

import codec_wrappers
from codec_wrappers.__main__ import main
from codec_wrappers.weights import archives, checkpoints, conversion, fetching
from codec_wrappers.weights.archives import ArchiveError, copy_member
from codec_wrappers.weights.checkpoints import UNKNOWN, Checkpoint, OfficialFile
from codec_wrappers.weights.conversion import ConversionError
from codec_wrappers.weights.download import Patience
from codec_wrappers.weights.fetching import MissingFilesError, WrongFileError, fetch, obtain
from codec_wrappers.weights.loading import WeightsError

QUICK = Patience(attempts=2, backoff_seconds=0.0, timeout_seconds=10.0)
MANIFEST = checkpoints.load()
CODECS = {name: checkpoint for name, checkpoint in MANIFEST.items() if not checkpoint.converter}
CONVERTED = [name for name, checkpoint in CODECS.items() if checkpoint.form == "state_dicts"]
SMALL_OF = {  # a small architecture of each published one
    "freqcodec_gr1": SMALL["funcodec"] | {"architecture": "freqcodec_gr1"},
    "freqcodec_gr8": SMALL["funcodec"] | {"architecture": "freqcodec_gr8", "n_filters": 32},
    "audiodec_libritts_sym": SMALL["audiodec"] | {"decoder": "symmetric"},
    "soundstream_academicodec": SMALL["soundstream"] | {"form": "academicodec", "num_codebooks": 6},
}
GOLDEN = {
    "encodec_24khz": "encodec_24k",
    "speechtokenizer_hubert_avg": "speechtokenizer_16k",
    "freqcodec_gr1": "freqcodec_gr1",
    "freqcodec_gr8": "freqcodec_gr8",
    "funcodec_libritts_ds320": "funcodec_ds320",
    "funcodec_general_ds640": "funcodec_ds640",
    "audiodec_libritts_v1": "audiodec_24k",
    "audiodec_libritts_sym": "audiodec_24k",
    "hificodec_24k_320d": "hificodec_24k_320d",
    "dac_16khz": "dac_16k",
    "dac_44khz": "dac_44k",
    "soundstream_kaiidams": "soundstream_kaiidams_16k",
    "soundstream_academicodec": "soundstream_academicodec_16k",
}
TFLITE = {f"lyra/{name}.tflite": f"model {name}".encode() for name in ("soundstream_encoder", "quantizer", "lyragan")}

pytestmark = pytest.mark.usefixtures("no_proxy")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "weights"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def small_model(name: str) -> dict[str, Any]:
    return {**SMALL_OF.get(name, SMALL[MANIFEST[name].wrapper])}


def small_network(name: str) -> dict[str, Tensor]:
    """The state_dict of a small codec with weights of its own."""
    torch.manual_seed(1)
    config = {"config": small_config(name)} if MANIFEST[name].architecture_file else {}
    state = codec_wrappers.build(MANIFEST[name].wrapper, {**small_model(name), **config}).network.state_dict()
    return {key: torch.rand_like(tensor) + 0.5 for key, tensor in state.items()}


def small_config(name: str) -> dict[str, Any]:
    """A small FreqCodec as its authors' config.yaml describes one: narrower than the repository's, with one LSTM."""
    groups = {"freqcodec_gr1": 1, "freqcodec_gr8": 8}[name]
    shape = {
        "ratios": [[4, 1], [4, 1], [4, 2], [4, 1]], "norm": "time_group_norm", "norm_params": {"num_groups": 1},
        "causal": False, "dilation_base": 1, "conv_group_ratio": groups, "n_filters": 16, "seq_layer_num": 1,
        "compress": 1,
    }  # fmt: skip
    return {
        "input_size": 3,
        "encoder": "encodec_seanet_encoder_2d", "encoder_conf": {**shape, "dimension": 32},
        "quantizer": "costume_quantizer", "quantizer_conf": {"codebook_size": 64, "num_quantizers": 32},
        "decoder": "encodec_seanet_decoder_2d", "decoder_conf": {**shape, "channels": 3},
        "model": "freq_codec", "model_conf": {"audio_normalize": True, "codec_domain": ["mag_phase", "mag_phase"]},
    }  # fmt: skip


def parts_of(checkpoint: Checkpoint, state: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """The tensors of our network as the official state_dicts have them, with all that is published beside."""
    parts = {part for file in checkpoint.files for part in file.holds}
    if parts == {"model"}:
        old = {today: name for name, today in checkpoint.renames.items()}
        extra = {prefix + "0.weight": torch.zeros(1) for prefix in checkpoint.unused}
        return {"model": {old.get(name, name): tensor for name, tensor in state.items()} | extra}
    return {
        part: {name.removeprefix(f"{part}."): value for name, value in state.items() if name.startswith(f"{part}.")}
        for part in parts
    }


def official_file(file: OfficialFile, parts: dict[str, dict[str, Tensor]]) -> bytes:
    """A checkpoint as its authors save it: the state_dicts at their keys, among other things."""
    content: dict[str, Any] = {}
    for part, keys in file.holds.items():
        if not keys:
            return saved(dict(parts[part]))
        *path, last = keys.split(".")
        inner = content
        for key in path:
            inner = inner.setdefault(key, {"discriminator": {"weight": torch.zeros(1)}})
        inner[last] = parts[part]
    return saved(content | {"steps": 500_000, "optimizer": {"lr": 1e-4}})


def saved(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def served(server: FileServer, name: str, state: dict[str, Tensor], **changes: Any) -> Checkpoint:
    """The manifest's checkpoint with a small model, its files on `server`."""
    parts = parts_of(MANIFEST[name], state)
    files = []
    for file in MANIFEST[name].files:
        data = yaml.safe_dump(small_config(name)).encode() if file.architecture else official_file(file, parts)
        address = server.serve(file.name, data)
        files.append(
            replace(file, addresses=(address,), bytes=None, about_mb=None, sha256=UNKNOWN, archive=None, member="")
        )
    return replace(MANIFEST[name], **{"model": small_model(name), "files": tuple(files)} | changes)


def encodec(server: FileServer, **changes: Any) -> Checkpoint:
    return served(server, "encodec_24khz", small_network("encodec_24khz"), **changes)


def of_one_file(address: str, **changes: Any) -> Checkpoint:
    file = OfficialFile("codec.pt", (address,), holds={"model": ""})
    return replace(MANIFEST["encodec_24khz"], model=SMALL["encodec"], files=(replace(file, **changes),))


def lyra(server: FileServer) -> Checkpoint:
    files = [
        OfficialFile(name, (server.serve(name, data),), bytes=len(data), sha256=sha256(data))
        for name, data in TFLITE.items()
    ]
    return replace(MANIFEST["lyra"], files=tuple(files))


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# from the official form to ours


@pytest.mark.parametrize("name", CONVERTED)
def test_what_was_published_is_what_the_codec_is_loaded_with(
    name: str, server: FileServer, folder: Path, output: Path
) -> None:
    state = small_network(name)
    checkpoint = served(server, name, state)
    fetch(checkpoint, folder, output, QUICK)
    codec = codec_wrappers.load(checkpoint.wrapper, checkpoint.model, checkpoint.weights_in(output))
    loaded = codec.network.state_dict()
    assert set(loaded) == set(state)
    if checkpoint.model.get("form", "kaiidams") == "kaiidams" and checkpoint.wrapper == "soundstream":
        frequency = state["quantizer.code_relative_frequency"]
        state["quantizer.running_mean"] = state["quantizer.weight"] * frequency[..., None]
    for key, tensor in state.items():
        torch.testing.assert_close(loaded[key], tensor, rtol=0, atol=0)
    assert names(output) == sorted(checkpoint.outputs)


def test_a_network_of_another_form_than_the_wrapper_runs_is_refused(
    server: FileServer, folder: Path, output: Path
) -> None:
    checkpoint = served(server, "freqcodec_gr8", small_network("freqcodec_gr8"))
    config = small_config("freqcodec_gr8") | {"model_conf": {"audio_normalize": False}}
    server.serve(checkpoint.files[1].name, yaml.safe_dump(config).encode())
    with pytest.raises(
        ValueError, match=r"config.yaml: model_conf.codec_domain is \['time', 'time'\], but freqcodec_gr8"
    ):
        fetch(checkpoint, folder, output, QUICK)
    assert names(output) == []


def test_an_architecture_that_is_no_yaml_is_refused(server: FileServer, folder: Path, output: Path) -> None:
    checkpoint = served(server, "freqcodec_gr1", small_network("freqcodec_gr1"))
    server.serve(checkpoint.files[1].name, b"just a word")
    with pytest.raises(
        conversion.ConversionError, match=r"config.yaml: expected the settings of a network .* found a str"
    ):
        fetch(checkpoint, folder, output, QUICK)


def test_a_folder_that_was_fetched_into_can_be_loaded_as_it_is(server: FileServer, folder: Path, output: Path) -> None:
    checkpoint = encodec(server)
    fetch(checkpoint, folder, output, QUICK)
    codec_wrappers.load("encodec", checkpoint.model, output)


def test_a_folder_of_the_hub_is_copied_and_loaded_as_it_is(server: FileServer, folder: Path, output: Path) -> None:
    network = codec_wrappers.build("transformers", {**SMALL["transformers"], "seed": 1}).network
    network.save_pretrained(folder / "published")
    files = [
        replace(file, addresses=(server.serve(file.name, (folder / "published" / Path(file.name).name).read_bytes()),))
        for file in MANIFEST["mimi"].files
    ]
    checkpoint = replace(MANIFEST["mimi"], model=SMALL["transformers"], files=tuple(files))
    fetch(checkpoint, folder, output, QUICK)
    assert names(output) == ["config.json", "model.safetensors", "provenance.json"]
    loaded = codec_wrappers.load("transformers", checkpoint.model, checkpoint.weights_in(output)).network
    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_names_and_shapes_of_official_files_fit_the_architecture(
    name: str, golden: Path, tmp_path: Path
) -> None:
    checkpoint = MANIFEST[name]
    about = json.loads((golden / f"{GOLDEN[name]}.json").read_text())
    spec = about["state_dict"]
    parts = {
        part: {key: torch.zeros(1).expand(shape) for key, (shape, _) in tensors.items()}
        for part, tensors in spec.items()
    }
    paths = {}
    for index, file in enumerate(checkpoint.files):
        paths[file.name] = tmp_path / f"{index}.pt"
        config = yaml.safe_dump(about["config"]).encode() if file.architecture else None
        paths[file.name].write_bytes(config or official_file(file, parts))
    assert conversion.state_dict(checkpoint, paths)


def test_weights_of_another_architecture_are_refused_and_leave_nothing(
    server: FileServer, folder: Path, output: Path
) -> None:
    checkpoint = encodec(server, model=SMALL["encodec"] | {"dimension": 32})
    with pytest.raises(WeightsError, match=r"encodec_24khz-d7cc33bc.th: \d+ wrongly shaped tensor"):
        fetch(checkpoint, folder, output, QUICK)
    assert not output.exists()


@pytest.mark.parametrize(("change", "fault"), [("add", "1 unexpected"), ("remove", "1 missing")])
def test_a_tensor_too_many_or_too_few_is_refused(
    change: str, fault: str, server: FileServer, folder: Path, output: Path
) -> None:
    state = small_network("encodec_24khz")
    if change == "add":
        state["discriminator.weight"] = torch.zeros(1)
    else:
        del state["encoder.model.0.conv.conv.bias"]
    with pytest.raises(WeightsError, match=fault):
        fetch(served(server, "encodec_24khz", state), folder, output, QUICK)


def test_a_weight_that_is_not_finite_is_refused(server: FileServer, folder: Path, output: Path) -> None:
    state = small_network("encodec_24khz")
    state["encoder.model.0.conv.conv.bias"][0] = float("nan")
    with pytest.raises(ConversionError, match="encoder.model.0.conv.conv.bias' has a value that is not finite"):
        fetch(served(server, "encodec_24khz", state), folder, output, QUICK)


def test_half_precision_is_stored_in_the_type_of_the_network(server: FileServer, folder: Path, output: Path) -> None:
    halves = {name: tensor.half() for name, tensor in small_network("encodec_24khz").items()}
    fetch(served(server, "encodec_24khz", halves), folder, output, QUICK)
    loaded = conversion.read(output / "weights.safetensors", "")
    assert {tensor.dtype for tensor in loaded.values()} == {torch.float32}


def test_safetensors_are_read_too(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"a": torch.ones(2)}, tmp_path / "a.safetensors")
    assert conversion.read(tmp_path / "a.safetensors", "")["a"].tolist() == [1.0, 1.0]
    (tmp_path / "b.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0damaged!")
    with pytest.raises(ConversionError, match="b.safetensors: is damaged"):
        conversion.read(tmp_path / "b.safetensors", "")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("state_dict", "no key 'state_dict' of 'state_dict'; found the keys model, steps"),
        ("model.generator.weight", "no key 'weight' of 'model.generator.weight'; found the keys a"),
        ("steps.0", "no key '0' of 'steps.0'; found a int"),
        ("", "expected tensors by name at '', found the keys model, steps"),
        ("model", "expected tensors by name at 'model', found the keys generator"),
    ],
)
def test_a_file_that_is_built_otherwise_is_described(keys: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "codec.pt"
    torch.save({"model": {"generator": {"a": torch.ones(1)}}, "steps": 1}, path)
    with pytest.raises(ConversionError, match=message):
        conversion.read(path, keys)


def test_one_tensor_in_two_files_is_refused(tmp_path: Path) -> None:
    files = tuple(OfficialFile(name, ("x",), holds={"model": ""}) for name in ("a.pt", "b.pt"))
    for file in files:
        torch.save({"weight": torch.ones(1)}, tmp_path / file.name)
    checkpoint = replace(MANIFEST["encodec_24khz"], files=files)
    with pytest.raises(ConversionError, match="b.pt: tensor 'weight' is also in another file; select one"):
        conversion.state_dict(checkpoint, {file.name: tmp_path / file.name for file in files})


# files that are not what they should be


class Payload:
    """A pickle that runs a command when it is read."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_pickle_that_wants_to_run_code_does_not(
    is_zip: bool, tmp_path: Path, server: FileServer, folder: Path, output: Path
) -> None:
    buffer = io.BytesIO()
    proof = tmp_path / "it-ran"
    torch.save({"weight": torch.ones(1), "x": Payload(proof)}, buffer, _use_new_zipfile_serialization=is_zip)
    checkpoint = of_one_file(server.serve("codec.pt", buffer.getvalue()))
    with pytest.raises(ConversionError, match=r"would execute \w+\.system .*the file was not executed"):
        fetch(checkpoint, folder, output, QUICK)
    assert not proof.exists()
    assert not output.exists()
    torch.load(folder / "codec.pt", weights_only=False)  # the payload is a real one
    assert proof.exists()


@pytest.mark.parametrize("data", [b"\x80\x02damaged", bytes(100)])
def test_a_damaged_checkpoint_is_told_as_such(data: bytes, server: FileServer, folder: Path, output: Path) -> None:
    with pytest.raises(ConversionError, match="codec.pt: damaged, or not written by torch.save .*; fetch it again"):
        fetch(of_one_file(server.serve("codec.pt", data)), folder, output, QUICK)


def test_the_advice_to_load_a_file_unsafely_is_not_passed_on(server: FileServer, folder: Path, output: Path) -> None:
    data = saved({"x": Payload(folder)})
    with pytest.raises(ConversionError) as error:
        fetch(of_one_file(server.serve("codec.pt", data)), folder, output, QUICK)
    assert "weights_only" not in str(error.value)


@pytest.mark.parametrize(
    ("data", "facts", "message"),
    [
        (b"<!DOCTYPE html>", {}, "is a text that begins '<!DOCTYPE html>', not the published file"),
        (b"12345", {"bytes": 6}, "has 5 bytes; the published file has 6"),
        (b"12345", {"about_mb": 1.0}, "has 0.0 MB; the published file has about 1 MB"),
        (b"12345", {"sha256": "0" * 64}, f"has the sha256 {sha256(b'12345')}; the published file has {'0' * 64}"),
    ],
)
def test_a_file_put_by_hand_is_checked_as_a_downloaded_one_and_left_alone(
    data: bytes, facts: dict[str, Any], message: str, server: FileServer, folder: Path, output: Path
) -> None:
    folder.mkdir()
    (folder / "codec.pt").write_bytes(data)
    with pytest.raises(WrongFileError, match=f"codec.pt: {message}; remove it, then the same command fetches it again"):
        fetch(of_one_file(server.address + "codec.pt", **facts), folder, output, QUICK)
    assert (folder / "codec.pt").read_bytes() == data
    assert server.requests == []


# where files are looked for


@pytest.mark.parametrize("place", ["{file}", "{checkpoint}/{file}"])
def test_a_file_of_the_weights_folder_is_never_downloaded(
    place: str, server: FileServer, folder: Path, output: Path
) -> None:
    checkpoint = encodec(server)
    name = checkpoint.files[0].name
    path = folder / place.format(file=name, checkpoint=checkpoint.name)
    path.parent.mkdir(parents=True)
    path.write_bytes(server.files[name].data)
    fetch(checkpoint, folder, output, QUICK)
    assert server.requests == []
    assert path.with_name(name + ".sha256").exists()


def test_the_folder_that_a_hub_gives_a_file_may_be_named_as_the_checkpoint(server: FileServer, folder: Path) -> None:
    (folder / "lyra").mkdir(parents=True)
    files = [replace(file, name="hub/" + Path(file.name).name) for file in lyra(server).files]
    for name, data in TFLITE.items():
        (folder / name).write_bytes(data)
    obtain([replace(lyra(server), files=tuple(files))], folder, QUICK)
    assert server.requests == []


def test_two_files_that_differ_by_folder_alone_are_not_taken_for_each_other(server: FileServer, folder: Path) -> None:
    checkpoint = served(server, "audiodec_libritts_v1", small_network("audiodec_libritts_v1"))
    (folder / checkpoint.name).mkdir(parents=True)
    (folder / checkpoint.name / "checkpoint-500000steps.pkl").write_bytes(b"which one?")
    paths = obtain([checkpoint], folder, QUICK)[checkpoint.name]
    assert [path.relative_to(folder).as_posix() for path in paths.values()] == [
        "autoencoder/symAD_libritts_24000_hop300/checkpoint-500000steps.pkl",
        "vocoder/AudioDec_v1_symAD_libritts_24000_hop300_clean/checkpoint-500000steps.pkl",
    ]


def test_only_what_is_missing_is_downloaded_and_only_once(server: FileServer, folder: Path, output: Path) -> None:
    (folder / "lyra").mkdir(parents=True)
    (folder / "lyra/quantizer.tflite").write_bytes(TFLITE["lyra/quantizer.tflite"])
    for _ in range(2):
        fetch(lyra(server), folder, output, QUICK)
    assert [request.path for request in server.requests] == ["lyra/soundstream_encoder.tflite", "lyra/lyragan.tflite"]


def test_without_a_network_all_missing_files_are_told_at_once_with_all_addresses(folder: Path, output: Path) -> None:
    with running() as server:
        some, other = lyra(server), encodec(server)
    (folder / "lyra").mkdir(parents=True)
    (folder / "lyra/quantizer.tflite").write_bytes(TFLITE["lyra/quantizer.tflite"])
    with pytest.raises(MissingFilesError) as error:
        obtain([some, other], folder, QUICK)
    message = str(error.value)
    assert message.startswith(
        f"3 file(s) are not in {folder} and could not be downloaded. Download them and save them as:"
    )
    for file in (some.files[0], some.files[2], other.files[0]):
        assert f"\n  {folder / file.name}\n    from {file.addresses[0]}\n" in message
    assert message.count("refused") == 3
    assert "quantizer" not in message


def test_the_archive_and_the_member_are_told_too(server: FileServer, folder: Path, output: Path) -> None:
    checkpoint = MANIFEST["audiodec_libritts_sym"]
    archive = replace(archive_of(checkpoint), addresses=(server.address + "exp.zip",))
    files = [replace(file, addresses=(), archive=archive) for file in checkpoint.files]
    with pytest.raises(MissingFilesError, match=r"exp.zip \(its member .*checkpoint-1000000steps.pkl\)"):
        fetch(replace(checkpoint, files=tuple(files)), folder, output, QUICK)


def archive_of(checkpoint: Checkpoint) -> Any:
    return checkpoint.files[0].archive


def test_a_weights_folder_that_cannot_be_made_is_told_with_what_to_put_there(
    server: FileServer, tmp_path: Path, output: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    checkpoint = encodec(server)
    with pytest.raises(
        MissingFilesError, match="(?s)save them as:.*from .*file/weights cannot be written to: Not a dir"
    ):
        fetch(checkpoint, tmp_path / "file" / "weights", output, QUICK)


def test_a_read_only_weights_folder_is_told_as_such(
    server: FileServer, folder: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "open", read_only)
    with pytest.raises(MissingFilesError, match="weights cannot be written to: Read-only file system"):
        obtain([encodec(server)], folder, QUICK)


# what is remembered


def test_the_hash_of_a_file_of_unpublished_hash_is_written_beside_it(
    server: FileServer, folder: Path, output: Path
) -> None:
    checkpoint = encodec(server)
    fetch(checkpoint, folder, output, QUICK)
    name = checkpoint.files[0].name
    assert (folder / f"{name}.sha256").read_text() == f"{sha256(server.files[name].data)}  {name}\n"


def test_a_published_hash_needs_no_record(server: FileServer, folder: Path, output: Path) -> None:
    fetch(lyra(server), folder, output, QUICK)
    assert names(folder) == sorted(TFLITE)


def test_a_file_that_cannot_be_loaded_is_not_remembered(server: FileServer, folder: Path, output: Path) -> None:
    with pytest.raises(WeightsError):
        fetch(encodec(server, model=SMALL["encodec"] | {"dimension": 32}), folder, output, QUICK)
    assert names(folder) == ["encodec_24khz-d7cc33bc.th"]


def test_a_file_that_changed_since_it_was_first_used_is_refused_with_both_hashes(
    server: FileServer, folder: Path, tmp_path: Path
) -> None:
    checkpoint = encodec(server)
    fetch(checkpoint, folder, tmp_path / "first", QUICK)
    path = folder / checkpoint.files[0].name
    before = sha256(path.read_bytes())
    path.write_bytes(saved({name: tensor + 1 for name, tensor in small_network("encodec_24khz").items()}))
    with pytest.raises(WrongFileError, match=f"{sha256(path.read_bytes())}, but .*.th.sha256 recorded {before}"):
        fetch(checkpoint, folder, tmp_path / "second", QUICK)


def test_where_the_folder_cannot_be_written_the_output_remembers(
    server: FileServer, folder: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_note = fetching.files.write_note

    def write_outside(path: Path, text: str) -> None:
        if path.is_relative_to(folder):
            raise OSError(30, "Read-only file system", str(path))
        write_note(path, text)

    checkpoint = encodec(server)
    obtain([checkpoint], folder, QUICK)
    monkeypatch.setattr(fetching.files, "write_note", write_outside)
    fetch(checkpoint, folder, output, QUICK)
    assert names(folder) == [checkpoint.files[0].name]
    path = folder / checkpoint.files[0].name
    before = sha256(path.read_bytes())
    path.write_bytes(saved(small_network("encodec_24khz") | {"more": torch.ones(1)}))
    with pytest.raises(WrongFileError, match=f"but .*provenance.json recorded {before}"):
        fetch(checkpoint, folder, output, QUICK)


@pytest.mark.parametrize("note", ["", "not a hash\n"])
def test_a_damaged_record_is_told_of(note: str, server: FileServer, folder: Path, output: Path) -> None:
    checkpoint = encodec(server)
    obtain([checkpoint], folder, QUICK)
    (folder / f"{checkpoint.files[0].name}.sha256").write_text(note)
    with pytest.raises(WrongFileError, match="does not begin with a sha256; remove it"):
        fetch(checkpoint, folder, output, QUICK)


def test_a_damaged_provenance_is_told_of(server: FileServer, folder: Path, output: Path) -> None:
    output.mkdir()
    (output / "provenance.json").write_text("{}")
    with pytest.raises(WrongFileError, match="provenance.json: is not a record of weights; remove it"):
        fetch(encodec(server), folder, output, QUICK)


# provenance


def test_provenance_says_what_the_weights_are_and_where_they_are_from(
    server: FileServer, folder: Path, output: Path
) -> None:
    checkpoint = encodec(server)
    fetch(checkpoint, folder, output, QUICK)
    (file,) = checkpoint.files
    data = server.files[file.name].data
    assert json.loads((output / "provenance.json").read_text()) == {
        "checkpoint": "encodec_24khz",
        "wrapper": "encodec",
        "model": SMALL["encodec"],
        "code_license": "MIT",
        "weights_license": "unstated",
        "permissive": False,
        "notice": MANIFEST["encodec_24khz"].notice,
        "official_files": [
            {
                "name": file.name,
                "addresses": list(file.addresses),
                "bytes": len(data),
                "sha256": sha256(data),
                "sha256_is_published": False,
            }
        ],
        "weights_sha256": {"weights.safetensors": sha256((output / "weights.safetensors").read_bytes())},
    }


def test_the_same_files_give_the_same_bytes(server: FileServer, folder: Path, tmp_path: Path) -> None:
    checkpoint = encodec(server)
    for name in ("first", "second"):
        fetch(checkpoint, folder, tmp_path / name, QUICK)
    for name in checkpoint.outputs:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_models_that_are_not_converted_are_copied(server: FileServer, folder: Path, output: Path) -> None:
    checkpoint = lyra(server)
    fetch(checkpoint, folder, output, QUICK)
    assert names(output) == sorted(checkpoint.outputs)
    for name, data in TFLITE.items():
        assert (output / Path(name).name).read_bytes() == data


def test_the_published_lyra_speaks_after_it_was_fetched(shared: Path, output: Path) -> None:
    fetch(MANIFEST["lyra"], shared / "weights", output, QUICK)
    codes = codec_wrappers.load("lyra", {}, output).encode(torch.zeros(1, 640))
    assert codes.shape == (1, 46, 2)


# archives


def zip_of(members: dict[str, bytes], link: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = ((stat.S_IFLNK if name == link else stat.S_IFREG) | 0o644) << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def tar_of(members: dict[str, bytes], link: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if name == link:
                info.type, info.linkname, info.size = tarfile.SYMTYPE, data.decode(), 0
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


both_kinds = pytest.mark.parametrize("pack", [zip_of, tar_of])


def unpacked(archive: bytes, tmp_path: Path, most_bytes: int = 1000) -> bytes:
    (tmp_path / "exp.zip").write_bytes(archive)
    output = io.BytesIO()
    copy_member(tmp_path / "exp.zip", "ae/steps.pkl", output, most_bytes)
    return output.getvalue()


@both_kinds
def test_one_member_is_taken_by_the_end_of_its_path(pack: Any, tmp_path: Path) -> None:
    members = {"exp/ae/steps.pkl": b"wanted", "exp/vocoder/steps.pkl": b"other", "exp/not-ae/steps.pkl": b"other"}
    assert unpacked(pack(members), tmp_path) == b"wanted"
    assert names(tmp_path) == ["exp.zip"]


@both_kinds
@pytest.mark.parametrize(
    "name", ["../ae/steps.pkl", "exp/../../evil", "/ae/steps.pkl", "C:/evil", "..\\evil", "\\evil"]
)
def test_an_archive_that_leads_out_of_its_folder_is_refused_whole(pack: Any, name: str, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="points outside the archive .*nothing was unpacked"):
        unpacked(pack({"exp/ae/steps.pkl": b"wanted", name: b"evil"}), tmp_path)


@both_kinds
def test_a_link_is_not_followed(pack: Any, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="'exp/ae/steps.pkl' is a link, a folder or a device"):
        unpacked(pack({"exp/ae/steps.pkl": b"/etc/passwd"}, link="exp/ae/steps.pkl"), tmp_path)


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_a_device_is_not_opened(kind: bytes, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("exp/ae/steps.pkl")
        info.type = kind
        archive.addfile(info)
    with pytest.raises(ArchiveError, match="is a link, a folder or a device"):
        unpacked(buffer.getvalue(), tmp_path)


@both_kinds
def test_a_bomb_is_refused_by_the_size_it_declares(pack: Any, tmp_path: Path) -> None:
    bomb = pack({"exp/ae/steps.pkl": bytes(1001)})
    with pytest.raises(ArchiveError, match="unpacks to 1001 bytes; at most 1000 are allowed"):
        unpacked(bomb, tmp_path)
    assert len(unpacked(pack({"exp/ae/steps.pkl": bytes(1000)}), tmp_path)) == 1000


def test_a_zip_that_declares_less_than_it_holds_gives_no_more_than_it_declares(tmp_path: Path) -> None:
    bomb = zip_of({"exp/ae/steps.pkl": bytes(5000)}).replace((5000).to_bytes(4, "little"), (900).to_bytes(4, "little"))
    with pytest.raises(ArchiveError, match="cannot be read"):
        unpacked(bomb, tmp_path)


@both_kinds
@pytest.mark.parametrize(
    ("members", "message"),
    [({"exp/ae/steps9.pkl": b""}, "0 members end with"), ({"a/ae/steps.pkl": b"", "ae/steps.pkl": b""}, "2 members")],
)
def test_none_or_more_than_one_member_is_refused_with_those_alike(
    pack: Any, members: dict[str, bytes], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ArchiveError, match=f"{message}.*similar: {', '.join(sorted(members))}"):
        unpacked(pack(members), tmp_path)


def test_what_is_no_archive_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="exp.zip: is neither a zip nor a tar archive"):
        unpacked(b"something else", tmp_path)


def test_a_member_whose_checksum_is_wrong_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("exp/ae/steps.pkl", b"wanted")
    with pytest.raises(ArchiveError, match="exp.zip: cannot be read .*CRC"):
        unpacked(buffer.getvalue().replace(b"wanted", b"forged"), tmp_path)


def audiodec_in_an_archive(server: FileServer, pack: Any = zip_of) -> tuple[Checkpoint, dict[str, Tensor]]:
    """AudioDec whose files are gone from their own addresses."""
    checkpoint = MANIFEST["audiodec_libritts_sym"]
    state = small_network(checkpoint.name)
    parts = parts_of(checkpoint, state)
    members = {f"exp/{file.member}": official_file(file, parts) for file in checkpoint.files}
    archive = replace(archive_of(checkpoint), addresses=(server.serve("exp.zip", pack(members)),))
    files = [replace(file, addresses=(server.address + "gone",), archive=archive) for file in checkpoint.files]
    return replace(checkpoint, model=small_model(checkpoint.name), files=tuple(files)), state


@both_kinds
def test_files_that_are_gone_are_taken_from_the_archive_that_has_them(
    pack: Any, server: FileServer, folder: Path, output: Path
) -> None:
    checkpoint, state = audiodec_in_an_archive(server, pack)
    fetch(checkpoint, folder, output, QUICK)
    loaded = codec_wrappers.load("audiodec", checkpoint.model, output).network.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())
    assert [request.path for request in server.requests] == ["gone", "exp.zip"]


def test_an_archive_of_the_weights_folder_is_used_without_a_request(
    server: FileServer, folder: Path, output: Path
) -> None:
    checkpoint, _ = audiodec_in_an_archive(server)
    path = folder / archive_of(checkpoint).name
    path.parent.mkdir(parents=True)
    path.write_bytes(server.files["exp.zip"].data)
    fetch(checkpoint, folder, output, QUICK)
    assert server.requests == []


def test_a_hostile_archive_leaves_no_member(server: FileServer, folder: Path, output: Path) -> None:
    checkpoint, _ = audiodec_in_an_archive(server)
    server.serve("exp.zip", zip_of({f"exp/{checkpoint.files[0].member}": b"x", "../../evil": b"evil"}))
    with pytest.raises(ArchiveError, match="member '../../evil' points outside"):
        fetch(checkpoint, folder, output, QUICK)
    assert names(folder) == [archive_of(checkpoint).name]
    assert not (folder.parent / "evil").exists()


def test_a_member_is_checked_before_it_gets_its_name(server: FileServer, folder: Path, output: Path) -> None:
    checkpoint, _ = audiodec_in_an_archive(server)
    files = [replace(file, sha256="0" * 64) for file in checkpoint.files]
    with pytest.raises(WrongFileError, match="exp.zip: member .* has the sha256 .* has 0000"):
        fetch(replace(checkpoint, files=tuple(files)), folder, output, QUICK)
    assert names(folder) == [archive_of(checkpoint).name]


def test_no_archive_is_unpacked_by_a_way_around_the_checks() -> None:
    source = Path(archives.__file__).read_text(encoding="utf-8")
    assert "extractall" not in source and ".extract(" not in source


# the command


def test_the_list_names_every_checkpoint_with_its_license(capsys: pytest.CaptureFixture[str]) -> None:
    main(["fetch", "--list"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(MANIFEST)
    assert "restricted  code MIT, weights unstated" in lines[0]


def test_the_command_makes_what_resynthesis_loads(shared: Path, output: Path) -> None:
    main(["fetch", "lyra", "--folder", str(shared / "weights"), "--output", str(output)])
    assert names(output) == sorted(MANIFEST["lyra"].outputs)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name one or more checkpoints; `fetch --list` shows"),
        (["lyra", "dac_16khz", "--output", "out"], "--output takes one checkpoint, not 2"),
        (["lira"], "unknown checkpoint 'lira'; .*encodec_24khz, "),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(arguments: list[str], message: str, folder: Path) -> None:
    with pytest.raises(SystemExit, match=message):
        main(["fetch", *arguments, "--folder", str(folder)])
