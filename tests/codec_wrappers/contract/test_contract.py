"""What every codec promises the workflow, for every form in which one is published, on small networks."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from torch import Tensor

import codec_wrappers
from codec_wrappers import __main__, contract
from codec_wrappers.codec import Codec, Gain
from codec_wrappers.contract import forms
from codec_wrappers.contract.forms import FORMS
from codec_wrappers.contract.measurements import (
    Consistency,
    Difference,
    Levels,
    Long,
    Measurements,
    Settings,
    Trial,
    lengths,
    measure,
    reduced_snr_db,
    snr_db,
)
from codec_wrappers.contract.memory import peak_bytes
from codec_wrappers.contract.page import Method, page
from codec_wrappers.contract.promises import MOST_BYTES_PER_SAMPLE, broken_promises
from codec_wrappers.contract.signals import ODD, speech_like
from codec_wrappers.resynthesis.settings import ResynthesisSettings
from codec_wrappers.resynthesis.shard import resynthesize, resynthesize_shard
from codec_wrappers.weights.loading import save
from codecfake.audio import recordings, shards
from codecfake.audio.recordings import RecordingsSettings
from codecfake.base import files
from codecfake.base.devices import prepare
from codecfake.base.utterances import COLUMNS

CPU = torch.device("cpu")
RMS_SET = ["funcodec_ds640", "funcodec_ds320", "freqcodec_gr1", "freqcodec_gr8"]
LOUDNESS_SET = ["dac_44k_chunked", "dac_24k_chunked", "dac_16k_chunked"]
LEVEL_SET = [*RMS_SET, *LOUDNESS_SET, "hificodec_16k_peak", "vibevoice"]
EQUAL = Difference(0.0, float("inf"))
QUICK = Settings(speech_duration=0.2, odd_duration=0.02)


@pytest.fixture(params=FORMS)
def codec(request: pytest.FixtureRequest) -> Codec:
    return small(request.param, request)


def small(name: str, request: pytest.FixtureRequest) -> Codec:
    if forms.needs_weights(FORMS[name]):
        return lyra(request.getfixturevalue("shared") / "weights" / name)
    return built(name)


@cache
def built(name: str) -> Codec:
    return forms.fresh(FORMS[name], small=True, device=CPU, seed=0)


@cache
def lyra(folder: Path) -> Codec:
    return forms.with_weights(FORMS["lyra"], folder, CPU)


def rate(codec: Codec) -> int:
    return codec.sample_rate or 16_000


def through(codec: Codec, wav: Tensor) -> Tensor:
    (output,) = resynthesize(codec, wav, [codec.num_quantizers])
    return output


def speech(codec: Codec, frames: int, batch: int = 1, seed: int = 0) -> Tensor:
    return speech_like(rate(codec), batch, frames * codec.hop_length, seed)


def test_every_wrapper_has_a_published_form() -> None:
    assert {form.wrapper for form in FORMS.values()} == set(codec_wrappers.names())


def test_as_many_samples_come_back_as_went_in_from_one_on(codec: Codec) -> None:
    for num_samples in lengths(codec, rate(codec)):
        output = through(codec, speech_like(rate(codec), 1, num_samples, seed=0))
        assert output.shape == (1, num_samples)
        assert output.any(), f"{num_samples} samples came back as silence"


def test_a_codec_leaves_less_than_a_frame_for_the_workflow_to_fill(codec: Codec) -> None:
    wav = speech(codec, 24)
    with torch.inference_mode():
        decoded = codec.decode(codec.encode(wav))
    assert decoded.shape[1] > wav.shape[1] - codec.hop_length


@pytest.mark.parametrize("make", ODD, ids=lambda make: make.__name__)
def test_signals_that_are_not_speech_come_back_finite(codec: Codec, make: Callable[[Tensor], Tensor]) -> None:
    wav = make(speech(codec, 5))
    output = through(codec, wav)
    assert output.shape == wav.shape
    assert torch.isfinite(output).all()


def test_the_same_recording_gives_the_same_bits_after_another(codec: Codec) -> None:
    wav, another = speech(codec, 6), speech(codec, 4, seed=1)
    first = through(codec, wav)
    through(codec, another)
    assert torch.equal(through(codec, wav), first)


def test_what_else_is_in_a_batch_changes_no_bit(codec: Codec) -> None:
    wav, other, another = speech(codec, 6, batch=3)[:, None]
    loud = (10 * another).clamp(-1, 1)
    assert torch.equal(through(codec, torch.cat([wav, other]))[0], through(codec, torch.cat([wav, loud]))[0])


def test_codes_are_the_same_alone_and_in_a_batch(codec: Codec) -> None:
    wav = speech(codec, 8, batch=3)
    with torch.inference_mode():
        together = codec.encode(wav)
        for row in range(3):
            alone = codec.encode(wav[row : row + 1])[0]
            # latents differ in the last bits of floats, codes in nothing
            tolerance = 1e-5 * together.abs().max().item() if codec.bits_per_code is None else 0.0
            torch.testing.assert_close(alone, together[row], atol=tolerance, rtol=0)


@pytest.mark.parametrize("name", LEVEL_SET)
def test_a_codec_whose_level_is_set_gives_quiet_speech_back_as_quiet(name: str) -> None:
    wav = speech(built(name), 40)
    loud, quiet = through(built(name), wav), through(built(name), 0.1 * wav)
    assert snr_db(quiet, 0.1 * loud) > 70


@pytest.mark.long
def test_the_level_of_all_other_codecs_is_left_alone() -> None:
    others = [name for name, form in FORMS.items() if not forms.needs_weights(form) and name not in LEVEL_SET]
    assert {name: built(name).gain for name in others} == dict.fromkeys(others, Gain.NONE)


@pytest.mark.parametrize("name", RMS_SET)
def test_a_codec_whose_rms_is_set_gives_silence_back_as_silence(name: str) -> None:
    output = through(built(name), torch.zeros(1, 4000))
    assert (output * 32768).round().abs().max() == 0


# The whole way of a recording: file, channels, rate, codec, shard.


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three utterances: one in stereo, its mean in mono, one at 8 kHz; none of a whole number of frames."""
    mono = (speech_like(16_000, 1, 3217, seed=0)[0] * 8000).round().short().numpy()
    stereo = np.stack([mono, mono], axis=1) + np.array([200, -200], dtype=np.int16)
    low = (speech_like(8000, 1, 1603, seed=1)[0] * 8000).round().short().numpy()
    rows = []
    for name, samples, sample_rate in (("mono", mono, 16_000), ("stereo", stereo, 16_000), ("low", low, 8000)):
        path = tmp_path / "corpus" / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, samples, sample_rate, subtype="PCM_16")
        row = dict.fromkeys(COLUMNS, "x") | {"utterance_id": name, "path": path.name, "key": "bonafide"}
        facts = {"sample_rate": sample_rate, "num_samples": len(samples), "channels": samples.ndim}
        rows.append(row | facts | {"sha256": files.sha256(path)})
    files.write_parquet(tmp_path / "corpus.parquet", pd.DataFrame(rows))
    return tmp_path / "corpus"


