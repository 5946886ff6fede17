"""Golden files that were not there before: what reads them understands them by their JSON and finds planted errors."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden_codecs import wrapper_of
from golden_detectors import detector_of
from golden_stages import to_latent
from golden_vectors import FOLDER, UnknownVectorError, Vector, find, unexplained
from golden_workflow import checks_of
from small_codecs import SMALL
from torch import Tensor

import codec_wrappers
from codec_wrappers.codec import Gain
from codec_wrappers.dac import ChunkedDac, Dac
from codec_wrappers.resynthesis.levels import level

SEED = 7
CODECS: dict[str, tuple[str, str, dict[str, Any]]] = {  # repository, wrapper, settings
    "encodec_24k_seed7": ("facebookresearch/encodec", "encodec", {}),
    "speechtokenizer_tiny": ("ZhangXInFD/SpeechTokenizer", "speechtokenizer", {}),
    "funcodec_tiny": ("modelscope/FunCodec", "funcodec", {}),
    "funcodec_slow": ("https://github.com/modelscope/FunCodec", "funcodec", {"architecture": "ds640"}),
    "freqcodec_gr1_tiny": ("modelscope/FunCodec", "funcodec", {"architecture": "freqcodec_gr1"}),
    "dac_16k_tiny": ("descriptinc/descript-audio-codec", "dac", {}),
    "dac_16k_tiny_chunked": ("descriptinc/descript-audio-codec", "dac", {"mode": "chunked"}),
    "audiodec_tiny": ("facebookresearch/AudioDec", "audiodec", {"strides": [2, 4, 5, 8]}),
    "symmetric": ("facebookresearch/AudioDec", "audiodec", {"decoder": "symmetric"}),
    "hificodec_tiny": ("yangdongchao/AcademiCodec", "academicodec", {"sample_rate": 16_000}),
    "soundstream_tiny": ("kaiidams/soundstream-pytorch", "soundstream", {}),
    "no_repository": ("", "soundstream", {"form": "academicodec", "num_codebooks": 6}),
}
NAMES = {"no_repository": "soundstream_academicodec_tiny"}
PLAIN = "encodec_24k_seed7"
LATER = ("freqcodec_gr1_tiny", "dac_16k_tiny_chunked", "hificodec_tiny", "soundstream_tiny")
SOME = [PLAIN, *(pytest.param(name, marks=pytest.mark.long) for name in LATER)]
ALL = [pytest.param(name, marks=[] if name == PLAIN else [pytest.mark.long]) for name in CODECS]


def test_every_golden_file_is_of_a_codec_or_a_detector_that_is_known(golden: Path) -> None:
    vectors = find(golden)
    assert vectors
    unknown = [vector.name for vector in vectors if not wrapper_of(vector) and not detector_of(vector)]
    assert not unknown, f"no rule says what these files of {golden} are of: add one to tests/golden_*.py"
    assert all(vector.keys for vector in vectors)


@pytest.mark.parametrize("name", ALL)
def test_golden_files_of_other_sizes_seeds_clips_and_quantizers_are_checked(
    golden: Path, tmp_path: Path, name: str
) -> None:
    vector = written(tmp_path, name)
    assert outcomes(vector) == {f"{check}:{key}": "" for check, _, key in checks_of(vector)}
    assert {"array:c_codes", "array:c_out", "workflow:c_out", "array:clip2_out_q2"} <= set(outcomes(vector))


@pytest.mark.parametrize("name", SOME)
def test_a_golden_output_that_is_louder_by_a_thousandth_is_refused(golden: Path, tmp_path: Path, name: str) -> None:
    vector = written(tmp_path, name, c_out=lambda wav: wav * np.float32(1.001))
    assert set(failed(vector)) == {"array:c_out", "workflow:c_out"}


@pytest.mark.parametrize("name", SOME)
def test_a_golden_code_that_differs_at_a_wide_margin_is_refused(golden: Path, tmp_path: Path, name: str) -> None:
    vector = written(tmp_path, name, c_codes=changed, c_margin=lambda _: np.full_like(_, 0.1))
    found = failed(vector)
    assert "without a narrow margin, the first is " in found["array:c_codes"]
    assert " in row 1, frame 3; the margin there is 0.1" in found["array:c_codes"]


@pytest.mark.parametrize("name", SOME)
def test_a_golden_code_that_differs_at_a_narrow_margin_is_explained(golden: Path, tmp_path: Path, name: str) -> None:
    vector = written(tmp_path, name, c_codes=changed, c_margin=lambda _: np.full_like(_, 1e-5))
    assert "array:c_codes" not in failed(vector)


@pytest.mark.parametrize(
    "name", [PLAIN, *(pytest.param(name, marks=pytest.mark.long) for name in LATER if "dac" not in name)]
)
def test_a_golden_latent_that_differs_by_a_thousandth_is_refused(golden: Path, tmp_path: Path, name: str) -> None:
    vector = written(tmp_path, name, c_latent=lambda latent: latent * np.float32(1.001))
    assert "times what is allowed" in failed(vector)["array:c_latent"]


def test_a_golden_file_of_a_few_arrays_is_checked_as_far_as_they_go(golden: Path, tmp_path: Path) -> None:
    vector = written(tmp_path, PLAIN)
    kept = {key: vector[key] for key in ("c_codes", "c_out", "clip2_wav", "clip2_out")}
    np.savez(vector.path, **kept)
    again = Vector(tmp_path, vector.name)
    expected = ["array:c_codes", "array:c_out", "array:clip2_out", "workflow:clip2_out"]
    assert outcomes(again) == dict.fromkeys(expected, "")


@pytest.mark.long
@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("c_phase", "array 'c_phase' is of no known kind"),
        ("c_out_fast", "'fast' of array kind 'out_fast' is neither a decoder nor a number of quantizers"),
        ("c_out_0.7kbps", "'0.7kbps' of array kind 'out_0.7kbps' is 2.333 quantizers, which is no whole number"),
        ("c_out_q5", r"array c_out_q5 asks for \[5\] of 4 quantizers"),
        ("loudness", "array 'loudness' begins with none of the clips clip2, c"),
        ("d_out", "array d_out has nothing beside it to be compared with: no d_wav"),
        ("d_codes", "array d_codes has nothing beside it to be compared with: no d_wav"),
    ],
)
def test_a_golden_array_without_a_rule_fails_with_its_name(golden: Path, tmp_path: Path, key: str, fault: str) -> None:
    vector = written(tmp_path, PLAIN)
    np.savez(vector.path, **{name: vector[name] for name in vector.keys}, **{key: vector["c_codes"]})
    check = next(check for _, check, found in checks_of(Vector(tmp_path, vector.name)) if found == key)
    with pytest.raises(UnknownVectorError, match=f"{vector.path}: {fault}"):
        check(Vector(tmp_path, vector.name), key)


def test_a_golden_file_that_is_of_nothing_known_or_cannot_be_read_fails_with_its_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "mp3.npz", a_wav=np.zeros(3))
    with pytest.raises(UnknownVectorError, match=r"mp3.npz: there is no mp3.json to say what made it"):
        wrapper_of(find(tmp_path)[0])
    (tmp_path / "mp3.json").write_text("{}")
    vector = find(tmp_path)[0]
    assert wrapper_of(vector) is None and detector_of(vector) is None
    (tmp_path / "mp3.npz").write_bytes(b"no arrays")
    with pytest.raises(UnknownVectorError, match=r"mp3.npz: its arrays cannot be read"):
        find(tmp_path)[0].keys  # noqa: B018


@pytest.mark.long
def test_golden_weights_of_another_seed_or_size_are_refused(golden: Path, tmp_path: Path) -> None:
    vector = written(tmp_path, PLAIN)
    edit(vector, seed=8)
    assert "the recipe with seed 8 gives model other weights" in failed(Vector(tmp_path, vector.name))["array:c_codes"]
    edit(vector, seed=SEED, hop=640)
    assert "hop is 640, and encodec has 320" in failed(Vector(tmp_path, vector.name))["array:c_codes"]


def test_a_folder_without_golden_files_has_none(tmp_path: Path) -> None:
    assert find(tmp_path) == find(tmp_path / "absent") == []


def test_a_code_is_explained_by_a_narrow_margin_there_or_before_it_in_its_frame() -> None:
    differs = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 0]], dtype=bool)
    margin = np.array([[1e-5, 1, 1], [1e-5, 1, 1e-5], [1, 1, 1]])
    assert np.argwhere(unexplained(differs, margin)).tolist() == [[0, 2], [2, 1]]
    assert np.argwhere(unexplained(differs, None)).tolist() == [[0, 2], [1, 0], [1, 2], [2, 0], [2, 1]]


def test_a_code_is_not_explained_by_one_that_codes_other_channels() -> None:
    differs = np.array([[True], [True], [True], [False]])
    margin = np.array([[1e-5], [1], [1], [1]])
    assert np.argwhere(unexplained(differs, margin, groups=2)).tolist() == [[1, 0]]


def changed(codes: np.ndarray) -> np.ndarray:
    """Another code in row 1, frame 3."""
    codes = codes.copy()
    codes[1, 3] = (codes[1, 3] + 1) % 16
    return codes


def outcomes(vector: Vector) -> dict[str, str]:
    """What each check of a file says, by name and array; nothing if it passes."""
    return {f"{name}:{key}": outcome(check, vector, key) for name, check, key in checks_of(vector)}


def failed(vector: Vector) -> dict[str, str]:
    return {name: message for name, message in outcomes(vector).items() if message}


def outcome(check: Callable[[Vector, str], None], vector: Vector, key: str) -> str:
    try:
        check(vector, key)
    except AssertionError as error:
        return str(error)
    except pytest.skip.Exception:
        return ""
    return ""


def edit(vector: Vector, **changes: Any) -> None:
    path = vector.path.with_suffix(".json")
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def written(folder: Path, name: str, **errors: Callable[[np.ndarray], np.ndarray]) -> Vector:
    """A golden file of a tiny codec of ours with the recipe's weights of seed 7, and errors in some arrays."""
    repository, wrapper_name, model = CODECS[name]
    codec = codec_wrappers.build(wrapper_name, {**SMALL[wrapper_name], **model})
    vector = Vector(folder, NAMES.get(name, name))
    shutil.copy(FOLDER / "deterministic_weights.py", folder)
    about = {"repository": repository, "rate": codec.sample_rate, "hop": codec.hop_length, "seed": SEED}
    about["state_dict"] = {
        part: {key: [list(tensor.shape), "float32"] for key, tensor in tensors.items()}
        for part, tensors in parts(wrapper_name, codec).items()
    }
    path = vector.path.with_suffix(".json")
    path.write_text(json.dumps(about))
    digests = {part: vector._recipe().digest(arrays_of(vector, part)) for part in vector.parts}
    path.write_text(json.dumps(about | {"weights_sha256": digests}))
    fill(codec, vector)
    frames = 70 if isinstance(codec, ChunkedDac) else 24
    arrays = {**clip_arrays(codec, "c", frames, 0), **clip_arrays(codec, "clip2", frames - 4, 7)}
    np.savez(vector.path, **{key: errors.get(key, lambda same: same)(array) for key, array in arrays.items()})
    return Vector(folder, vector.name)


