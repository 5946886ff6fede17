"""Codecs for arrays, with the resampling, lengths and levels of the workflow."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from codec_wrappers.codec import Codec
from codec_wrappers.resynthesis import shard
from codec_wrappers.weights import checkpoints, fetching, shipped
from codec_wrappers.weights.loading import WeightsError, digest
from codecfake.audio import waveforms
from codecfake.base import files, json_texts
from codecfake.base.devices import prepare
from codecfake.base.home import expanded

NONE, SHIPPED, OFFICIAL = "none", "shipped:", "official:"
SETTINGS = "settings.json"  # beside the weights that a run trained
REMEDY = "restore it, or train the codec again"


class ResynthesisError(ValueError):
    """The codec cannot process this input with these arguments."""


@dataclass(frozen=True)
class SpeechCodec:
    """A codec with its weights, ready for recordings at any rate."""

    name: str
    codec: Codec
    device: torch.device
    weights_sha256: str  # "" without weights

    @property
    def sample_rate(self) -> int | None:
        """Hz; None for a codec that takes any rate."""
        return self.codec.sample_rate

    @property
    def num_quantizers(self) -> int:
        """The most quantizers that can be used."""
        return self.codec.num_quantizers

    def bitrate_kbps(self, quantizers: int | None = None) -> float | None:
        """True bit rate in kbit/s with this number of quantizers; default: all. None for a codec with latents.

        Bits of a frame's codes times frames per second, which may differ from the rate that a paper prints.
        """
        return self.codec.bitrate_kbps(quantizers or self.num_quantizers)

    def require_quantizers(self, quantizers: int | None) -> None:
        """Raise ResynthesisError unless the codec has this number of quantizers; None stands for all."""
        if quantizers is not None and not 1 <= quantizers <= self.num_quantizers:
            raise ResynthesisError(f"{self.name}: quantizers is {quantizers}; choose from 1 to {self.num_quantizers}")

    def resynthesize(
        self, wav: np.ndarray, sample_rate: int, quantizers: int | None = None, output_rate: int | None = None
    ) -> tuple[np.ndarray, int]:
        """Send speech `[T]` or `[T, C]` (whose channels are averaged), full scale at ±1, through the codec.

        Returns float32 `[T']` at `output_rate` Hz (default: the input's rate) and that rate; the duration and the level
        are those of the input. `quantizers`: use only this number of them; default: all. Recordings of more than
        30 s go through the codec in windows.

        Raises ResynthesisError for more quantizers than the codec has, or an array that is not speech, and
        `codec_wrappers.resynthesis.stages.ResynthesisError` if the codec returns samples that are not finite.
        """
        self.require_quantizers(quantizers)
        number = quantizers or self.num_quantizers
        mono = _mono(wav)
        codec_rate, rate = self.sample_rate or sample_rate, output_rate or sample_rate
        at_codec_rate = torch.from_numpy(waveforms.resample(mono, sample_rate, codec_rate).astype(np.float32))
        (output,) = shard.resynthesize(self.codec, at_codec_rate[None].to(self.device), [number])
        fake = waveforms.resample(output[0].cpu().numpy(), codec_rate, rate)
        fake = waveforms.fit(fake, waveforms.resampled_length(len(mono), sample_rate, rate))
        return fake.astype(np.float32), rate


def load_codec(
    name: str,
    weights: str | Path | None = None,
    model: Mapping[str, Any] | None = None,
    gain: str | None = None,
    device: str = "cpu",
    threads: int | None = None,
    folder: str | Path = "weights",
) -> SpeechCodec:
    """A codec, by its name or as `module:build`.

    `weights`: None or "none"; "shipped:NAME", of the package; "official:CHECKPOINT", which is read from `folder`, or
    else downloaded to it; or the path of a safetensors file, or of a folder of weights, such as a run's
    results/codecs/NAME. `model`: settings that replace those of the weights, or else the published ones. `gain`: the
    input level of the codec; None: that of its training, if its weights were trained here. `device`: `cpu`, `cuda` or
    `auto`. `threads`: of the CPU; None leaves torch's number.

    Raises WeightsError if the codec needs weights and has none, or if they do not fit; GpuError for `cuda` without a
    GPU; ValueError for an unknown name.
    """
    path, of_weights, level = _weights(weights, Path(folder))
    place = prepare(device, threads or torch.get_num_threads())
    try:
        with warnings.catch_warnings():
            # the packages use torch's older weight normalization, because their checkpoints have its names
            warnings.filterwarnings("ignore", "`torch.nn.utils.weight_norm` is deprecated", FutureWarning)
            codec = shard.load_codec(name, {**of_weights, **(model or {})}, path, place)
    except WeightsError as error:
        raise error if path is not None else WeightsError(_choices(name)) from None
    codec = shard.with_gain(codec, level if gain is None else gain)
    codec_device = place if codec.network is not None else torch.device("cpu")
    return SpeechCodec(name, codec, codec_device, "" if path is None else digest(path))


def _weights(weights: str | Path | None, folder: Path) -> tuple[Path | None, dict[str, Any], str | None]:
    """The path of the weights, the settings of their model, and the input level of their training."""
    if weights is None or weights == NONE:
        return None, {}, None
    if isinstance(weights, str) and weights.startswith(SHIPPED):
        ours = shipped.find(weights.removeprefix(SHIPPED))
        return ours.path, dict(ours.model), ours.gain
    if isinstance(weights, str) and weights.startswith(OFFICIAL):
        checkpoint = checkpoints.find(weights.removeprefix(OFFICIAL))
        output = folder / "converted" / checkpoint.name
        if not all((output / name).is_file() for name in checkpoint.outputs):
            fetching.fetch(checkpoint, folder, output)
        return output, dict(checkpoint.model), None
    path = Path(expanded(str(weights)))
    if not path.exists():
        raise WeightsError(
            f"{path}: no such file or folder of weights; for weights with a name, write {SHIPPED}NAME or {OFFICIAL}NAME"
        )
    return path, *_trained(path if path.is_dir() else path.parent)


def _trained(folder: Path) -> tuple[dict[str, Any], str | None]:
    """The `model` and the `gain` that a codec training recorded beside its weights."""
    record = folder / SETTINGS
    if not record.is_file():
        return {}, None
    files.require_seal(record)
    values = json_texts.read_object(record, REMEDY)
    model = values.get("model", {})
    if not isinstance(model, dict):
        raise WeightsError(f"{record}: damaged: `model` has no settings by name; {REMEDY}")
    return model, values.get("gain")


def _choices(name: str) -> str:
    ours = [f"{SHIPPED}{each}" for each in shipped.names() if shipped.find(each).wrapper == name]
    official = [f"{OFFICIAL}{one.name}" for one in checkpoints.load().values() if one.wrapper == name]
    hint = f"; by name: {', '.join(ours + official)}" if ours + official else ""
    return f"{name} needs weights: a safetensors file, or a folder such as results/codecs/NAME of a run{hint}"


def _mono(wav: np.ndarray) -> np.ndarray:
    array = np.asarray(wav)
    if array.ndim == 2:
        array = array.mean(axis=1)
    if array.ndim != 1 or array.size == 0 or not np.issubdtype(array.dtype, np.floating):
        raise ResynthesisError(
            f"speech is an array of floats [T] or [T, C], full scale at ±1, not {array.dtype} {list(np.shape(wav))}"
        )
    return array