@pytest.mark.parametrize("name", FORMS)
def test_stereo_is_its_mean_and_every_rate_keeps_its_duration(
    name: str, corpus: Path, request: pytest.FixtureRequest
) -> None:
    form, weights = FORMS[name], weights_of(name, corpus.parent, request)
    settings = ResynthesisSettings(
        name, form.wrapper, {"S01": min(4, small(name, request).num_quantizers)}, 1, small_model(name)
    )
    table, folder = corpus.with_suffix(".parquet"), corpus.parent / "audio" / "c"
    resynthesize_shard(settings, table, corpus, weights, 0, folder, CPU)
    recordings.write_shard(RecordingsSettings(1), table, corpus, 0, folder / "F00" / "0000.tar")
    spoof, bonafide = (pd.read_parquet(folder / source / "0000.parquet") for source in ("S01", "F00"))
    assert dict(zip(spoof["utterance_id"], spoof["num_samples"], strict=True)) == {
        "mono": 3217, "stereo": 3217, "low": 3206,
    }  # fmt: skip
    assert list(spoof["num_samples"]) == list(bonafide["num_samples"])
    assert set(spoof["sample_rate"]) == {16_000}
    store = shards.AudioStore(folder.parent, [("c", "S01")])
    assert store.read_bytes("c", "S01", "stereo") == store.read_bytes("c", "S01", "mono")


