"""The audit: a clean build passes, and each planted defect is found and named with what to do about it."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from imitation_run import ImitationRun

from codecfake.__main__ import main
from codecfake.audio import waveforms
from codecfake.audio.shards import Flac, Provenance, ShardWriter, encode
from codecfake.audit import lists, measurement
from codecfake.audit.features import FEATURES, NAMES
from codecfake.audit.overlap import FAULT, REPORTED, between_lists
from codecfake.audit.probes import BELOW, EXEMPT, UNPROBED, Arms, _verdict
from codecfake.audit.settings import AuditedCondition, AuditedDomain, AuditSettings, Limits
from codecfake.audit.step import Fault, audit, require_no_faults
from codecfake.base import files
from codecfake.base.settings import SettingsError
from codecfake.base.utterances import COLUMNS
from codecfake.report.audit import audit_section
from codecfake.report.page import write_report

RATE = 16_000
SPEAKERS, EACH = 6, 8  # train has four speakers, dev and eval one each
SPLIT_OF = ("train", "train", "train", "train", "dev", "eval")

Change = Callable[[np.ndarray], np.ndarray]


def speech(number: int) -> np.ndarray:
    """Noise under an envelope, 0.5 s to 0.8 s, of an arbitrary length and level."""
    rng = np.random.default_rng(number)
    wav = rng.standard_normal(int(rng.integers(8_001, 12_800)))
    wav = np.convolve(wav, np.ones(4) / 4, "same") * (0.05 + np.hanning(len(wav)))
    return rng.uniform(0.05, 0.2) * wav.clip(-4, 4)


def codec(wav: np.ndarray) -> np.ndarray:
    """A codec that does its work and nothing else: it adds a little noise under the speech."""
    return wav + 0.02 * np.abs(wav) * np.random.default_rng(len(wav)).standard_normal(len(wav))


def at_full_scale(wav: np.ndarray) -> np.ndarray:
    return 0.95 * wav / np.abs(wav).max()


def padded(wav: np.ndarray) -> np.ndarray:
    return np.pad(wav, (0, -len(wav) % 320))


def eight_bits(wav: np.ndarray) -> np.ndarray:
    return np.trunc(wav * 128) / 128


def eight_bits_then_gain(wav: np.ndarray) -> np.ndarray:
    return eight_bits(wav * 2) * 0.4871


def offset(wav: np.ndarray) -> np.ndarray:
    return wav + 0.01


def ends_repeated(wav: np.ndarray) -> np.ndarray:
    return np.concatenate([wav[:-400], wav[1000:1400]])


def clipped(wav: np.ndarray) -> np.ndarray:
    return (wav * 40).clip(-1, 1)


def trimmed(wav: np.ndarray) -> np.ndarray:
    """Silence in place of the first 0.1 s: as long, but speech begins elsewhere."""
    return np.concatenate([np.zeros(3200), wav[3200:]])


class Build:
    """A small build in the places of a run's results; `plant` writes its fakes."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self.utterances = pd.DataFrame(
            [self._utterance(number) for number in range(SPEAKERS * EACH)], columns=list(COLUMNS)
        )
        self.write_corpus("tones", self.utterances)
        self.write_audio("F00", lambda wav: wav)
        self.write_protocols()

    def _utterance(self, number: int) -> dict[str, Any]:
        return {
            "utterance_id": f"u{number:03d}", "corpus": "tones", "speaker_id": f"s{number // EACH}", "language": "en",
            "text": f"Sentence {number}!", "path": f"{number}.wav", "key": "bonafide", "attack": "-",
            "sample_rate": RATE, "channels": 1, "num_samples": len(speech(number)), "sha256": f"{number:064d}",
        }  # fmt: skip

    def write_corpus(self, name: str, table: pd.DataFrame) -> None:
        files.write_parquet(self.results / "corpora" / name / "utterances.parquet", table.assign(corpus=name))

    def write_audio(self, source: str, change: Change, rate: int = RATE, encoder: Callable[..., Flac] = encode) -> None:
        provenance = Provenance("imitation", 1, 1.0, "", "test")
        with ShardWriter(self.results / "audio/tones" / source / "0000.tar", f"{source}_", provenance) as shard:
            for number, utterance_id in enumerate(self.utterances["utterance_id"]):
                wav = waveforms.resample(change(speech(number)), RATE, rate)
                shard.append(utterance_id, encoder(wav, rate))

    def write_protocols(self, split_of: tuple[str, ...] = SPLIT_OF, sources: tuple[str, ...] = ("F01",)) -> None:
        split = self.utterances["speaker_id"].map(lambda speaker: split_of[int(speaker[1:])])
        for name, part in (("codec/train", "train"), ("codec/dev", "dev"), ("eval/C1", "eval")):
            self.write_protocol(name, self.utterances[split == part], sources)

    def write_protocol(self, name: str, rows: pd.DataFrame, sources: tuple[str, ...] = ("F01",)) -> None:
        keys = {"F00": "bonafide"} | dict.fromkeys(sources, "spoof")
        trials = [
            rows.assign(
                source=source, key=key, trial_id=(f"{source}_" if key == "spoof" else "") + rows["utterance_id"]
            )
            for source, key in keys.items()
        ]
        columns = ["speaker_id", "trial_id", "utterance_id", "source", "key", "corpus", "language", "attack"]
        files.write_tsv(self.results / "protocols" / f"{name}.tsv", pd.concat(trials)[columns])

    def audit(self, settings: AuditSettings | None = None) -> list[Fault]:
        return audit(settings or SETTINGS, self.results, self.results / "audit")

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.results / "audit" / f"{name}.csv", keep_default_na=False)


