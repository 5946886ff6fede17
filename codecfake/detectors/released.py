"""Converts released checkpoints to model folders: the forms of `released_forms`.

The files are read as data (`torch_files`), and every tensor must match our networks; the classes are reordered to ours:
spoof 0, bona fide 1. `PUBLISHED_SCORES` computes the score of a file as the authors' own code defines it.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

import codecfake
from codecfake.base import files, torch_files
from codecfake.base.regular_files import require_regular
from codecfake.detectors import BONAFIDE, fairseq_names, models, released_forms
from codecfake.detectors.detector import Detector
from codecfake.detectors.released_forms import CROP_SAMPLES, PAD, RELEASED, WHOLE, Parts, Released, ReleasedError
from codecfake.detectors.settings import DetectorSettings

CLASSES = ("fc_mu", "out_layer")  # the last layers, with one row per class
FRONT_END, BACK_END = "front_end.model.", "back_end."  # of the tensors in our model folders
FINAL_NORM = f"{FRONT_END}encoder.layer_norm."  # detectors on the outputs of all blocks do not use it
MOST_KEYS = 3


def _probability(logits: Tensor) -> Tensor:
    """P(bona fide) as in the code of Xie et al.: the softmax in single precision, where 1 - 1e-8 is 1."""
    return logits.softmax(dim=1)[:, BONAFIDE]


def _logit(logits: Tensor) -> Tensor:
    """Only the logit of bona fide, as in the code of AASIST, and of all others that are not named here."""
    return logits[:, BONAFIDE]


def _log_probability(logits: Tensor) -> Tensor:
    """Log P(bona fide), as in the code of SLS."""
    return logits.log_softmax(dim=1)[:, BONAFIDE]


# Logits `[B, 2]` in our order -> `[B]`: the scores in released files, for a recording's first window.
# Only for comparison with those files. Our score is the difference of the logits, which does not saturate.
PUBLISHED_SCORES: dict[str, Callable[[Tensor], Tensor]] = {
    "softmax": _probability,
    "logit": _logit,
    "log_probability": _log_probability,
}


def import_checkpoint(
    path: Path,
    name: str,
    output: Path,
    front_end_weights: str | None = None,
    crop: int | str | None = None,
    dilation: int | None = None,
) -> None:
    """Write the model folder of the released detector `name` (of RELEASED) from its `.pt`, `.pth`, … file.

    `front_end_weights` is the transformers folder, or hub id, of its pretrained front-end, if it has one outside the
    file; by default the published one. `crop` (samples, or WHOLE) and `dilation` replace those of its form, since no
    file shows them.

    Raises UnpicklingError if the file contains more than weights, and ReleasedError if they do not fit this detector.
    """
    released = released_forms.adjusted(name, front_end_weights, crop, dilation)
    require_regular(path)
    tensors = _tensors(path)
    settings = DetectorSettings(released.front_end, _back_end(released, tensors))
    samples = released.crop if isinstance(released.crop, int) else CROP_SAMPLES
    detector = Detector(settings, samples)
    sha256 = files.sha256(path)
    has_front_end = released.front_end_prefix is not None
    record = {
        "version": codecfake.__version__,
        "front_end_weights": {"source": path.name, "sha256": sha256} if has_front_end else detector.front_end_weights(),
        "released": {"detector": name, "file": path.name, "sha256": sha256, "license": released.weights_license},
        "settings": {
            "detector": settings.complete(),
            "crop_samples": samples,
            "pad": PAD,
            **({"crop": WHOLE} if released.crop == WHOLE else {}),
        },
    }
    state = _state(tensors, detector, released, f"{path}: is not {name}")
    tensors.clear()  # saving a large model needs the memory
    models.save(output, state, record)


def _state(tensors: Mapping[str, Tensor], detector: Detector, released: Released, where: str) -> dict[str, Tensor]:
    """The state of a model folder. Raises ReleasedError unless the tensors of the file are those of this detector."""
    if released.front_end_prefix is None:
        theirs = fit(tensors, detector.back_end.state_dict(), where)
        ours = bonafide_last(theirs, released.bonafide_index)
        return {f"{BACK_END}{key}": tensor for key, tensor in ours.items()}
    expected = detector.own_state()
    names = ours_to_theirs(tensors, released)
    if not any(key.startswith(FINAL_NORM) for key in expected):
        names = {key: theirs for key, theirs in names.items() if not key.startswith(FINAL_NORM)}
    return fit({key: tensors[theirs] for key, theirs in names.items()}, expected, where, names)


def ours_to_theirs(names: Collection[str], released: Released) -> dict[str, str]:
    """Our name -> the name in the file, of a form with a front-end, without parts for pre-training.

    A name that the form does not have stays as it is.
    """
    prefix = str(released.front_end_prefix)
    inside = {name.removeprefix(prefix): name for name in names if name.startswith(prefix)}
    ours = {f"{FRONT_END}{key}": name for key, name in fairseq_names.in_transformers(inside).items()}
    for name in names:
        if not name.startswith(prefix):
            is_known = name.startswith(released.back_end_prefix)
            ours[f"{BACK_END}{name.removeprefix(released.back_end_prefix)}" if is_known else name] = name
    return ours


def fit(
    tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor], where: str, names: Mapping[str, str] | None = None
) -> dict[str, Tensor]:
    """Copies of the tensors, in the order of `expected`; `names` are those in the file, if they differ.

    Raises ReleasedError unless exactly these are present and finite.
    """
    missing = set(expected) - set(tensors)
    strange = {(names or {}).get(key, key) for key in set(tensors) - set(expected)}
    if missing or strange:
        raise ReleasedError(
            f"{where}: it lacks {_few(missing)} and has {_few(strange)} too many; "
            f"give the detector that the file belongs to: {', '.join(RELEASED)}"
        )
    for key, ours in expected.items():
        if tensors[key].shape != ours.shape or tensors[key].dtype != ours.dtype:
            raise ReleasedError(f"{where}: {key} is {_kind(tensors[key])}, but {_kind(ours)} is needed")
        if not tensors[key].isfinite().all():
            raise ReleasedError(f"{where}: {key} has values that are not finite; fetch the file again")
    return {key: tensors[key].clone() for key in expected}


def bonafide_last(tensors: Mapping[str, Tensor], bonafide_index: int) -> dict[str, Tensor]:
    """The weights with the bona fide logit of the last layer moved from `bonafide_index` to index 1."""
    if bonafide_index == BONAFIDE:
        return dict(tensors)
    return {key: rows.flip(0) if key.split(".")[0] in CLASSES else rows for key, rows in tensors.items()}


def _back_end(released: Released, names: Collection[str]) -> Parts:
    """The back-end; a last layer of AntiDeepfake without a bias is that of its models trained with OC-Softmax."""
    is_cosine = released.back_end["name"] == "pooling" and "proj_fc.weight" in names and "proj_fc.bias" not in names
    return {**released.back_end, "head": "cosine"} if is_cosine else released.back_end


def _tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of torch.save or safetensors, without the prefix of a DataParallel wrapper."""
    if path.suffix != ".safetensors":
        return torch_files.read_state_dict(path)
    try:
        return torch_files.without_wrapper(load_file(path))
    except (OSError, SafetensorError) as error:
        raise ReleasedError(f"{path}: damaged: not safetensors ({error}); fetch it again") from error


def _few(keys: Collection[str]) -> str:
    first = sorted(keys)[:MOST_KEYS]
    names = f" ({', '.join(first)}{', …' if len(keys) > MOST_KEYS else ''})" if keys else ""
    return f"{len(keys)} tensors{names}"


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
