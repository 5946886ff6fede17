"""Training and scoring of detectors on a pretended CUDA device: the same results as on the CPU, and few waits."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tones
import torch
from pretended_cuda import CUDA, Observations, pretended_cuda
from test_training import RANDOM_W2V2, SETTINGS
from tones import Corpus
from torch import Tensor

from codecfake.base import files
from codecfake.detectors.detector import Detector, DetectorSettings
from codecfake.features import precision
from codecfake.features.cache import CachePlace
from codecfake.features.streaming import CachedFeatures
from codecfake.scoring import conditions
from codecfake.training import loop
from codecfake.training.loop import train
from codecfake.training.settings import TrainSettings
from codecfake.training.strategies import STRATEGIES

pytestmark = pytest.mark.long


CPU = torch.device("cpu")
LCNN = {"name": "lcnn", "width": 0.125}
AASIST = {"name": "aasist", "channels": [4, 8], "graph_dims": [8, 4]}
RAW_AASIST = {**AASIST, "projection": None, "block_pool": 3, "nodes": "max"}
FRONT_ENDS = {
    "mel": {"name": "mel", "log": True},
    "wav2vec2": RANDOM_W2V2,
    "wavlm": {**RANDOM_W2V2, "name": "wavlm"},
    "sinc": {"name": "sinc"},
}
DETECTORS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("wav2vec2", LCNN, {}),
    ("wavlm", AASIST, {}),
    ("sinc", RAW_AASIST, {}),
    *(("mel", LCNN, {"strategy": strategy}) for strategy in STRATEGIES),
    ("wav2vec2", AASIST, {"strategy": "csam"}),
    ("mel", LCNN, {"cache_features": "memory"}),
    ("wav2vec2", LCNN, {"cache_features": "disk"}),
    ("mel", AASIST, {"keep": "average"}),
]
COMPLEX = ("_fft_r2c", "_fft_c2r", "_fft_c2c", "complex")  # have no form in half precision
LONGER_CLIPS = 8_000  # samples, of which the SSL front-ends make enough frames
LARGEST_DIFFERENCE = 1e-3  # of losses and scores; two epochs amplify rounding


class KilledError(Exception):
    """Stands for the death of the process."""


def write_corpus(root: Path) -> Corpus:
    """Two train lists, which co-training needs."""
    lists = [
        tones.write_protocol(root / domain / "train.tsv", part)
        for domain, part in (("codec", range(4)), ("vocoder", range(4, 8)))
    ]
    dev = tones.write_protocol(root / "dev.tsv", range(8, 12))
    return Corpus(tones.write_audio(root / "audio", 12), lists, [dev])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def gpu() -> Iterator[Observations]:
    with pretended_cuda() as observations:
        yield observations


def trained(corpus: Corpus, folder: Path, settings: TrainSettings, device: torch.device = CUDA) -> Path:
    train(corpus.train, corpus.dev, corpus.audio, folder, settings, device, 0, CachePlace(folder / "features"))
    return folder


def results(corpus: Corpus, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The history, and the scores of the dev list, of a finished training."""
    history = files.read_tsv(folder / "history.tsv").astype(float).to_numpy()
    return history, files.read_tsv(folder / "scores/dev.tsv")["score"].astype(float).to_numpy()