def small_model(name: str) -> dict[str, object]:
    form = FORMS[name]
    return form.small


def weights_of(name: str, folder: Path, request: pytest.FixtureRequest) -> Path | None:
    if forms.needs_weights(FORMS[name]):
        return request.getfixturevalue("shared") / "weights" / name
    network = built(name).network
    if network is None:
        return None
    save(network, folder / "weights.safetensors")
    return folder / "weights.safetensors"


# Measuring must find what is wrong.


class Rounding(Codec):
    """Keeps every promise: samples rounded to a grid, in frames of 10."""

    sample_rate = 1000
    hop_length = 10
    num_quantizers = 10
    bits_per_code = 10.0
    context_duration: float | None = 0.05

    def encode(self, wav: Tensor) -> Tensor:
        latent = wav[:, None].expand(-1, 50, -1) * 1000
        return latent[:, 0].round().long().unflatten(1, (-1, 10)).transpose(1, 2)

    def decode(self, codes: Tensor) -> Tensor:
        return codes.transpose(1, 2).flatten(1) / 1000


class Shortening(Rounding):
    def decode(self, codes: Tensor) -> Tensor:
        return super().decode(codes)[:, :-10]


class Stretching(Rounding):
    def decode(self, codes: Tensor) -> Tensor:
        return super().decode(codes).repeat_interleave(2, dim=1)


class Leaking(Rounding):
    def encode(self, wav: Tensor) -> Tensor:
        return super().encode(wav - wav.mean())


class CountingRows(Rounding):
    def encode(self, wav: Tensor) -> Tensor:
        return super().encode(wav / len(wav))


class RefusingBatches(Rounding):
    def encode(self, wav: Tensor) -> Tensor:
        if len(wav) > 1:
            raise RuntimeError("one at a time, please")
        return super().encode(wav)


class CountingVariants(Rounding):
    def decode_all(self, codes: Tensor, quantizers: Sequence[int]) -> list[Tensor]:
        return [self.decode(codes) / len(quantizers) for _ in quantizers]


class DividingByThePeak(Rounding):
    def decode(self, codes: Tensor) -> Tensor:
        wav = super().decode(codes)
        return wav / wav.abs().amax(dim=1, keepdim=True)


class Dithering(Rounding):
    def encode(self, wav: Tensor) -> Tensor:
        return super().encode(wav + 0.01 * torch.randn_like(wav))


class Remembering(Rounding):
    last = 0.0

    def decode(self, codes: Tensor) -> Tensor:
        wav = super().decode(codes)
        before, self.last = self.last, float(wav[0, -1])
        return wav + before


class CountingFrames(Rounding):
    def encode(self, wav: Tensor) -> Tensor:
        return super().encode(wav.flip(1))


class Unbounded(Rounding):
    context_duration = None


class Hoarding(Rounding):
    def __init__(self) -> None:
        self.hoard: list[Tensor] = []

    def encode(self, wav: Tensor) -> Tensor:
        self.hoard.append(wav[:, None].expand(-1, 50, -1) + 1)
        return super().encode(wav)


class FailingOnShortInput(Rounding):
    def encode(self, wav: Tensor) -> Tensor:
        if wav.shape[1] < 50:
            raise RuntimeError("Padding size should be less than the input\nand more lines")
        return super().encode(wav)


@pytest.mark.long
def test_a_codec_that_keeps_its_promises_breaks_none() -> None:
    row = measure("rounding", Rounding(), QUICK, CPU)
    assert broken_promises(row) == []
    assert row.consistency == Consistency(EQUAL, EQUAL, EQUAL, EQUAL, EQUAL)
    assert row.surplus == (0, 9)
    assert row.long is not None and row.long.snr_db == float("inf")