def arrays_of(vector: Vector, part: str) -> dict[str, np.ndarray]:
    return {key: tensor.numpy() for key, tensor in vector.weights(part).items()}


def parts(wrapper_name: str, codec: Any) -> dict[str, dict[str, Tensor]]:
    """The state_dict as the official checkpoints divide it."""
    state = codec.network.state_dict()
    if wrapper_name not in ("audiodec", "academicodec"):
        return {"model": state}
    names = dict.fromkeys(key.split(".")[0] for key in state)
    return {
        name: {key.removeprefix(f"{name}."): tensor for key, tensor in state.items() if key.startswith(f"{name}.")}
        for name in names
    }


def fill(codec: Any, vector: Vector) -> None:
    module = codec_wrappers.module_of(str(wrapper_of(vector)))
    weights = {part: vector.weights(part) for part in vector.parts}
    convert = getattr(module, "from_official", lambda parts: parts["model"])
    codec.network.load_state_dict(convert(weights), strict=True)


@torch.inference_mode()
def clip_arrays(codec: Any, clip: str, num_frames: int, more_samples: int) -> dict[str, np.ndarray]:
    """Arrays of one clip under the scheme's names: noise through the codec from all and two quantizers."""
    rng = np.random.default_rng(len(clip))
    num_samples = num_frames * codec.hop_length + more_samples
    wav = torch.from_numpy(0.1 * rng.standard_normal((1, num_samples)).astype(np.float32))
    gain = level(codec.gain, wav, codec.sample_rate)
    codes = codec.encode(wav / gain)
    found = {"wav": wav[0], "codes": codes[0], "margin": torch.ones(codes.shape[1:])}
    for kind, quantizers in (("out", codes.shape[1]), ("out_q2", 2)):
        output = (codec.decode(codes[:, :quantizers]) * gain)[0]
        found[kind] = output if codec.gain is Gain.NONE else output[:num_samples]
    if not isinstance(codec, Dac):
        found["latent"] = to_latent(codec, wav / gain)[0]
    return {f"{clip}_{kind}": array.numpy() for kind, array in found.items()}
