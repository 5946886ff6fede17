"""Descript Audio Codec (Kumar et al. 2023), with the package `descript-audio-codec`, in one of two modes.

`file`: whole files at once. At 16 and 24 kHz the output is 8 samples shorter than the input (an odd stride); the
workflow fills them. `chunked`: as in the package's `compress` and `decompress`, which Wu et al. (2024) used for D1
to D3. Both modes have the same weights.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codec_wrappers.codec import Gain, Reconstruction, TrainableCodec
from codec_wrappers.networks.codebooks import kmeans
from codec_wrappers.networks.package_initialization import keep_package_variance
from codec_wrappers.networks.quantizers import Quantization
from codec_wrappers.networks.row_ends import SHORTEST_MIRRORED, NetworkEnds
from codec_wrappers.networks.whole_batches import quantize_batch
from codec_wrappers.settings import DacSettings
from codec_wrappers.weights.loading import load_into
from codecfake.audio import loudness
from codecfake.base import precision
from codecfake.base.settings import SettingsError

COMMITMENT_WEIGHT, CODEBOOK_WEIGHT = 0.25, 1.0  # section 3.6 of the paper
WINDOW_DURATION = 1  # seconds, as in the package's `compress`
WINDOWS_AT_ONCE = 64  # over all rows of a batch; bounds the memory for any length


class Dac(TrainableCodec):
    sample_rate: int
    shortest_padded = SHORTEST_MIRRORED
    takes_portions = True
    network: Any  # dac.DAC

    def __init__(self, settings: DacSettings) -> None:
        self.sample_rate = settings.sample_rate
        self.bits_per_code = settings.bits_per_code
        self.network = _network(settings).eval()
        self.hop_length = settings.hop_length
        self.num_quantizers = settings.num_quantizers

    def encode(self, wav: Tensor) -> Tensor:
        _, codes, *_ = self.network.encode(self.network.preprocess(wav[:, None], self.sample_rate))
        return codes

    def decode(self, codes: Tensor) -> Tensor:
        latent, *_ = self.network.quantizer.from_codes(codes)
        return self.network.decode(latent)[:, 0]

    def row_ends(self) -> NetworkEnds | None:
        return NetworkEnds(self.network)

    def reconstruct(self, wav: Tensor, quantize: bool = True) -> Reconstruction:
        self.start_training()
        network = self.network
        latent = network.encoder(wav[:, None])
        if not quantize:
            return Reconstruction(network.decode(latent)[:, 0], wav.new_zeros(()))
        with precision.exact(wav.device.type):
            quantization = quantize_batch(self.portion, latent.float(), self._quantize)
        return Reconstruction(network.decode(quantization.latent)[:, 0], quantization.loss)

    def _quantize(self, latent: Tensor) -> Quantization:
        if self.network.quantizer.is_new:
            self._start_codebooks(latent)
        quantized, codes, _, commitment, codebook = self.network.quantizer(latent)
        return Quantization(quantized, codes, COMMITMENT_WEIGHT * commitment + CODEBOOK_WEIGHT * codebook)

    @torch.no_grad()
    def _start_codebooks(self, residual: Tensor) -> None:
        """Start codebooks from the clusters of the first batch: random ones are far from all latents."""
        for quantizer in self.network.quantizer.quantizers:
            rows = quantizer.in_proj(residual).transpose(1, 2).flatten(0, 1)
            quantizer.codebook.weight.copy_(_clusters_of_directions(rows, quantizer.codebook_size))
            residual = residual - quantizer(residual)[0]
        self.network.quantizer.is_new.fill_(False)


def _clusters_of_directions(rows: Tensor, number: int) -> Tensor:
    """The mean row of each of `number` clusters of directions `[number, D]`, from rows `[M, D]`.

    DAC looks codes up by their direction alone. A code whose length is not that of its rows would leave a residual that
    is larger than the row, and residuals would grow from codebook to codebook.
    """
    directions = F.normalize(rows)
    centers = F.normalize(kmeans(directions, number)[0])
    codes = F.one_hot((directions @ centers.T).argmax(dim=1), number).to(rows.dtype)
    lengths = (codes.T @ rows.norm(dim=1)) / codes.sum(dim=0).clamp(min=1)
    return centers * torch.where(codes.sum(dim=0) > 0, lengths, rows.norm(dim=1).mean())[:, None]


class ChunkedDac(Dac):
    """Windows of 1 s through convolutions without padding, so that the decoded windows join without a seam.

    Utterances of up to 1 s are one piece, padded as in `file`. As in the package, input is encoded at -16 LUFS with
    peaks limited to 1, and the decoded signal is brought to -16 LUFS: the workflow restores the loudness of the
    recording, not its gain. Windows overlap, so there are more codes than `bitrate_kbps` counts (the nominal rate).
    Not thread-safe: the padding of the network is switched off and on.
    """

    gain = Gain.LUFS_16
    any_length = True
    context_duration = None  # it cuts long input into its own windows
    shortest_padded = WINDOW_DURATION  # windows of zeros follow, which `encode` and `decode` keep apart

    def __init__(self, settings: DacSettings) -> None:
        super().__init__(settings)
        self._longest_piece = WINDOW_DURATION * self.sample_rate
        self._window = -(-self._longest_piece // self.hop_length) * self.hop_length
        self._step = self.network.get_output_length(self._window)
        self._frames = _frames(self.network.encoder, self._window)
        # otherwise one piece and two windows could have the same number of frames
        if self._step < 1 or 2 * self._frames * self.hop_length <= self._window:
            raise SettingsError(f"dac: 1 s is too short for chunks through strides {settings.strides}; use mode file")

    def encode(self, wav: Tensor) -> Tensor:
        wav = wav / wav.abs().amax(dim=1, keepdim=True).clamp(min=1)
        if wav.shape[1] <= self._longest_piece:
            return super().encode(wav)
        with self._without_padding():
            codes = [
                Dac.encode(self, part.flatten(0, 1)).unflatten(0, part.shape[:2])  # [B, n, Q, F]
                for part in self.windows(wav).split(_at_once(len(wav)), dim=1)
            ]
        return torch.cat(codes, dim=1).transpose(1, 2).flatten(2)

    def row_ends(self) -> None:
        return None

    def decode(self, codes: Tensor) -> Tensor:
        return self._leveled(self._decode_pieces(codes))

    def decode_all(self, codes: Tensor, quantizers: Sequence[int]) -> list[Tensor]:
        # loudness is measured on the CPU: one copy for all of them
        wavs = torch.cat(self.decode_unleveled(codes, quantizers))
        return list(self._leveled(wavs).chunk(len(quantizers)))

    @property
    def has_own_level(self) -> bool:
        return self.gain is Gain.LUFS_16

    def decode_unleveled(self, codes: Tensor, quantizers: Sequence[int]) -> list[Tensor]:
        return [self._decode_pieces(codes[:, :number]) for number in quantizers]

    def own_level(self, wav: Tensor, num_samples: int) -> Tensor:
        """The loudness of the windows that the recordings alone would have."""
        is_one_piece = num_samples <= self._longest_piece
        end = wav.shape[1] if is_one_piece else -(-num_samples // self._step) * self._step
        return loudness.level(wav[:, :end], self.sample_rate)

    def _leveled(self, wav: Tensor) -> Tensor:
        return wav / loudness.level(wav, self.sample_rate) if self.has_own_level else wav

    def _decode_pieces(self, codes: Tensor) -> Tensor:
        is_one_piece = codes.shape[2] * self.hop_length <= self._window
        return super().decode(codes) if is_one_piece else self._decode_windows(codes)

    def windows(self, wav: Tensor) -> Tensor:
        """Cut wav `[B, T]` into windows `[B, N, samples]` for the encoder; zeros around it replace the padding."""
        number = -(-wav.shape[1] // self._step)
        total = (number - 1) * self._step + self._window
        delay = self.network.delay
        padded = F.pad(wav, (delay, max(0, total - delay - wav.shape[1])))
        return padded[:, :total].unfold(1, self._window, self._step)

    def _decode_windows(self, codes: Tensor) -> Tensor:
        if codes.shape[2] % self._frames:
            raise ValueError(
                f"{codes.shape[2]} frames are not whole windows of {self._frames} frames; if mode file encoded them, "
                f"decode them in mode file"
            )
        parts = codes.split(_at_once(len(codes)) * self._frames, dim=2)
        with self._without_padding():
            return torch.cat([self._decode_part(part) for part in parts], dim=1)

    def _decode_part(self, codes: Tensor) -> Tensor:
        windows = codes.unflatten(2, (-1, self._frames)).transpose(1, 2)  # [B, n, Q, F]
        return Dac.decode(self, windows.flatten(0, 1)).view(len(codes), -1)

    @contextmanager
    def _without_padding(self) -> Iterator[None]:
        self.network.padding = False
        try:
            yield
        finally:
            self.network.padding = True


MODES = {"file": Dac, "chunked": ChunkedDac}


def build(settings: DacSettings) -> Dac:
    """The architecture with fresh weights."""
    return MODES[settings.mode](settings)


def load(settings: DacSettings, weights: Path | None) -> Dac:
    """The codec with the weights of a safetensors file."""
    return load_into(build(settings), weights)


def _network(settings: DacSettings) -> Any:
    from dac import DAC

    network = DAC(
        sample_rate=settings.sample_rate,
        encoder_dim=settings.encoder_dim,
        encoder_rates=list(settings.strides),
        latent_dim=settings.latent_dim,
        decoder_dim=settings.decoder_dim,
        decoder_rates=list(settings.decoder_rates or reversed(settings.strides)),
        n_codebooks=settings.num_quantizers,
        codebook_size=settings.codebook_size,
        codebook_dim=settings.codebook_dim,
        quantizer_dropout=settings.quantizer_dropout,
    )
    keep_package_variance(network.encoder)
    keep_package_variance(network.decoder)
    for quantizer in network.quantizer.quantizers:
        _make_transposed(quantizer.in_proj, quantizer.out_proj)
    network.quantizer.register_buffer("is_new", torch.ones((), dtype=torch.bool), persistent=False)
    network.quantizer.register_load_state_dict_post_hook(_mark_as_started)
    return network


def _mark_as_started(quantizer: Any, _: object) -> None:
    quantizer.is_new.fill_(False)  # otherwise the next batch of a training would replace the loaded codebooks


def _at_once(num_rows: int) -> int:
    """Windows per row in one pass."""
    return max(1, WINDOWS_AT_ONCE // num_rows)


def _frames(encoder: nn.Module, num_samples: int) -> int:
    """The number of frames that an encoder without padding makes from `num_samples`."""
    for layer in encoder.modules():
        if isinstance(layer, nn.Conv1d):
            num_samples = (num_samples - layer.dilation[0] * (layer.kernel_size[0] - 1) - 1) // layer.stride[0] + 1
    return num_samples


@torch.no_grad()
def _make_transposed(down: Any, up: Any) -> None:
    """Make two fresh 1 × 1 convolutions project to a subspace and back, so that the residual shrinks at each stage."""
    basis = nn.init.orthogonal_(torch.empty(down.out_channels, down.in_channels))
    for layer, weight in ((down, basis), (up, basis.T)):
        layer.weight_v.copy_(weight[:, :, None])
        layer.weight_g.copy_(weight.norm(dim=1)[:, None, None])
        layer.bias.zero_()