@pytest.mark.parametrize(
    ("culprit", "verdict"),
    [
        (Shortening, "whole: 10 samples are missing at the end"),
        (Stretching, "whole: it decodes 200 samples more than it encoded"),
        (Leaking, "rows apart: other recordings in its batch change a recording's result"),
        (CountingRows, "alone as in a batch: a recording gives a different result in a batch than alone"),
        (CountingVariants, "variants: decoded together with fewer, all codebooks differ"),
        (DividingByThePeak, "finite, and as long as the input: 20 samples of silence: .* not finite"),
        (Dithering, "repeatable: the same recording again gives a different result"),
        (Remembering, "repeatable: the same recording again gives a different result"),
        (CountingFrames, "windows: "),
        (Unbounded, "bounded memory: 2.. bytes more per sample"),
        (Hoarding, "bounded memory: windows of a long recording save"),
        (FailingOnShortInput, "finite, and as long as the input: 1 samples of speech_like: .*Padding size .* input$"),
    ],
)
def test_a_codec_that_breaks_a_promise_is_named_with_it(culprit: type[Codec], verdict: str) -> None:
    lines = broken_promises(measure("culprit", culprit(), QUICK, CPU))
    assert re.search(f"^culprit: {verdict}", "\n".join(lines), re.MULTILINE), lines


@pytest.mark.parametrize(
    ("part", "verdict"),
    [
        ({"levels": Levels(0.02, 0.0)}, r"level: input at -20 dB comes back \+0.02 dB off"),
        ({"levels": Levels(0.0, 2e-5)}, "silence: silence comes back with a peak of 2e-05"),
        ({"long": Long(6.0, 4.0, 50.0, 81, 100), "bytes_per_second": 20}, "bounded memory: windows .* save 19 of"),
        ({"long": Long(6.0, 4.0, 5.9, 60, 100), "bytes_per_second": 20}, "windows: .* than the whole .SNR 6 dB"),
        ({"trials": (Trial("square", 7, "7 samples came back as 6"),)}, "finite.*: 7 samples of square: 7 .* as 6"),
    ],
)
def test_measurements_beyond_a_limit_are_named_with_their_promise(part: dict[str, Any], verdict: str) -> None:
    within = Measurements("c", 16_000, 320, Gain.UNIT_RMS, False, (), 320, (0, 0), levels=Levels(0.009, 1e-5))
    assert broken_promises(within) == []
    (line,) = broken_promises(replace(within, **part))
    assert re.match(f"c: {verdict}", line)


@pytest.mark.parametrize(
    ("difference", "breaks"),
    [
        (Difference(0.0, 60.0), False),
        (Difference(0.0, 59.0), True),
        (Difference(0.01, 10.0), False),
        (Difference(0.011, 100.0), True),
    ],
)
def test_few_codes_may_hang_on_the_last_bits_of_floats(difference: Difference, breaks: bool) -> None:
    consistency = Consistency(EQUAL, EQUAL, EQUAL, difference, EQUAL)
    row = Measurements("c", None, 1, Gain.NONE, False, (), 1, (0, 0), consistency=consistency)
    assert [line.startswith("c: any number of threads") for line in broken_promises(row)] == [True] * breaks


def test_the_lengths_tried_are_the_shortest_and_those_around_frames() -> None:
    numbers = lengths(Rounding(), 1000)
    assert numbers == [1, 2, 9, 10, 11, 19, 20, 21, 83, 100, 101]
    assert lengths(built("passthrough"), 16_000)[0] == 1


def test_snr_is_the_ratio_of_powers() -> None:
    wav = torch.tensor([3.0, 4.0])
    assert snr_db(wav * 1.1, wav) == pytest.approx(20.0, abs=1e-5)
    assert snr_db(wav, wav) == float("inf")
    assert snr_db(wav, torch.zeros(2)) == float("-inf")


def test_memory_is_that_of_the_tensors_alive_at_one_time() -> None:
    def chain() -> Tensor:
        x = torch.zeros(1000)  # 4000 bytes
        for _ in range(5):
            x = x + 1
        return x

    def heap() -> list[Tensor]:
        return [torch.zeros(1000) + 1 for _ in range(5)]

    assert peak_bytes(chain, CPU)[1] == 8000
    assert 5 * 4000 <= peak_bytes(heap, CPU)[1] <= 6 * 4000


