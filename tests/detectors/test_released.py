"""Released checkpoints: read as data, fitted to the last tensor, and true to what they gave their authors."""

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import released_files
import torch
from golden_vectors import Vector, assert_logits
from released_files import BUILD, STACK_GLOBAL, called, named, storage, tensor, tupled, value, write_program
from torch import Tensor, nn

from codecfake.__main__ import main
from codecfake.base import files, torch_files
from codecfake.base.regular_files import IrregularFileError
from codecfake.base.restricted_unpickling import UnpicklingError
from codecfake.detectors import BONAFIDE, SPOOF, FeatureShape, models
from codecfake.detectors.detector import score
from codecfake.detectors.lcnn import Lcnn, LcnnSettings
from codecfake.detectors.released import (
    CROP_SAMPLES,
    PUBLISHED_SCORES,
    RELEASED,
    ReleasedError,
    bonafide_last,
    fit,
    import_checkpoint,
)
from codecfake.detectors.settings import BACK_ENDS, FRONT_ENDS
from codecfake.detectors.sinc import Sinc, SincSettings

CPU = torch.device("cpu")
XLS_R_SHAPE = FeatureShape(num_frames=201, dimension=1024, frames_first=False)  # of 64,600 samples, WavLM-large's too
MEL_SHAPE = FeatureShape(num_frames=505, dimension=80, frames_first=True)
FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


class Small(nn.Module):
    """A bit of everything that a state_dict can and cannot hold."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.SELU()), nn.Dropout(0.5))
        self.heads = nn.ModuleList([nn.Linear(4, 2), nn.Linear(4, 2, bias=False)])
        self.position = nn.Parameter(torch.randn(1, 3, 2).transpose(1, 2))
        self.register_buffer("window", torch.randn(3), persistent=False)
        self.register_buffer("counts", torch.arange(4))
        self.half = nn.Linear(2, 2).half()
        self.labels = {"real": 0, "fake": 1}

    def forward(self, x: Tensor) -> Tensor:
        return x


def back_end(name: str) -> Any:
    """The network that a released detector's weights are of, with random weights."""
    settings = RELEASED[name].back_end
    part = BACK_ENDS.part(settings["name"])
    shape = {"mel": MEL_SHAPE, "sinc": Sinc(SincSettings()).shape(CROP_SAMPLES)}
    rest = {key: value for key, value in settings.items() if key != "name"}
    return part.load()(shape.get(RELEASED[name].front_end["name"], XLS_R_SHAPE), part.build_settings(rest)).eval()


@pytest.fixture
def mel_lcnn(tmp_path: Path) -> Path:
    """A released Mel-LCNN: a whole module of classes that are not here."""
    with released_files.published(Lcnn(MEL_SHAPE, LcnnSettings())) as network:
        torch.save(network, tmp_path / "mel_lcnn.pt")
    return tmp_path / "mel_lcnn.pt"


# What is known of the published detectors


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("mel-lcnn", 972_514),
        ("w2v2-lcnn", 4_111_074),
        ("w2v2-aasist", 447_242),
        ("wavlm-aasist", 447_242),
        ("aasist", 297_866),
        ("aasist-l", 85_306),
    ],
)
def test_a_detector_has_as_many_parameters_as_published(name: str, count: int) -> None:
    assert sum(parameter.numel() for parameter in back_end(name).parameters()) == count


def test_the_front_ends_of_released_detectors_give_the_shapes_that_their_weights_are_for() -> None:
    mel = FRONT_ENDS.part("mel")
    assert mel.load()(mel.build_settings({})).shape(CROP_SAMPLES) == MEL_SHAPE
    convolutions = ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2))  # of wav2vec 2.0 and WavLM
    frames = CROP_SAMPLES
    for kernel, stride in convolutions:
        frames = (frames - kernel) // stride + 1
    assert frames == XLS_R_SHAPE.num_frames


@pytest.mark.long
@pytest.mark.parametrize(("name", "file"), [("aasist", "AASIST"), ("aasist-l", "AASIST-L")])
def test_imported_aasist_gives_the_logits_that_its_authors_get(
    name: str, file: str, shared: Path, golden: Path, tmp_path: Path
) -> None:
    vector = Vector(golden, "aasist")
    import_checkpoint(shared / "weights" / "aasist" / f"{file}.pth", name, tmp_path)
    detector, _ = models.load(tmp_path, CPU)
    with torch.no_grad():
        logits = detector(torch.from_numpy(vector["wav"]))
    assert_logits(logits, vector[f"{name.replace('-', '_')}_released_logits"])


