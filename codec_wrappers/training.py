"""Codec training: a codec's own architecture and codebooks, learned from recordings by reconstruction."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from codec_wrappers import wrapper
from codec_wrappers.codec import Codec, Reconstruction
from codec_wrappers.losses import MelDistance, MultiScaleMelLoss, si_sdr_db
from codec_wrappers.resynthesis import level, resynthesize, with_gain
from codec_wrappers.weights import save
from codecfake import audio, files, utterances
from codecfake.progress import progress

VALIDATION_WINDOW, VALIDATION_MELS = 1024, 80
WARM_UP_STEPS = 150  # without quantizer, at most a third of all: codebooks then start from latents that say something
CODEBOOK_SEGMENTS = 64  # that they start from; a batch has fewer frames than a codebook has codes


class CodecTrainingError(RuntimeError):
    """A codec cannot be trained with these settings on these recordings."""


@dataclass(frozen=True)
class CodecTrainingSettings:
    codec: str  # name of the codec configuration
    wrapper: str
    steps: int
    batch_size: int
    segment_duration: float  # seconds
    learning_rate: float
    model: dict[str, Any] = field(default_factory=dict)
    quantizers: int | None = None  # validated with so many codebooks; None: all
    gain: str | None = None  # level that the codec is given, see Gain; None: the codec's own habit
    waveform_weight: float = 1.0  # of the L1 distance of waveforms relative to the target's, beside the mel distance
    quantizer_weight: float = 1.0  # of the quantizer's own loss
    validation_utterances: int = 8
    validations: int = 3
    seed: int = 1


def train(
    settings: CodecTrainingSettings, corpora: Sequence[tuple[Path, Path]], output: Path, device: torch.device
) -> None:
    """Train and write `weights.safetensors`, `history.tsv`, `quality.tsv`, `settings.json` under `output`.

    `corpora` are (utterance table, root folder) pairs. A few utterances are held out for validation; how the
    untrained codec does on them is written beside how the trained one does.
    Raises CodecTrainingError if the loss is not finite, or if too little speech is given.
    """
    torch.manual_seed(settings.seed)
    codec = with_gain(wrapper(settings.wrapper).build(settings.model), settings.gain)
    if codec.network is None or codec.sample_rate is None:
        raise CodecTrainingError(f"{settings.codec}: {settings.wrapper} has no weights to train")
    codec.network.to(device)
    segments = Segments(corpora, codec, settings)
    validation = Validation(codec, segments.held_out(), settings.quantizers, device)
    quality = [{"state": "untrained", **validation()}]
    history = _fit(codec, segments, validation, settings, device)
    quality.append({"state": "trained", **{name: history[-1][name] for name in quality[0] if name != "state"}})
    save(codec.network, output / "weights.safetensors")
    files.write_tsv(output / "quality.tsv", pd.DataFrame(quality).round(4))
    files.write_tsv(output / "history.tsv", pd.DataFrame(history).round(6))
    files.write_json(output / "settings.json", asdict(settings))


class Segments:
    """Random segments of recordings at a codec's rate; the same for the same seed."""

    def __init__(self, corpora: Sequence[tuple[Path, Path]], codec: Codec, settings: CodecTrainingSettings) -> None:
        tables = [utterances.read(table).assign(root=str(root)) for table, root in corpora]
        rows = pd.concat(tables, ignore_index=True)
        rows = rows[rows["key"] == utterances.BONAFIDE]
        order = np.random.default_rng(settings.seed).permutation(len(rows))
        held_out = settings.validation_utterances
        if len(rows) <= held_out:
            raise CodecTrainingError(
                f"{settings.codec}: {len(rows)} utterances to train on, {held_out} of them held out for validation; "
                f"give more speech in codec_training.corpora"
            )
        self._held_out, self._rows = rows.iloc[order[:held_out]], rows.iloc[order[held_out:]]
        self._rate, self._gain = codec.sample_rate or 0, codec.gain
        hops = round(settings.segment_duration * self._rate / codec.hop_length)
        self._length = max(1, hops) * codec.hop_length
        self._rng = np.random.default_rng([settings.seed, 1])

    def held_out(self) -> list[Tensor]:
        """The validation utterances, whole, `[1, T]` each."""
        recordings = [audio.read(Path(row.root) / row.path, row.sha256) for row in self._held_out.itertuples()]
        return [self._at_rate(recording.wav, recording.sample_rate)[None] for recording in recordings]

    def batch(self, size: int) -> Tensor:
        """`[size, T]`: segments of utterances drawn with equal chances, starting anywhere, at the level of use."""
        chosen = self._rows.iloc[self._rng.integers(len(self._rows), size=size)]
        return torch.stack([self._segment(row) for row in chosen.itertuples()])

    def _segment(self, row: Any) -> Tensor:
        length = -(-self._length * row.sample_rate // self._rate)
        start = int(self._rng.integers(max(1, row.num_samples - length + 1)))
        wav = audio.read_segment(Path(row.root) / row.path, 0, row.num_samples)
        gain = level(self._gain, torch.from_numpy(wav)[None]).item()  # of the whole: a pause must not become loud
        return self._at_rate(audio.fit(wav[start:], length), row.sample_rate)[: self._length] / gain

    def _at_rate(self, wav: np.ndarray, sample_rate: int) -> Tensor:
        return torch.from_numpy(audio.resample(wav, sample_rate, self._rate).astype(np.float32))


class Validation:
    """How well a codec gives back held-out utterances, resynthesized as the workflow does it."""

    def __init__(self, codec: Codec, wavs: list[Tensor], quantizers: int | None, device: torch.device) -> None:
        self._codec = codec
        self._wavs = [wav.to(device) for wav in wavs]
        self._quantizers = quantizers or codec.num_quantizers
        self._mel = MelDistance(codec.sample_rate or 0, VALIDATION_WINDOW, VALIDATION_MELS).to(device)

    def __call__(self) -> dict[str, float]:
        network = self._codec.network
        assert network is not None
        network.eval()
        outputs = [resynthesize(self._codec, wav, [self._quantizers])[0] for wav in self._wavs]
        network.train()
        pairs = list(zip(outputs, self._wavs, strict=True))
        return {
            "si_sdr_db": float(np.mean([si_sdr_db(output, wav) for output, wav in pairs])),
            "mel_distance": float(np.mean([float(self._mel(output, wav)) for output, wav in pairs])),
            "num_utterances": len(pairs),
        }


def _fit(
    codec: Codec, segments: Segments, validation: Validation, settings: CodecTrainingSettings, device: torch.device
) -> list[dict[str, float]]:
    network = codec.network
    assert network is not None
    network.train()
    mel_loss = MultiScaleMelLoss(codec.sample_rate or 0).to(device)
    optimizer = torch.optim.Adam(network.parameters(), settings.learning_rate, betas=(0.8, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.steps)
    every = -(-settings.steps // settings.validations)
    warm_up = min(WARM_UP_STEPS, settings.steps // 3)
    history, losses = [], []
    bar = progress(range(1, settings.steps + 1), f"train {settings.codec}", settings.steps, "step")
    for step in bar:
        if step == warm_up + 1:
            with torch.no_grad():
                codec.reconstruct(segments.batch(CODEBOOK_SEGMENTS).to(device))
        wav = segments.batch(settings.batch_size).to(device)
        loss = _loss(mel_loss, codec.reconstruct(wav, quantize=step > warm_up), wav, settings)
        if not torch.isfinite(loss):
            raise CodecTrainingError(f"{settings.codec}: loss is {loss.item()} at step {step}; lower learning_rate")
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % every == 0 or step == settings.steps:
            history.append({"step": step, "loss": float(np.mean(losses)), **validation()})
            bar.set_postfix(refresh=False, loss=f"{history[-1]['loss']:.3f}", mel=f"{history[-1]['mel_distance']:.3f}")
            losses.clear()
    return history


def _loss(mel_loss: MultiScaleMelLoss, output: Reconstruction, wav: Tensor, settings: CodecTrainingSettings) -> Tensor:
    estimate = output.wav[:, : wav.shape[1]]
    target = wav[:, : estimate.shape[1]]
    waveform = (estimate - target).abs().sum() / target.abs().sum().clamp(min=1.0)
    return (
        mel_loss(estimate, target)
        + settings.waveform_weight * waveform
        + settings.quantizer_weight * output.quantizer_loss
    )