SETTINGS = AuditSettings(
    domains={"codec": AuditedDomain("speaker")},
    conditions={"C1": AuditedCondition(["codec"])},
    training_sets={"codec": ["codec"]},
    corpora=["tones"],
)
QUICK = replace(SETTINGS, limits=Limits(utterances=2))  # too few to probe
AS_JSON = json.dumps(
    {
        "domains": {"codec": {"split_by": "speaker"}}, "conditions": {"C1": {"domains": ["codec"]}},
        "training_sets": {"codec": ["codec"]}, "corpora": ["tones"],
    }
)  # fmt: skip


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path)


def named_features(faults: list[Fault]) -> set[str]:
    """The features that faults of shortcuts name."""
    words = "is separated from recordings by "
    return {fault.message.split(words)[1].split(" ")[0] for fault in faults if words in fault.message}


# shortcuts


def test_a_clean_build_has_no_faults_and_the_same_inputs_give_the_same_bytes(build: Build) -> None:
    build.write_audio("F01", codec)
    assert build.audit() == []
    assert set(build.table("twins")["verdict"]) == {"ok"}
    first = {path.name: path.read_bytes() for path in (build.results / "audit").iterdir()}
    build.audit()
    assert {path.name: path.read_bytes() for path in (build.results / "audit").iterdir()} == first
    tables = [f"{n}.csv" for n in ("overlap", "duplicates", "twins", "counts", "shortcuts")]
    assert set(first) == {f"{name}{seal}" for name in ("audit.json", *tables) for seal in ("", ".sha256")}


@pytest.mark.long
def test_a_control_is_at_chance_by_every_feature(build: Build) -> None:
    build.write_audio("F01", lambda wav: wav)
    assert build.audit(replace(SETTINGS, controls=["F01"])) == []
    assert set(build.table("shortcuts")["auc"]) == {0.5}
    assert set(build.table("shortcuts")["differ"]) == {"0", ""}


@pytest.mark.parametrize(
    ("defect", "features"),
    [
        (padded, {"duration", "length_grid"}),
        *(
            pytest.param(*case, marks=pytest.mark.long)
            for case in (
                (at_full_scale, {"peak", "shared_peak"}),
                (eight_bits, {"effective_bits", "odd_share"}),
                (eight_bits_then_gain, {"used_levels"}),
                (offset, {"dc"}),
                (ends_repeated, {"tail_repeat"}),
                (clipped, {"clipped"}),
                (trimmed, {"lead_silence", "head_run"}),
            )
        ),
    ],
)
def test_a_planted_defect_is_found_and_named(build: Build, defect: Change, features: set[str]) -> None:
    build.write_audio("F01", lambda wav: defect(codec(wav)))
    faults = build.audit()
    assert features <= named_features(faults)
    assert all(fault.where in ("F01", "codec/train", "codec/dev", "eval/C1") for fault in faults)


@pytest.mark.parametrize("level", [0.0, 1e-5, 0.25])
def test_silent_fakes_are_counted_and_named_unless_they_are_accepted(build: Build, level: float) -> None:
    lengths = {len(speech(number)) for number in (3, 5)}
    build.write_audio("F01", lambda wav: np.full(len(wav), level) if len(wav) in lengths else codec(wav))
    faults = [fault for fault in build.audit(QUICK) if fault.check == "silence"]
    assert [fault.where for fault in faults] == ["tones/F01"]
    assert "2 of 48 utterances are digital silence, first u003; check the codec's weights" in faults[0].message
    accepted = replace(QUICK, limits=Limits(utterances=2, accepted={"silence": "a test"}))
    assert not [fault for fault in build.audit(accepted) if fault.check == "silence"]


def test_silent_recordings_are_found(build: Build) -> None:
    build.write_audio("F01", codec)
    build.write_audio("F00", lambda wav: 1e-5 * wav)
    (fault,) = [fault for fault in build.audit(QUICK) if fault.check == "silence"]
    assert "tones/F00: 48 of 48 utterances are digital silence, first u000; take them out" in fault.message