def test_imported_mel_lcnn_scores_as_the_published_one_with_real_first(golden: Path, tmp_path: Path) -> None:
    vector = Vector(golden, "mel_lcnn")
    torch.save(vector.weights("mel_lcnn"), tmp_path / "mel_lcnn.pt")
    import_checkpoint(tmp_path / "mel_lcnn.pt", "mel-lcnn", tmp_path / "model")
    detector, _ = models.load(tmp_path / "model", CPU)
    with torch.no_grad():
        logits = detector(torch.from_numpy(vector["wav"]))
    assert_logits(logits[:, [BONAFIDE, SPOOF]], vector["logits"][:2])


@pytest.mark.parametrize(("name", "part"), [("w2v2-lcnn", "lcnn"), ("w2v2-aasist", "aasist")])
def test_released_back_ends_on_xls_r_give_the_published_logits_with_real_first(
    name: str, part: str, golden: Path
) -> None:
    vector, network = Vector(golden, "w2v2_backends"), back_end(name)
    fitted = fit(vector.weights(f"w2v2_{part}"), network.state_dict(), name)
    network.load_state_dict(bonafide_last(fitted, RELEASED[name].bonafide_index))
    with torch.no_grad():
        logits = network(torch.from_numpy(vector["features"]).float())
    assert_logits(logits[:, [BONAFIDE, SPOOF]], vector[f"{part}_logits"])


def test_released_checkpoints_are_read_as_torch_reads_them(shared: Path) -> None:
    path = shared / "weights" / "aasist" / "AASIST-L.pth"
    ours = torch_files.read_state_dict(path)
    assert_same(ours, torch.load(path, map_location="cpu", weights_only=True))
    assert len(ours) == 229


# Published scores


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "aasist.pth")
    with pytest.raises(IrregularFileError, match="aasist.pth: it is a named pipe"):
        import_checkpoint(tmp_path / "aasist.pth", "aasist", tmp_path / "model")


def test_the_published_probability_is_the_softmax_of_bona_fide() -> None:
    logits = torch.tensor([[0.0, 0.0], [1.0, 3.0], [0.0, 30.0]])
    assert PUBLISHED_SCORES["softmax"](logits).tolist() == pytest.approx([0.5, 1 / (1 + 2.718281828**-2), 1.0])
    assert PUBLISHED_SCORES["softmax"](logits)[2] == 1  # where our score still tells 30 from 40
    assert score(logits).tolist() == [0, 2, 30]


def test_the_published_score_of_aasist_is_the_logit_of_bona_fide() -> None:
    assert PUBLISHED_SCORES["logit"](torch.tensor([[-3.5, 4.25], [1.0, -2.0]])).tolist() == [4.25, -2.0]


# Whole modules


@FORMATS
@pytest.mark.parametrize("parallel", [False, True], ids=["plain", "DataParallel"])
@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
def test_a_whole_module_is_read_as_its_state_without_its_classes(tmp_path: Path, zipped: bool, parallel: bool) -> None:
    expected = Small().state_dict()
    with released_files.published(Small()) as network:
        network.load_state_dict(expected)
        whole = nn.DataParallel(network) if parallel else network
        torch.save(whole, tmp_path / "whole.pt", _use_new_zipfile_serialization=zipped)
    assert importlib.util.find_spec("model") is None
    assert_same(torch_files.read_state_dict(tmp_path / "whole.pt"), expected)
    assert "model" not in sys.modules


@FORMATS
def test_a_state_dict_of_a_wrapped_module_is_read_without_the_wrapper(tmp_path: Path, zipped: bool) -> None:
    network = Small()
    torch.save(nn.DataParallel(network).state_dict(), tmp_path / "state.pth", _use_new_zipfile_serialization=zipped)
    assert_same(torch_files.read_state_dict(tmp_path / "state.pth"), network.state_dict())


@FORMATS
def test_tensors_of_every_kind_come_back_as_they_were(tmp_path: Path, zipped: bool) -> None:
    kinds = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")
    tensors = {kind: (5 * torch.randn(3, 4)).to(getattr(torch, kind)) for kind in kinds}
    whole = torch.arange(24.0).reshape(4, 6)
    tensors |= {"empty": torch.empty(0, 3), "scalar": torch.tensor(2.5), "view": whole[1:, ::2].t(), "row": whole[3]}
    torch.save(tensors, tmp_path / "state.pth", _use_new_zipfile_serialization=zipped)
    assert_same(torch_files.read_state_dict(tmp_path / "state.pth"), tensors)