@pytest.mark.slow
def test_a_codec_that_cuts_what_is_long_itself_takes_no_more_for_the_rest_than_codes_and_waveforms() -> None:
    codec = built("dac_16k_chunked")
    short, long = (
        peak_bytes(partial(through, codec, speech_like(16_000, 1, n * 16_000, 0)), CPU)[1] for n in (70, 140)
    )
    assert (long - short) / (70 * 16_000) < MOST_BYTES_PER_SAMPLE


def test_a_decoder_in_bfloat16_is_measured_against_float32() -> None:
    assert reduced_snr_db(Rounding(), speech(Rounding(), 20)) == float("inf")
    assert 5 < reduced_snr_db(built("hificodec_16k"), speech(built("hificodec_16k"), 20)) < 60


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if not forms.needs_weights(form)])
def test_every_promise_is_kept_on_cuda(name: str) -> None:
    device = prepare("cuda", 1)
    form = FORMS[name]
    row = measure(name, forms.fresh(form, True, device, 0), Settings(piece_duration=form.piece_duration), device)
    assert broken_promises(row) == []
    assert row.reduced_snr_db is not None


# The page and the command.

HOW = Method("python -m codec_wrappers contract", "2026-01-02", "CPU", "torch 1.2.3", "small networks")


def test_the_page_has_a_row_a_codec_and_says_what_is_broken() -> None:
    measured = [measure(codec.__name__, codec(), QUICK, CPU) for codec in (Rounding, Leaking)]
    text = page(measured, HOW)
    assert re.search(r"^\| Rounding \| 1000 \| 10 \| 18 of 18 \| 0 \| equal \|", text, re.MULTILINE)
    assert "- Leaking: rows apart: " in text and "- Rounding" not in text
    assert "2026-01-02" in text and "torch 1.2.3" in text
    assert "Not measured: passthrough, soundstream" in text


def test_every_published_form_has_a_row_of_its_habits() -> None:
    measured = measure("rounding", Rounding(), QUICK, CPU)
    text = page([replace(measured, codec=name) for name in FORMS], HOW)
    for name, form in FORMS.items():
        assert f"| {name} | {form.habit} | {form.answer} |" in text
    assert "No promise is broken." in text


def test_the_command_writes_the_page_of_the_named_codecs(tmp_path: Path) -> None:
    __main__.main(["contract", "passthrough", "--output", str(tmp_path / "contract.md")])
    text = (tmp_path / "contract.md").read_text()
    assert "| passthrough | – | 1 | 13 of 13 | 0 | equal |" in text
    assert "| encodec |" not in text


def test_the_command_fails_naming_codec_and_promise_and_writes_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract, "fresh", lambda *_: Leaking())
    with pytest.raises(SystemExit, match="promises are broken:\nencodec: rows apart: other recordings"):
        __main__.main(["contract", "encodec", "--output", str(tmp_path / "contract.md")])
    assert "- encodec: rows apart" in (tmp_path / "contract.md").read_text()


def test_a_codec_that_fails_in_a_batch_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "fresh", lambda *_: RefusingBatches())
    with pytest.raises(SystemExit, match="encodec fails .*: one at a time, please"):
        __main__.main(["contract", "encodec"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mp3"], "unknown form 'mp3'; choose from passthrough, soundstream"),
        (["--weights", "mp3=x"], "unknown form 'mp3'"),
        (["--weights", "weights/lyra"], "weights 'weights/lyra' do not name their codec; give CODEC=PATH"),
        (["lyra"], "lyra: found no weights"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(arguments: list[str], message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        __main__.main(["contract", *arguments])


def test_all_codecs_are_those_that_need_no_weights_and_those_whose_weights_are_given() -> None:
    assert contract.choose([], {}) == [name for name in FORMS if name != "lyra"]
    assert contract.choose([], {"lyra": Path("folder")}) == list(FORMS)
    assert contract.choose(["dac_16k"], {"lyra": Path("folder")}) == ["dac_16k"]