@pytest.mark.long
def test_fakes_at_another_rate_are_told_by_it(build: Build) -> None:
    build.write_audio("F01", codec, rate=24_000)
    faults = build.audit()
    assert named_features(faults) == {"sample_rate", "several"}  # as long in seconds: within one sample
    message = next(fault.message for fault in faults if "sample_rate" in fault.message)
    assert message.startswith("F01 is separated from recordings by sample_rate")
    assert "AUC 1.000" in message
    assert message.endswith("set `audio: {sample_rate: 16000}`")


@pytest.mark.long
def test_fakes_by_another_encoder_are_told_by_their_headers(build: Build) -> None:
    def tagged(wav: np.ndarray, rate: int) -> Flac:
        buffer = io.BytesIO()
        with soundfile.SoundFile(buffer, "w", rate, 1, "PCM_16", format="FLAC") as file:
            file.title = "made by a codec"
            file.write(waveforms.to_int16(wav)[0])
        data = buffer.getvalue()
        return replace(encode(wav, rate), data=data, sha256=files.hashlib.sha256(data).hexdigest())

    build.write_audio("F01", codec, encoder=tagged)
    assert "header_bytes" in named_features(build.audit())


@pytest.mark.long
def test_one_fake_of_another_length_is_enough(build: Build) -> None:
    longer = len(speech(3))
    build.write_audio("F01", lambda wav: np.pad(codec(wav), (0, 160 if len(wav) == longer else 0)))
    faults = build.audit()
    assert named_features(faults) == {"duration"}
    assert [fault.check for fault in faults] == ["twins", "shortcuts"]
    assert "the first other one is F01_u003; cut fakes to their recordings' length" in faults[0].message


@pytest.mark.long
def test_an_exempt_feature_is_reported_and_its_reason_kept(build: Build) -> None:
    build.write_audio("F01", lambda wav: offset(codec(wav)))
    limits = Limits(exempt={"dc": "this codec has an offset"})
    assert build.audit(replace(SETTINGS, limits=limits)) == []
    row = build.table("shortcuts").set_index("feature").loc["dc"]
    assert (row["verdict"], row["why"]) == (EXEMPT, "this codec has an offset")
    assert float(row["auc"]) > 0.99


@pytest.mark.parametrize(
    ("key", "exempt"),
    [
        ("dc", {"F01", "F01+noise_10", "F01+noise_20", "F02"}),
        ("F01/dc", {"F01", "F01+noise_10", "F01+noise_20"}),
        ("F01+noise_10/dc", {"F01+noise_10"}),
    ],
)
def test_an_exemption_holds_for_all_sources_or_one_or_one_step_of_it(key: str, exempt: set[str]) -> None:
    limits = Limits(exempt={key: "why"})
    sources = ("F01", "F01+noise_10", "F01+noise_20", "F02")
    assert {source for source in sources if limits.reasons(source).get("dc") == "why"} == exempt


@pytest.mark.long
def test_a_feature_may_be_exempt_for_one_source_alone(build: Build) -> None:
    build.write_audio("F01", lambda wav: offset(codec(wav)))
    build.write_audio("F02", lambda wav: offset(codec(1.001 * wav)))
    build.write_protocols(sources=("F01", "F02"))
    faults = build.audit(replace(SETTINGS, limits=Limits(exempt={"F01/dc": "this codec has an offset"})))
    assert [(fault.where, "dc" in fault.message) for fault in faults] == [("F02", True)]


@pytest.mark.long
def test_a_probe_never_judges_a_speaker_that_it_knows(build: Build) -> None:
    # every speaker's recordings have one offset and the fakes another, but which is larger changes with the speaker
    signs = np.repeat([1, -1, 1, -1, 1, -1], EACH) * 0.004
    lengths = {len(speech(number)): sign for number, sign in enumerate(signs)}
    build.write_audio("F00", lambda wav: wav - lengths[len(wav)])
    build.write_audio("F01", lambda wav: wav + lengths[len(wav)])
    build.audit()
    row = build.table("shortcuts").set_index("feature").loc["dc"]
    assert float(row["auc"]) < 0.7
    assert (float(row["differ"]), float(row["sign"])) == (1, 0)


def test_too_few_files_are_not_probed_and_said_so(build: Build) -> None:
    build.write_audio("F01", offset)
    build.audit(replace(SETTINGS, limits=Limits(utterances=19)))
    row = build.table("shortcuts").iloc[0]
    assert (row["verdict"], row["num_bonafide"]) == (UNPROBED, 19)
    assert row["why"].startswith("19 recordings, 19 fakes")


