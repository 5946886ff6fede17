"""Speeds of networks on a GPU, from what they compute: counted operations and kernel launches, and the GPU's peak.

A batch takes as long as its operations at the assumed share of the peak, or as its launches, whichever is longer (the
roofline model of Williams et al. 2009, with launches in place of memory traffic).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated, Any

import yaml

from codec_wrappers import Rate
from codecfake.base import settings
from codecfake.base.precision_names import AUTO, BFLOAT16, FLOAT32
from codecfake.base.settings import Range, SettingsError
from codecfake.base.suggestions import unknown

PACKAGE = "codecfake.running.planning"
EXACT = FLOAT32  # the precision of a rate whose name has none
DEFAULT_GPU = "H200"
ON_GPU = {AUTO: BFLOAT16}  # what codec training chooses


@dataclass(frozen=True)
class Operations:
    """What a network computes, as counted by `benchmarks/operations.py`."""

    gflop: Annotated[float, Range(above=0)]  # per second of audio, or per clip
    launches: Annotated[float, Range(above=0)]  # per batch
    batch: Annotated[float, Range(above=0)]  # seconds of audio, or clips
    exact_gflop: Annotated[float, Range(least=0)] = 0.0  # of `gflop`: in float32 at any precision
    layer: int = 0  # of a front-end whose features these are
    layer_gflop: float = 0.0  # of each further block

    def depth(self, layer: int) -> float:
        """The operations up to another layer, relative to these."""
        return 1 + (layer - self.layer) * self.layer_gflop / self.gflop


@dataclass(frozen=True)
class Gpu:
    """A GPU, and what is assumed of its use."""

    name: str
    peaks: Mapping[str, float]  # precision -> TFLOP/s
    utilization: Mapping[str, float]  # precision -> share of the peak
    launch_us: float

    def speed(self, work: Operations, precision: str) -> float:
        """Seconds of audio, or clips, per second."""
        return min(self._by_operations(work, precision), self._by_launches(work))

    def reason(self, work: Operations, precision: str) -> str:
        """How `speed` was computed."""
        if self._by_launches(work) < self._by_operations(work, precision):
            return f"{work.launches:g} launches of {self.launch_us:g} us for {work.batch:g} seconds or clips"
        exact = work.exact_gflop if precision != EXACT else 0.0
        first = f"{exact:g} GFLOP at {self._share(EXACT)}, and then " if exact else ""
        return f"{first}{work.gflop - exact:g} GFLOP per second or clip, at {self._share(precision)}"

    def _share(self, precision: str) -> str:
        share, peak = self.utilization[precision], self.peaks[precision]
        return f"{share:.0%} of the {self.name}'s {peak:g} TFLOP/s in {precision}"

    def _by_operations(self, work: Operations, precision: str) -> float:
        return 1 / (work.exact_gflop / self._gflops(EXACT) + (work.gflop - work.exact_gflop) / self._gflops(precision))

    def _gflops(self, precision: str) -> float:
        return self.peaks[precision] * self.utilization[precision] * 1e3

    def _by_launches(self, work: Operations) -> float:
        return work.batch / (work.launches * self.launch_us * 1e-6)


def gpu(name: str) -> Gpu:
    """A GPU of `gpus.yaml`. Raises SettingsError for an unknown name."""
    table = _table("gpus.yaml")
    if name not in table["peaks"]:
        raise SettingsError(f"--gpu-model: {unknown('GPU', name, table['peaks'])}")
    return Gpu(name, table["peaks"][name], table["utilization"], table["launch_us"])


def gpu_names() -> tuple[str, ...]:
    return tuple(_table("gpus.yaml")["peaks"])


@cache
def counted() -> dict[str, Operations]:
    """Operations by the name of their rate, without device: `resynthesis.encodec`."""
    return {name: settings.build(Operations, entry) for name, entry in _table("operations.yaml").items()}


def depth(rate: str, front_end: Mapping[str, Any]) -> float:
    """The time of features up to the front-end's layer, relative to those that the rate `features.NAME` is for."""
    work = counted().get(rate)
    return 1.0 if work is None else work.depth(front_end.get("layer", work.layer))


def speeds(device: Gpu) -> dict[str, Rate]:
    """Rates by name: `resynthesis.encodec.gpu` in float32, `resynthesis.encodec.gpu.tf32` in another precision."""
    return dict(_speeds(device))


def _speeds(device: Gpu) -> Iterator[tuple[str, Rate]]:
    for name, work in counted().items():
        for precision in device.peaks:
            value = float(f"{device.speed(work, precision):.3g}")
            yield rate_name(f"{name}.gpu", precision), Rate(value, "counted", device.reason(work, precision))


def rate_name(rate: str, precision: str) -> str:
    """The name of a rate in a precision."""
    precision = ON_GPU.get(precision, precision)
    return rate if precision == EXACT else f"{rate}.{precision}"


@cache
def _table(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(resources.files(PACKAGE).joinpath(name).read_text(encoding="utf-8"))
    return content