def test_a_released_module_becomes_a_model_folder_with_bona_fide_last(mel_lcnn: Path, tmp_path: Path) -> None:
    main(["import-checkpoint", str(mel_lcnn), "--detector", "mel-lcnn", "--output", str(tmp_path / "model")])
    network = Lcnn(MEL_SHAPE, LcnnSettings()).eval()
    network.load_state_dict(torch_files.read_state_dict(mel_lcnn))
    detector, crop_samples = models.load(tmp_path / "model", CPU)
    features = torch.randn(2, 505, 80)
    with torch.no_grad():
        assert torch.equal(detector.back_end(features), network(features).flip(1))
    assert crop_samples == 64_600
    record = json.loads((tmp_path / "model" / models.SETTINGS).read_text())
    assert record["released"] == {
        "detector": "mel-lcnn", "file": "mel_lcnn.pt", "sha256": files.sha256(mel_lcnn), "license": "unstated"
    }  # fmt: skip


def test_importing_twice_gives_the_same_bytes(mel_lcnn: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        import_checkpoint(mel_lcnn, "mel-lcnn", tmp_path / name)
    for name in (models.WEIGHTS, models.SETTINGS):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


@pytest.mark.long
def test_weights_on_a_pretrained_front_end_name_it_with_its_digest(tmp_path: Path) -> None:
    import transformers

    config = transformers.Wav2Vec2Config(
        hidden_size=1024, num_hidden_layers=5, num_attention_heads=2, intermediate_size=4, conv_dim=[4] * 7,
        num_conv_pos_embeddings=2, num_conv_pos_embedding_groups=2, feat_extract_norm="layer",
    )  # fmt: skip
    transformers.Wav2Vec2Model(config).save_pretrained(tmp_path / "xls-r")
    with released_files.published(back_end("w2v2-aasist")) as network:
        torch.save(nn.DataParallel(network), tmp_path / "w2v2_aasist.pt")
    import_checkpoint(tmp_path / "w2v2_aasist.pt", "w2v2-aasist", tmp_path / "model", str(tmp_path / "xls-r"))
    record = models.read_record(tmp_path / "model")
    assert record["front_end_weights"]["source"] == str(tmp_path / "xls-r")
    (tmp_path / "xls-r").rename(tmp_path / "moved")
    assert models.load(tmp_path / "model", CPU, str(tmp_path / "moved"))[1] == CROP_SAMPLES


# Files that are not what they should be


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fc_mu.bias": None}, r"is not mel-lcnn: it lacks 1 tensors \(fc_mu.bias\) and has 0 tensors too many"),
        (
            {"odd": torch.zeros(1)},
            r"it lacks 0 tensors and has 1 tensors \(odd\) too many; give the detector .* aasist-l",
        ),
        ({"fc_mu.bias": torch.zeros(3)}, r"fc_mu.bias is float32 \[3\], but float32 \[2\] is needed"),
        ({"fc_mu.bias": torch.zeros(2).half()}, r"fc_mu.bias is float16 \[2\], but float32 \[2\] is needed"),
        ({"fc_mu.bias": torch.tensor([0.0, float("nan")])}, "fc_mu.bias has values that are not finite"),
    ],
)
def test_weights_that_do_not_fit_to_the_last_tensor_are_refused(
    change: dict[str, Tensor | None], message: str, tmp_path: Path
) -> None:
    state = {**Lcnn(MEL_SHAPE, LcnnSettings()).state_dict(), **change}
    torch.save({name: values for name, values in state.items() if values is not None}, tmp_path / "x.pt")
    with pytest.raises(ReleasedError, match=message):
        import_checkpoint(tmp_path / "x.pt", "mel-lcnn", tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_an_unknown_detector_and_a_front_end_that_takes_no_weights_are_refused(mel_lcnn: Path, tmp_path: Path) -> None:
    with pytest.raises(ReleasedError, match="unknown released detector 'rawnet2'; choose from mel-lcnn, w2v2-lcnn"):
        import_checkpoint(mel_lcnn, "rawnet2", tmp_path / "model")
    with pytest.raises(ReleasedError, match="mel-lcnn has the front-end mel, which takes no weights"):
        import_checkpoint(mel_lcnn, "mel-lcnn", tmp_path / "model", front_end_weights="xls-r")


CLASS = named("model", "LCNN")
EVERYWHERE = "__import__('pathlib').Path('ran').touch()"
HARM = {
    "os.system": called("os", "system", "touch ran"),
    "posix.system": called("posix", "system", "touch ran"),
    "builtins.eval": called("builtins", "eval", EVERYWHERE),
    "__builtin__.exec": called("__builtin__", "exec", EVERYWHERE),
    "builtins.getattr": called("builtins", "getattr", named("collections", "OrderedDict"), "__init__"),
    "torch.load": called("torch", "load", "other.pt"),
    "torch.hub.load": called("torch.hub", "load", "somebody/something", "model"),
    "torch.nn.functional.relu": named("torch.nn.functional", "relu"),
    "torch.nn.modules.module.torch": named("torch.nn.modules.module", "torch"),
    "torch.nn.modules.container.Sequential.__init__.__globals__": value("torch.nn.modules.container")
    + value("Sequential.__init__.__globals__")
    + STACK_GLOBAL,
    "collections.OrderedDict.__init__": value("collections") + value("OrderedDict.__init__") + STACK_GLOBAL,
    "model.LCNN.__init__.__globals__": value("model") + value("LCNN.__init__.__globals__") + STACK_GLOBAL,
    "codecfake.base.files.write_text": called("codecfake.base.files", "write_text", "ran", "x"),
    "os.popen": b"(" + value("touch ran") + b"ios\npopen\n",  # the opcode INST
    "os.execl": b"(" + named("os", "execl") + value("/bin/touch") + b"o",  # the opcode OBJ
}


@FORMATS
@pytest.mark.parametrize("name", HARM)
def test_a_file_that_names_anything_else_is_refused_and_not_executed(
    name: str, zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_program(tmp_path / "x.pt", HARM[name], zipped)
    with pytest.raises(UnpicklingError, match=rf"x.pt: would execute '{name}' when loaded.*was not executed"):
        torch_files.read(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (called("model", "LCNN", 1), "takes 1 positional argument"),
        (CLASS + tupled(1) + b"\x81", "takes 1 positional argument"),  # the opcode NEWOBJ
        (called("model", "LCNN") + value([1]) + BUILD, "the state of a model.LCNN is a list"),
        (called("model", "LCNN") + tupled(None, {"forward": 1}) + BUILD, "the state of a model.LCNN is a tuple"),
        (CLASS + value({"__setstate__": 1}) + BUILD, "damaged"),
        (CLASS + tupled(None, {"__setstate__": 1}) + BUILD, "damaged"),
        (named("torch._utils", "_rebuild_tensor_v2") + tupled(None, {"_call": 1}) + BUILD, "it changes Function"),
        (named("torch", "FloatStorage") + value({"dtype": 1}) + BUILD, "it changes StorageType"),
        (storage() + value({"data": 1}) + BUILD, "it changes Storage, which has no state"),
        (called("torch._utils", "_rebuild_tensor_v2", "x", 0, (1,), (1,)), "refers to a str, not to a storage"),
        (called("torch._utils", "_rebuild_tensor_v2"), "damaged"),
        (tensor(-1, (1,), (1,)), "is -1, not a whole number from 0"),
        (tensor(True, (1,), (1,)), "is True, not a whole number from 0"),
        (tensor(0, (1, 1), (1,)), "2 lengths and 1 strides"),
        (tensor(0, 7, (1,)), "size or stride is a int, not numbers"),
        (called("__builtin__", "set", {"a": 1}), "a set is built from a dict, not from a list"),
        (called("collections", "OrderedDict", 3), "built from a int, not from a list of pairs"),
        (storage(3), "storage 0 has 8 bytes, not 12"),
        (tupled("storage", named("torch", "FloatStorage"), "1", "cpu", 2) + b"Q", "no item named 'archive/data/1'"),
        (tupled("storage", named("torch", "FloatStorage"), "../data.pkl", "cpu", 2) + b"Q", "damaged"),
        (value("storage") + b"Q", "refers to an external object"),
        (tupled("module", "model", "model.py", "import os") + b"Q", "refers to an external object"),
        (b"\x82\x01", "unregistered extension code"),  # the opcode EXT1
        (value({"a": 1}) + b"R", "damaged"),
    ],
)  # fmt: skip
def test_what_a_file_may_name_takes_nothing_but_what_torch_gives_it(
    program: bytes, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UnpicklingError, match=message):
        torch_files.read(write_program(tmp_path / "x.pt", program))


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ((0, (3,), (1,)), r"a tensor of \[3\] extends beyond its 2 stored numbers"),
        ((2, (1,), (1,)), r"a tensor of \[1\] extends beyond its 2 stored numbers"),
        ((0, (2,), (2,)), r"a tensor of \[2\] extends beyond"),
        ((0, (2**40,), (0,)), r"a tensor of \[1099511627776\] extends beyond"),
    ],
)
def test_a_tensor_outside_of_its_storage_is_refused(place: tuple[Any, ...], message: str, tmp_path: Path) -> None:
    path = write_program(tmp_path / "x.pt", b"}" + value("weight") + tensor(*place) + b"s")
    with pytest.raises(UnpicklingError, match=message):
        torch_files.read_state_dict(path)