@pytest.mark.long
def test_spoofs_that_came_as_recordings_are_told_and_not_judged(build: Build) -> None:
    build.write_audio("F01", codec)
    half = build.utterances.assign(key=["bonafide", "spoof"] * (SPEAKERS * EACH // 2))
    signs = {len(speech(number)): number % 2 for number in range(len(half))}
    build.write_audio("F00", lambda wav: wav + 0.01 * signs[len(wav)])
    trials = half.assign(source="F00", trial_id=half["utterance_id"])
    files.write_tsv(build.results / "protocols/eval/LA.tsv", trials)
    build.audit(replace(SETTINGS, conditions={**SETTINGS.conditions, "LA": AuditedCondition([])}))
    rows = build.table("shortcuts").set_index(["source", "feature"])
    row = rows.loc["eval/LA", "dc"]
    assert float(row["auc"]) > 0.99
    assert row["verdict"] == REPORTED


# features


def test_the_measures_of_a_wave_are_those_computed_by_hand() -> None:
    samples = np.concatenate([np.zeros(1600), np.full(1600, 4000), np.full(800, -4000)]).astype(np.int16)
    samples[1600:] += np.tile(np.array([512, -512], np.int16), 1200)
    values = dict(zip(NAMES, measurement.measure(waveforms.encode_flac(samples, RATE)), strict=True))
    assert (values["sample_rate"], values["bits"], values["duration"]) == (RATE, 16, 0.25)
    assert values["length_grid"] == 5 + 3 * np.log2(5)  # 4000 = 2⁵ · 5³
    assert (values["head_run"], values["tail_run"]) == (1600, 1)
    assert (values["lead_silence"], values["trail_silence"]) == (0.1, 0)
    assert values["peak"] == pytest.approx(20 * np.log10(4512 / 32768))
    assert values["dc"] == 800
    assert (values["odd_share"], values["effective_bits"]) == (0, 11)  # 4512 and 3488 are multiples of 2⁵


def test_the_header_is_what_libflac_wrote() -> None:
    header = measurement.read_header(waveforms.encode_flac(np.arange(9000, dtype=np.int16), RATE))
    assert header.bits == 16
    assert header.block_size == 4096
    assert header.encoder.startswith(b"reference libFLAC") or b"libFLAC" in header.encoder
    with pytest.raises(ValueError, match=r"not a FLAC file: it begins with b'RIFF'"):
        measurement.read_header(b"RIFF....")


@pytest.mark.parametrize("num_samples", [1, 31, 32, 33, 159, 160, 1023, 1025])
def test_every_length_and_silence_give_finite_features(num_samples: int, rng: np.random.Generator) -> None:
    for wav in (np.zeros(num_samples), 0.1 * rng.standard_normal(num_samples)):
        values = measurement.measure(encode(wav, RATE).data)
        assert values.shape == (len(FEATURES),)
        assert np.isfinite(values).all()


def test_a_repeat_is_as_long_as_the_copy_and_short_ones_are_chance(rng: np.random.Generator) -> None:
    noise = rng.integers(-9000, 9000, 4000).astype(np.int16)
    assert measurement.tail_repeat(noise) == 0
    assert measurement.tail_repeat(np.concatenate([noise, noise[100:131]])) == 0
    assert measurement.tail_repeat(np.concatenate([noise, noise[100:132]])) == 32
    assert measurement.tail_repeat(np.concatenate([noise, noise[100:600]])) == 500
    assert measurement.tail_repeat(np.tile(noise, 2)) == 4000
    assert measurement.tail_repeat(np.zeros(4000, np.int16)) == 0


def test_one_level_for_a_tenth_of_the_files_is_a_crowd() -> None:
    levels = np.arange(100, dtype=float)
    levels[:11] = 50.0
    shares = measurement.share_at_same_level(levels, 0.02)
    assert set(shares[:11]) == {11 / 99}  # the ten others, and number 50 itself
    assert np.count_nonzero(shares) == 12
    assert not measurement.share_at_same_level(np.arange(100, dtype=float), 0.02).any()


# overlap


def overlaps(build: Build, settings: AuditSettings) -> pd.DataFrame:
    build.audit(settings)
    return build.table("overlap").set_index(["first", "second", "what"])


def test_speakers_in_two_lists_are_a_fault_of_a_split_by_speaker_alone(build: Build) -> None:
    build.write_audio("F01", codec)
    rows = build.utterances
    build.write_protocol("codec/train", rows[rows.index % EACH < 6])
    build.write_protocol("codec/dev", rows[rows.index % EACH == 6])
    build.write_protocol("eval/C1", rows[rows.index % EACH == 7])
    faults = build.audit(QUICK)
    assert [fault.check for fault in faults] == ["speakers"] * 3
    assert "codec/train and eval/C1 share 6 speakers, first tones/s0, but the split keeps" in faults[1].message
    by_utterance = overlaps(build, replace(QUICK, domains={"codec": AuditedDomain("utterance")}))
    assert not (by_utterance["verdict"] == FAULT).any()
    row = by_utterance.loc["codec/train", "eval/C1", "speakers"]
    assert (row["common"], row["verdict"], row["why"]) == (6, REPORTED, "codec is split by utterance")


@pytest.fixture
def with_fakes(build: Build) -> Build:
    """The build, and a corpus `fakes` of other audio with speaker ids of people in train, evaluated as C2."""
    build.write_audio("F01", codec)
    rows = build.utterances[build.utterances["speaker_id"].isin(["s0", "s5"])]
    build.write_corpus("fakes", rows.assign(key="spoof", sha256=rows["utterance_id"], text=None))
    provenance = Provenance("none", 0, 0.0, "", "test")
    with ShardWriter(build.results / "audio/fakes/F00/0000.tar", "", provenance) as shard:
        for number, utterance_id in enumerate(rows["utterance_id"]):
            shard.append(utterance_id, encode(speech(1000 + number), RATE))
    trials = rows.assign(corpus="fakes", source="F00", key="spoof", trial_id="fake_" + rows["utterance_id"])
    bonafide = files.read_tsv(build.results / "protocols/eval/C1.tsv").query("key == 'bonafide'")
    files.write_tsv(build.results / "protocols/eval/C2.tsv", pd.concat([bonafide, trials[bonafide.columns]]))
    return build


EVALUATED_FAKES = replace(
    QUICK, corpora=["tones", "fakes"], conditions={**QUICK.conditions, "C2": AuditedCondition(["codec"])}
)


@pytest.mark.parametrize("domains", [["codec"], []])
def test_a_person_in_train_whose_fakes_of_another_corpus_are_evaluated_is_a_fault(
    with_fakes: Build, domains: list[str]
) -> None:
    conditions = {**QUICK.conditions, "C2": AuditedCondition(domains)}
    faults = with_fakes.audit(replace(EVALUATED_FAKES, conditions=conditions))
    assert [(fault.check, fault.where) for fault in faults] == [("speakers", "codec/train and eval/C2")]
    assert "share 1 speakers, first tones/s0" in faults[0].message
    assert faults[0].message.endswith("set `speakers_of: own` for one of the corpora")


def test_people_of_two_corpora_are_reported_with_the_setting_that_separates_them(
    with_fakes: Build, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "codecfake"):
        row = overlaps(with_fakes, EVALUATED_FAKES).loc["corpus: tones", "corpus: fakes", "speakers"]
    assert (row["common"], row["example"], row["verdict"]) == (2, "tones/s0", REPORTED)
    assert row["why"].endswith("if they are different people, set `speakers_of: own` for corpus fakes")
    assert "corpus: tones and corpus: fakes share 2 speakers, first tones/s0" in caplog.text


@pytest.mark.long
@pytest.mark.parametrize("where", ["corpus", "condition"])
def test_people_of_their_own_are_in_no_other_list(with_fakes: Build, where: str) -> None:
    speakers_of = {"fakes": "own"}
    settings = replace(EVALUATED_FAKES, speakers_of=speakers_of)
    if where == "condition":
        conditions = {**QUICK.conditions, "C2": AuditedCondition(["codec"], speakers_of=speakers_of)}
        settings = replace(EVALUATED_FAKES, conditions=conditions)
    assert with_fakes.audit(settings) == []
    row = overlaps(with_fakes, settings).loc["codec/train", "eval/C2", "speakers"]
    assert (row["num_second"], row["common"]) == (3, 0)  # s5 of tones, and s0 and s5 of fakes


def test_an_utterance_in_train_and_eval_is_a_fault_of_any_split(build: Build) -> None:
    build.write_audio("F01", codec)
    build.write_protocol("eval/C1", build.utterances.iloc[[0, -1]])
    faults = build.audit(replace(QUICK, domains={"codec": AuditedDomain("utterance")}))
    assert {fault.check for fault in faults} == {"utterances", "audio"}
    assert "share 1 utterances, first tones/u000" in faults[0].message


def test_the_same_bytes_under_two_ids_leak(build: Build) -> None:
    build.write_audio("F00", lambda wav: speech(0) if len(wav) == len(speech(47)) else wav)
    build.write_audio("F01", lambda wav: codec(speech(0) if len(wav) == len(speech(47)) else wav))
    faults = [fault for fault in build.audit(QUICK) if fault.check == "audio"]
    assert [fault.where for fault in faults] == ["codec/train and eval/C1"]
    assert "the same bytes exist under two names" in faults[0].message
    row = build.table("duplicates").set_index("first").loc["tones/F00"]
    assert (row["same"], row["example"], row["verdict"]) == (2, "u000 = u047", REPORTED)


def test_a_condition_that_judges_all_utterances_is_no_leak(build: Build) -> None:
    build.write_audio("F01", codec)
    build.write_audio("F07", lambda wav: codec(0.99 * wav))
    utterances = build.utterances[build.utterances["speaker_id"] == "s5"]
    build.write_protocol("eval/C1", utterances, ())
    bonafide = files.read_tsv(build.results / "protocols/eval/C1.tsv")
    build.write_protocol("eval/C1", build.utterances, ("F07",))
    fakes = files.read_tsv(build.results / "protocols/eval/C1.tsv").query("key == 'spoof'")
    files.write_tsv(build.results / "protocols/eval/C1.tsv", pd.concat([bonafide, fakes]))
    all_of_it = replace(QUICK, conditions={"C1": AuditedCondition(["codec"], ["spoof"])})
    table = overlaps(build, all_of_it)
    assert not (table["verdict"] == FAULT).any()
    row = table.loc["codec/train", "eval/C1 spoof", "utterances"]
    assert (row["common"], row["verdict"]) == (32, REPORTED)
    twins = build.table("twins").set_index("list").loc["eval/C1 spoof"]
    assert (twins["fakes"], twins["recorded"], twins["in_list"]) == (48, 48, 8)
    assert {fault.check for fault in build.audit(QUICK)} == {"speakers", "utterances"}


def test_sentences_are_compared_without_case_and_punctuation() -> None:
    assert lists.normalized("Please CALL, Stella.") == lists.normalized("please call stella")
    assert lists.normalized("广州女大学生。") == "广州女大学生"
    assert lists.normalized("…") is None
    assert lists.normalized(None) is None


def test_sentences_in_two_lists_are_counted_and_are_no_fault(build: Build) -> None:
    build.write_audio("F01", codec)
    build.write_corpus("tones", build.utterances.assign(text=[f"Prompt {n % 4}." for n in range(SPEAKERS * EACH)]))
    row = overlaps(build, QUICK).loc["codec/train", "eval/C1", "sentences"]
    assert (row["num_first"], row["common"], row["verdict"]) == (4, 4, REPORTED)
    build.write_corpus("tones", build.utterances.assign(text=None))
    assert overlaps(build, QUICK).loc["codec/train", "eval/C1", "sentences"]["verdict"] == "unknown"


def test_two_domains_over_one_corpus_must_be_split_alike(build: Build) -> None:
    build.write_audio("F01", codec)
    for split in ("train", "dev"):
        trials = files.read_tsv(build.results / f"protocols/codec/{'dev' if split == 'train' else 'train'}.tsv")
        files.write_tsv(build.results / f"protocols/other/{split}.tsv", trials)
    both = {"codec": AuditedDomain("speaker"), "other": AuditedDomain("speaker")}
    apart = replace(QUICK, domains=both)
    assert build.audit(apart) == []  # no model meets both
    faults = build.audit(replace(apart, training_sets={"co": ["codec", "other"]}))
    assert {fault.where for fault in faults} == {"codec/train and other/dev", "other/train and codec/dev"}
    assert {fault.check for fault in faults} == {"speakers", "utterances", "audio"}


def test_a_codec_trained_on_what_it_is_judged_by_is_a_fault_unless_accepted(build: Build) -> None:
    build.write_audio("F01", codec)
    settings = replace(QUICK, codec_training=["tones"])
    faults = build.audit(settings)
    assert [fault.check for fault in faults] == ["codec_training"]
    assert faults[0].message.endswith("train codecs on another corpus (`codec_training.corpora`)")
    accepting = replace(settings, limits=Limits(utterances=2, accepted={"codec_training": "as published"}))
    row = overlaps(build, accepting).loc["codec training: tones", "corpus: tones", "recordings"]
    assert (row["common"], row["verdict"], row["why"]) == (48, "accepted", "as published")


def test_lists_that_share_nothing_have_nothing_to_say(build: Build) -> None:
    tables = lists.read_tables(SETTINGS, build.results)
    named_lists = [
        lists.TrialList(item.name, item.domains, item.judges_all, item.trials.assign(audio=item.trials["trial_id"]))
        for item in lists.read_lists(SETTINGS, build.results, tables)
    ]
    rows = list(between_lists(SETTINGS, named_lists))
    assert {(row.first, row.second) for row in rows} == {
        ("codec/train", "codec/dev"), ("codec/train", "eval/C1"), ("codec/dev", "eval/C1"),
    }  # fmt: skip
    assert {row.verdict for row in rows} == {"none"}


# duplicates


def test_two_sources_of_the_same_bytes_are_a_fault_unless_declared(build: Build) -> None:
    for source in ("C3", "C3-3"):
        build.write_audio(source, codec)
    build.write_protocols(sources=("C3", "C3-3"))
    faults = build.audit(QUICK)
    assert [fault.check for fault in faults] == ["duplicates"]
    assert faults[0].where == "tones/C3 and tones/C3-3"
    assert "48 of 48 utterances, two sources have the same audio" in faults[0].message
    assert "write `same_as` in the experiment" in faults[0].message


def test_a_declared_alias_is_named_as_expected(build: Build) -> None:
    build.write_audio("F01", codec)
    assert build.audit(replace(QUICK, aliases={"C3-3": "F01"})) == []
    row = build.table("duplicates").iloc[0]
    assert (row["first"], row["second"], row["verdict"]) == ("C3-3", "F01", "expected")


def test_a_source_that_gives_recordings_back_is_a_fault_unless_it_is_a_control(build: Build) -> None:
    build.write_audio("F01", lambda wav: wav)
    assert [fault.where for fault in build.audit(QUICK)] == ["tones/F00 and tones/F01"]
    assert build.audit(replace(QUICK, controls=["F01"])) == []


# counts, settings and the command


def test_counts_say_how_much_of_what_each_list_holds(build: Build) -> None:
    build.write_audio("F01", codec)
    build.audit(QUICK)
    row = build.table("counts").set_index(["list", "source"]).loc["codec/train", "F01"]
    assert (row["key"], row["trials"], row["speakers"], row["fewest_of_a_speaker"]) == ("spoof", 32, 4, 8)
    assert row["hours"] == pytest.approx(sum(len(speech(n)) for n in range(32)) / RATE / 3600, abs=1e-4)


def test_a_trial_without_audio_names_it(build: Build) -> None:
    build.write_audio("F01", codec)
    build.write_protocol("eval/C1", build.utterances.iloc[-1:].assign(utterance_id="u999"))
    with pytest.raises(ValueError, match=r"eval/C1: trial u999 has no audio in tones/F00; make its shards again"):
        build.audit(QUICK)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"exempt": {"loudness": "x"}}, r"audit.exempt: unknown feature 'loudness'; choose from sample_rate, bits"),
        ({"exempt": {"rms": " "}}, r"audit.exempt.rms: give a reason"),
        ({"accepted": {"rms": "x"}}, r"audit.accepted: unknown check 'rms'; choose from speakers, utterances"),
        ({"max_shortcut_auc": 0.4}, r"max_shortcut_auc: 0.4 is out of range; 0.5 .chance. to 1"),
        ({"utterances": 1}, r"audit.utterances: 1 is too few; give at least 2"),
    ],
)
def test_limits_that_make_no_sense_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Limits(**values)