@pytest.fixture
def waits(gpu: Observations, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The waits of each training step."""
    counts: list[int] = []
    step = loop._Run._step

    def counted(run: loop._Run, inputs: Tensor, batch: np.ndarray) -> float:
        before = gpu.num_waits
        loss = step(run, inputs, batch)
        counts.append(gpu.num_waits - before)
        return loss

    monkeypatch.setattr(loop._Run, "_step", counted)
    return counts


@pytest.mark.parametrize(("front_end", "back_end", "changes"), DETECTORS)
def test_a_detector_trains_and_scores_as_on_the_cpu_and_a_step_waits_once_for_each_pass(
    front_end: str, back_end: dict[str, Any], changes: dict[str, Any], corpus: Corpus, waits: list[int], tmp_path: Path
) -> None:
    detector = DetectorSettings(FRONT_ENDS[front_end], back_end)
    samples = SETTINGS.crop_samples if front_end == "mel" else LONGER_CLIPS
    settings = replace(SETTINGS, detector=detector, crop_samples=samples, epochs=2, learning_rate=1e-4, **changes)
    values = []
    for device in (CPU, CUDA):
        waits.clear()
        # oneDNN chooses kernels by the processor; with those of AVX-512, AASIST by CSAM differs by 0.016
        with torch.backends.mkldnn.flags(enabled=False):
            folder = trained(corpus, tmp_path / device.type, settings, device)
            conditions.score(folder, corpus.dev, corpus.audio, folder / "scores", device, batch_size=4)
        values.append(results(corpus, folder))
    for on_cpu, on_gpu in zip(*values, strict=True):
        np.testing.assert_allclose(on_gpu, on_cpu, atol=LARGEST_DIFFERENCE, rtol=0)
    assert max(waits) <= settings.resolved_strategy().num_passes


def test_kept_features_that_would_fill_the_gpu_stay_in_the_memory_of_the_cpu(
    corpus: Corpus, gpu: Observations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = []
    batches = CachedFeatures.batches

    def watched(features: CachedFeatures, *arguments: Any) -> Iterator[Tensor]:
        homes.append(features._features.device)
        return batches(features, *arguments)

    monkeypatch.setattr(CachedFeatures, "batches", watched)
    settings = replace(SETTINGS, epochs=1, cache_features="memory")
    trained(corpus, tmp_path / "fits", settings)
    assert set(homes) == {CUDA}
    homes.clear()
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1_000, 10**10))
    trained(corpus, tmp_path / "does not fit", settings)
    assert set(homes) == {CPU}
    for name in ("history.tsv", "weights.safetensors"):
        assert files.sha256(tmp_path / "fits" / name) == files.sha256(tmp_path / "does not fit" / name)


def killed_after_epochs(number: int, patch: pytest.MonkeyPatch) -> None:
    ends = loop._Run._end_epoch
    calls: list[None] = []

    def end_epoch(run: loop._Run, curves: object) -> None:
        ends(run, curves)  # type: ignore[arg-type]
        calls.append(None)
        if len(calls) == number:
            raise KilledError

    patch.setattr(loop._Run, "_end_epoch", end_epoch)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_training_by_any_strategy_that_was_killed_ends_as_an_undisturbed_one(
    strategy: str, corpus: Corpus, gpu: Observations, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, epochs=2, learning_rate=1e-4, strategy=strategy)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):
        killed_after_epochs(1, patch)
        trained(corpus, tmp_path / "killed", settings)
    trained(corpus, tmp_path / "killed", settings)
    trained(corpus, tmp_path / "whole", settings)
    for name in ("history.tsv", "weights.safetensors"):
        assert files.sha256(tmp_path / "killed" / name) == files.sha256(tmp_path / "whole" / name)


@pytest.mark.parametrize("name", ["wav2vec2", "wavlm", "sinc"])
def test_a_front_end_in_bfloat16_is_near_and_uses_no_operation_that_bfloat16_lacks(name: str) -> None:
    torch.manual_seed(0)
    front_end = Detector(DetectorSettings(FRONT_ENDS[name], RAW_AASIST if name == "sinc" else LCNN), LONGER_CLIPS)
    frozen, wav = front_end.front_end.eval().requires_grad_(False), 0.1 * torch.randn(2, LONGER_CLIPS)
    expected = frozen(wav)
    with pretended_cuda(forward_only=True) as observations, torch.no_grad():
        features = precision.run(precision.rounded(frozen.to(CUDA), "bfloat16"), wav.to(CUDA), "bfloat16").cpu()
    assert (features - expected).norm() <= precision.LARGEST_ERROR * expected.norm()
    assert observations.reduced["convolution"] > 0
    assert not [operation for operation in COMPLEX if observations.reduced[operation]]


def test_a_killed_training_whose_best_epoch_is_over_goes_on_from_its_checkpoint(
    corpus: Corpus, gpu: Observations, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, learning_rate=1e-12)  # no epoch is better than the first
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):
        killed_after_epochs(2, patch)
        trained(corpus, tmp_path / "killed", settings)
    trained(corpus, tmp_path / "killed", settings)
    trained(corpus, tmp_path / "whole", settings)
    for name in ("history.tsv", "weights.safetensors"):
        assert files.sha256(tmp_path / "killed" / name) == files.sha256(tmp_path / "whole" / name)