def test_a_tensor_that_fills_its_storage_is_read(tmp_path: Path) -> None:
    path = write_program(tmp_path / "x.pt", b"}" + value("weight") + tensor(0, (1, 2), (2, 1)) + b"s")
    assert_same(torch_files.read_state_dict(path), {"weight": torch.zeros(1, 2)})


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (value({"epoch": 3, "loss": 0.1}), r"holds a dictionary with 2 entries \(epoch, loss\); a state_dict or"),
        (value({}), "holds a dictionary with 0 entries"),
        (value([1]), "holds a list; a state_dict or a whole module is needed"),
        (called("model", "LCNN"), "a model.LCNN has no table _parameters; it is not a module"),
        (called("model", "LCNN") + value({"_parameters": {"w": 1}, "_buffers": {}}) + BUILD, "w is a int, not a"),
        (called("torch.nn.parallel.data_parallel", "DataParallel") + value({"_modules": {}}) + BUILD,
         "the module is a NoneType, not a module"),
    ],
)  # fmt: skip
def test_a_file_of_something_else_than_weights_is_refused(program: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(UnpicklingError, match=message):
        torch_files.read_state_dict(write_program(tmp_path / "x.pt", program))


def holding(*parts: bytes) -> bytes:
    """The program of a module that holds the results of others."""
    inside = b"}" + b"".join(value(str(number)) + part + b"s" for number, part in enumerate(parts))
    return called("model", "LCNN") + tables(inside) + BUILD


def tables(modules: bytes) -> bytes:
    named_tables = (("_parameters", b"}"), ("_buffers", b"}"), ("_modules", modules))
    return b"}" + b"".join(value(name) + table + b"s" for name, table in named_tables)


STORE, LOAD = b"q\x63", b"h\x63"  # a place of the memo that `value` leaves alone
ITSELF = called("model", "LCNN") + STORE + tables(b"}" + value("again") + LOAD + b"s") + BUILD
OFTEN = holding() + STORE
for _ in range(40):  # 2^40 modules of 41 objects
    OFTEN += b"0" + holding(LOAD, LOAD) + STORE


@pytest.mark.parametrize("program", [ITSELF, OFTEN], ids=["itself", "another twice"])
def test_a_module_without_an_end_is_refused(program: bytes, tmp_path: Path) -> None:
    with pytest.raises(
        UnpicklingError, match=r"x.pt: (a network of more than 10,000 modules|the name of .*again.*longer)"
    ):
        torch_files.read_state_dict(write_program(tmp_path / "x.pt", program))


@FORMATS
@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9, 0.999])
def test_a_file_that_ends_too_soon_is_refused(keep: float, zipped: bool, tmp_path: Path) -> None:
    torch.save(Small().state_dict(), tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
    whole = (tmp_path / "x.pt").read_bytes()
    (tmp_path / "x.pt").write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(UnpicklingError, match="x.pt: .*fetch it again"):
        torch_files.read(tmp_path / "x.pt")


def test_storages_larger_than_their_file_are_not_made_room_for(tmp_path: Path) -> None:
    huge = tupled("storage", named("torch", "FloatStorage"), "0", "cpu", 2**60, None) + b"Q"
    with pytest.raises(UnpicklingError, match="its storages are larger than the file"):
        torch_files.read(write_program(tmp_path / "x.pt", huge, zipped=False))


def assert_same(tensors: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert list(tensors) == list(expected)
    for name, values in expected.items():
        assert tensors[name].dtype == values.dtype
        assert torch.equal(tensors[name], values), name