@pytest.mark.long
def test_the_command_fails_after_it_has_written_what_it_found(build: Build) -> None:
    build.write_audio("F01", offset)
    output = build.results / "audit"
    arguments = ["step", "audit", "--settings", AS_JSON, "--results", str(build.results), "--output", str(output)]
    with pytest.raises(
        SystemExit, match=r"AuditError: \d faults .*\n.*F01 is separated from recordings by dc"
    ) as error:
        main(arguments)
    assert "accept them in the experiment" in str(error.value)
    assert (output / "shortcuts.csv").exists()
    verdict = ["step", "audit-verdict", "--audit", str(output / "audit.json"), "--output", str(output / "passed.txt")]
    main([*arguments, "--leave-verdict"])
    with pytest.raises(SystemExit, match="dc"):
        main(verdict)
    assert not (output / "passed.txt").exists()
    build.write_audio("F01", codec)
    main(arguments)
    main(verdict)
    assert (output / "passed.txt").read_text(encoding="utf-8") == "no faults\n"
    require_no_faults(output / "audit.json")


# the report


def test_the_section_holds_faults_reasons_and_every_probe(build: Build) -> None:
    build.write_audio("F01", lambda wav: offset(codec(wav)))
    build.audit()
    section = audit_section(build.results / "audit")
    assert (section.fakes, section.with_twin, section.sources) == (48, 48, ["F01"])
    rows = {row.feature: row for row in section.probes}
    assert set(rows) == {*NAMES, "handling", "all"}
    assert (rows["dc"].cells[0].text, rows["dc"].cells[0].heat, rows["dc"].cells[0].fault) == ("1.00", "1.00", True)
    assert rows["bits"].cells[0].heat == "0.00"
    assert rows["bandwidth"].not_judged
    assert [fault["check"] for fault in section.faults] == ["shortcuts"]


