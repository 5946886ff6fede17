"""Rows of different lengths in one batch, so that a GPU has enough to do and no code changes.

Alone, a recording ends where its tensor ends: a convolution puts zeros after it or mirrors it, a norm averages over it,
and an LSTM that reads backwards begins there. In a batch, other samples follow. Hooks on these layers give each row
what it has alone: they write zeros or the mirror image after its end, average over the row, and start the LSTM at its
end. The layers compute with other shapes, so the last bits of floats change, as they do in batches of equal length.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

SHORTEST_MIRRORED = 1.0  # seconds: at least 25 frames of any codec, which is more than a layer mirrors


class NetworkEnds:
    """Knows where rows end at every layer of a network, while `rows` is active.

    `mirroring` and `trimming` are the classes of layers that pad inside. The first mirror both ends of their input and
    give ceil(T / stride) outputs. The others are transposed convolutions that give T · stride outputs. All other
    convolutions have zeros around their input (torch's `padding`). A row must be longer than a layer mirrors.
    `slack_frames` are zeros after the longest row, which give its mirror image room.
    """

    def __init__(
        self,
        network: nn.Module,
        mirroring: tuple[type[nn.Module], ...] = (),
        trimming: tuple[type[nn.Module], ...] = (),
        input_length: Callable[[Any], Any] = lambda length: length,
    ) -> None:
        mirrors = (layer for layer in network.modules() if isinstance(layer, mirroring))
        self.slack_frames = max(map(_reach, mirrors), default=0)
        self._input_length = input_length  # of the first layer, if the codec adds zeros to a recording
        self._ends: dict[int, _Ends] = {}  # by the length of the layer's tensor, which differs from depth to depth
        self._packed_length = 0
        _watch(network, self, mirroring, trimming)

    @contextmanager
    def rows(self, wav: Tensor, lengths: Sequence[int]) -> Iterator[None]:
        """Inside, the network gets wav `[B, T]`, of which each row has a length, and then its codes.

        A batch of several times B rows has these lengths several times.
        """
        on_cpu = torch.tensor(lengths)
        on_device = on_cpu.pin_memory().to(wav.device, non_blocking=True) if wav.is_cuda else on_cpu
        ends = _Ends(list(lengths), on_device)
        self._ends = {self._input_length(wav.shape[1]): ends.after(self._input_length)}
        try:
            yield
        finally:
            self._ends = {}

    def cut(self, wav: Tensor) -> Tensor:
        """The network's output `[B, T]` with zeros after the end of each row."""
        return self.with_zeros(wav[:, None])[:, 0]

    @property
    def are_known(self) -> bool:
        return bool(self._ends)

    def follow(self, num_inputs: int, num_outputs: Callable[[Any], Any]) -> None:
        """Note the ends of rows after a layer."""
        self._ends[num_outputs(num_inputs)] = self._ends[num_inputs].after(num_outputs)

    def with_zeros(self, x: Tensor) -> Tensor:
        """x `[B, C, T]` with zeros after each row."""
        return x.masked_fill(self._ends[x.shape[-1]].is_after(x), 0)

    def mirrored(self, x: Tensor) -> Tensor:
        """x `[B, C, T]` with its mirror image after each row: as far as there is room, and as the row is long."""
        return x.gather(-1, self._ends[x.shape[-1]].mirror(x).expand_as(x))

    def normalized(self, x: Tensor, norm: nn.GroupNorm) -> Tensor:
        """The group norm of x `[B, C, T]` over each row's own values, in at least float32."""
        ends = self._ends[x.shape[-1]]
        groups = x.to(torch.promote_types(x.dtype, torch.float32)).unflatten(1, (norm.num_groups, -1))
        is_after = ends.is_after(x)[:, None]
        counts = groups.shape[2] * ends.of(x)[:, None, None, None]

        def mean(values: Tensor) -> Tensor:
            return values.masked_fill(is_after, 0).sum(dim=(2, 3), keepdim=True) / counts

        centered = groups - mean(groups)
        normed = (centered * (mean(centered.square()) + norm.eps).rsqrt()).flatten(1, 2)
        return normed * norm.weight[:, None] + norm.bias[:, None]

    def packed(self, x: Tensor) -> Any:
        """x `[T, B, D]` without what follows each row, for an LSTM."""
        lengths = self._ends[len(x)].lengths * (x.shape[1] // len(self._ends[len(x)].lengths))
        is_sorted = lengths == sorted(lengths, reverse=True)
        self._packed_length = len(x)
        return pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=is_sorted)

    def unpacked(self, y: Any) -> Tensor:
        """The LSTM's output `[T, B, D]`, with zeros after each row."""
        return pad_packed_sequence(y, total_length=self._packed_length)[0]


class _Ends:
    """The lengths of rows at one layer, on the CPU and on the network's device; what follows from them is kept."""

    def __init__(self, lengths: list[int], on_device: Tensor) -> None:
        self.lengths, self._on_device = lengths, on_device
        self._after: dict[tuple[int, int], Tensor] = {}  # by the numbers of rows and positions
        self._mirrors: dict[tuple[int, int], Tensor] = {}

    def after(self, layer: Callable[[Any], Any]) -> "_Ends":
        """After a layer; the same ends if it keeps all lengths."""
        lengths = [layer(length) for length in self.lengths]
        return self if lengths == self.lengths else _Ends(lengths, layer(self._on_device))

    def of(self, x: Tensor) -> Tensor:
        """The length of each row of x."""
        return self._on_device.repeat(len(x) // len(self.lengths))

    def is_after(self, x: Tensor) -> Tensor:
        """Which of the positions of x `[B, C, T]` follow their row, `[B, 1, T]`."""
        size = len(x), x.shape[-1]
        if size not in self._after:
            self._after[size] = torch.arange(x.shape[-1], device=x.device) >= self.of(x)[:, None, None]
        return self._after[size]

    def mirror(self, x: Tensor) -> Tensor:
        """Where each position of x `[B, C, T]` comes from, `[B, 1, T]`."""
        size = len(x), x.shape[-1]
        if size not in self._mirrors:
            position, end = torch.arange(x.shape[-1], device=x.device), self.of(x)[:, None, None]
            self._mirrors[size] = torch.where(position < end, position, 2 * (end - 1) - position).clamp(min=0)
        return self._mirrors[size]


def _watch(
    network: nn.Module, ends: NetworkEnds, mirroring: tuple[type[nn.Module], ...], trimming: tuple[type[nn.Module], ...]
) -> None:
    """Register the hooks; they do nothing while no ends are known."""
    inner: set[nn.Module] = set()  # the convolutions of layers that pad for them
    for layer in network.modules():
        if isinstance(layer, mirroring + trimming):
            convolution = _convolution(layer)
            inner.add(convolution)
            pad = _trim if isinstance(layer, trimming) else _mirror
            _before(layer, ends, pad(ends, convolution))
        elif isinstance(layer, nn.Conv1d | nn.ConvTranspose1d) and layer not in inner:
            _before(layer, ends, _end_with_zeros(ends, layer))
        elif isinstance(layer, nn.GroupNorm):
            _after(layer, ends, lambda norm, x, _: ends.normalized(x, norm))
        elif isinstance(layer, nn.LSTM) and layer.bidirectional:
            _before(layer, ends, ends.packed)
            _after(layer, ends, lambda _, __, output: (ends.unpacked(output[0]), output[1]))


def _convolution(layer: nn.Module) -> Any:
    return next(part for part in layer.modules() if isinstance(part, nn.Conv1d | nn.ConvTranspose1d))


def _reach(layer: nn.Module) -> int:
    """The most outputs of a mirroring layer that its mirror image after the end is long."""
    convolution = _convolution(layer)
    (kernel,), (stride,), (dilation,) = convolution.kernel_size, convolution.stride, convolution.dilation
    return -(-(((kernel - 1) * dilation - (stride - 1)) // 2 + stride - 1) // stride)


def _before(layer: nn.Module, ends: NetworkEnds, change: Callable[[Tensor], Any]) -> None:
    layer.register_forward_pre_hook(lambda _, args: (change(args[0]),) if ends.are_known else None)


def _after(layer: nn.Module, ends: NetworkEnds, change: Callable[[Any, Any, Any], Any]) -> None:
    layer.register_forward_hook(lambda module, args, out: change(module, args[0], out) if ends.are_known else None)


def _end_with_zeros(ends: NetworkEnds, layer: Any) -> Callable[[Tensor], Tensor]:
    def change(x: Tensor) -> Tensor:
        ends.follow(x.shape[-1], _size(layer))
        return ends.with_zeros(x)

    return change


def _mirror(ends: NetworkEnds, layer: Any) -> Callable[[Tensor], Tensor]:
    def change(x: Tensor) -> Tensor:
        ends.follow(x.shape[-1], lambda length: -(-length // layer.stride[0]))
        return ends.mirrored(x)

    return change


def _trim(ends: NetworkEnds, layer: Any) -> Callable[[Tensor], Tensor]:
    def change(x: Tensor) -> Tensor:
        ends.follow(x.shape[-1], _size(layer))  # a norm may come before the trimming
        ends.follow(x.shape[-1], lambda length: length * layer.stride[0])
        return ends.with_zeros(x)

    return change


def _size(layer: Any) -> Callable[[Any], Any]:
    """The number of outputs for a number of inputs."""
    (kernel,), (stride,), (padding,), (dilation,) = layer.kernel_size, layer.stride, layer.padding, layer.dilation
    reach = dilation * (kernel - 1) + 1
    if isinstance(layer, nn.ConvTranspose1d):
        return lambda length: (length - 1) * stride - 2 * padding + reach + layer.output_padding[0]
    return lambda length: (length + 2 * padding - reach) // stride + 1