@pytest.mark.long
def test_the_page_has_the_section_if_there_was_an_audit(build: Build) -> None:
    run = ImitationRun(build.results / "run", detectors=["mel-lcnn"], training_sets=["codec"], num_trials=12)
    inputs, page = run.write(), build.results / "report.html"
    write_report(inputs, page)
    assert 'id="audit"' not in page.read_text(encoding="utf-8")
    build.write_audio("F01", codec)
    settings = replace(SETTINGS, aliases={"C3-3": "F01"}, codec_training=["tones"])
    audit(settings, build.results, inputs.results / "audit")
    write_report(replace(inputs, audit=True), page)
    text = page.read_text(encoding="utf-8")
    section = text[text.index('<section id="audit">') : text.index('<section id="provenance">')]
    assert '<a href="#audit">' in text
    assert "codec training: tones and corpus: tones share 48 recordings" in section
    assert "48 of 48 fakes made here have their" in section
    assert 'class="cell" style="--h:' in section
    assert "C3-3" in section


@pytest.mark.parametrize(
    ("bounds", "verdict"),
    [
        ((0.69, 0.6, 0.8), BELOW),  # under the limit
        ((0.80, 0.4, 0.9), BELOW),  # may be chance
        ((0.80, 0.6, 0.9), FAULT),
        ((0.996, 0.33, 1.0), FAULT),  # nearly certain, whatever bounds in log-odds say of draws without an error
    ],
)
def test_a_feature_that_tells_is_a_fault_unless_it_may_be_chance(
    bounds: tuple[float, float, float], verdict: str
) -> None:
    nobody = pd.DataFrame({"row": [], "speaker": []})
    assert _verdict(Limits(), Arms("F01", True, nobody, nobody), "tail_run", bounds, 1.0)[0] == verdict


# laundering ladders


STEP = "noise_20"
LADDER = replace(QUICK, conditions={"C1": AuditedCondition(["codec"]), f"C1+{STEP}": AuditedCondition(["codec"])})


def write_step(build: Build, recordings: Change, fakes: Change) -> None:
    """A step of a ladder with the trials of C1: its audio, and its protocol."""
    build.write_audio(f"F00+{STEP}", recordings)
    build.write_audio(f"F01+{STEP}", fakes)
    path = build.results / "protocols/eval/C1.tsv"
    trials = files.read_tsv(path)
    source = trials["source"] + f"+{STEP}"
    steps = trials.assign(source=source, trial_id=source + "_" + trials["utterance_id"])
    files.write_tsv(path.with_name(f"C1+{STEP}.tsv"), steps)


def test_a_degraded_fake_is_compared_with_its_degraded_recording(build: Build) -> None:
    build.write_audio("F01", codec)
    write_step(build, padded, lambda wav: padded(codec(wav)))  # of another length than the plain recording
    assert build.audit(LADDER) == []
    twins = build.table("twins").set_index("source").loc[f"F01+{STEP}"]
    assert (twins["list"], twins["fakes"], twins["equally_long"], twins["in_list"]) == (f"eval/C1+{STEP}", 8, 8, 8)


def test_a_degraded_fake_without_a_partner_of_its_length_is_a_fault(build: Build) -> None:
    build.write_audio("F01", codec)
    write_step(build, lambda wav: wav + 1e-3, lambda wav: padded(codec(wav)))
    assert [(fault.check, fault.where) for fault in build.audit(LADDER)] == [("twins", f"eval/C1+{STEP}")]


def test_a_degraded_control_may_equal_its_degraded_recording_but_not_the_plain_one(build: Build) -> None:
    build.write_audio("F01", lambda wav: wav)
    write_step(build, eight_bits, eight_bits)
    controls = replace(LADDER, controls=["F01"])
    assert build.audit(controls) == []
    write_step(build, lambda wav: wav, lambda wav: wav)  # nothing is degraded
    assert {fault.check for fault in build.audit(controls)} == {"duplicates"}


def test_a_recording_through_a_second_codec_may_equal_a_fake_but_not_the_fake_through_it(build: Build) -> None:
    build.write_audio("F01", codec)
    build.write_audio("F00+codec-own_4", codec)
    build.write_audio("F01+codec-own_4", eight_bits)
    conditions = {name: AuditedCondition(["codec"]) for name in ("C1", "C1+codec-own_4")}
    path = build.results / "protocols/eval/C1.tsv"
    trials = files.read_tsv(path)
    source = trials["source"] + "+codec-own_4"
    steps = trials.assign(source=source, trial_id=source + "_" + trials["utterance_id"])
    files.write_tsv(path.with_name("C1+codec-own_4.tsv"), steps)
    assert build.audit(replace(QUICK, conditions=conditions)) == []
    row = build.table("duplicates").iloc[0]
    assert (row["verdict"], row["why"]) == ("reported", "a second codec gives the audio of a source")
    build.write_audio("F01+codec-own_4", codec)
    assert {fault.check for fault in build.audit(replace(QUICK, conditions=conditions))} == {"duplicates"}
