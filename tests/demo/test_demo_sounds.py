"""The demo's sound events: the layout of ESC-50, distinct sources, the same bytes every time."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from places import ROOT

from codecfake import corpora as layouts
from codecfake.base.settings import SettingsError
from codecfake.base.validation import ConfigurationError
from codecfake.demo import corpora, esc50, sizes
from codecfake.demo.plan import SoundTake
from codecfake.demo.seeds import generator
from codecfake.demo.settings import DemoSettings
from codecfake.demo.sounds import CREST, EVENTS, SAMPLE_RATE, SECONDS, Event, synthesize
from codecfake.experiment import site

FEW = DemoSettings(sound_sources=10, sounds_per_source=2)


def takes(settings: DemoSettings) -> list[SoundTake]:
    return [take for take in esc50.plan(settings).takes if isinstance(take, SoundTake)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sounds") / "corpora"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpora, "LAYOUTS", ())  # the speech, which takes longer
        corpora.synthesize(root, FEW)
    return root


def test_the_layout_of_esc_50_reads_all_sounds_of_the_demo(demo: Path) -> None:
    listing = layouts.layout("esc50").utterances(demo / "ESC-50", {})
    assert listing.rejections == ()
    ours = {one.utterance_id: (one.speaker_id, one.split) for one in listing.utterances}
    assert ours == {take.utterance_id: (take.speaker_id, esc50.split(take)) for take in takes(FEW)}


def test_the_plan_of_a_run_knows_the_splits_of_the_sounds() -> None:
    table = sizes.utterances("sounds", "esc50", FEW)
    assert table["split"].value_counts().to_dict() == {"train": 12, "dev": 4, "eval": 4}
    assert table["speaker_id"].nunique() == 10


def test_forty_sources_have_every_class_in_every_fold() -> None:
    pairs = Counter((take.utterance_id[0], take.event.name) for take in takes(DemoSettings(sound_sources=40)))
    assert len(pairs) == 5 * len(EVENTS) and set(pairs.values()) == {4}


def test_no_source_is_in_two_folds() -> None:
    folds = {(take.speaker_id, take.utterance_id[0]) for take in takes(DemoSettings(sound_sources=23))}
    assert len(folds) == 23


def test_no_sound_clips_or_has_digital_silence(demo: Path) -> None:
    for take in takes(FEW):
        wav, _ = soundfile.read(demo / take.path)
        assert 0.02 < np.abs(wav).max() < 0.99, take.path
        runs = np.diff(np.flatnonzero(np.diff(wav) != 0))
        assert runs.max() < 20, take.path  # codecs do not return runs of equal samples


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_a_sound_has_its_length_and_a_bounded_crest(event: Event) -> None:
    wav = synthesize(event, generator(1, "a"), generator(1, "b"))
    assert SECONDS[0] <= len(wav) / SAMPLE_RATE <= SECONDS[1]
    assert np.isfinite(wav).all() and np.abs(wav).max() < CREST and np.sqrt(np.mean(wav**2)) > 0.3


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_takes_of_one_source_are_more_alike_than_sources(event: Event) -> None:
    """Long-term spectra in dB: the distance within sources is less than between them, on average."""
    spectra = np.array([[_spectrum(event, source, take) for take in range(2)] for source in range(4)])
    within = np.abs(spectra - spectra.mean(axis=1, keepdims=True)).mean()
    centers = spectra.mean(axis=1)
    assert within < np.abs(centers - centers.mean(axis=0)).mean()


def _spectrum(event: Event, source: int, take: int) -> np.ndarray:
    wav = synthesize(event, generator(source, "source"), generator(take, "take", str(source)))
    power = np.abs(np.fft.rfft(wav)) ** 2
    return 10 * np.log10(np.array([part.mean() for part in np.array_split(power[: len(power) // 3], 40)]))


def test_the_same_settings_give_the_same_bytes_and_other_seeds_others(demo: Path, tmp_path: Path) -> None:
    take = takes(FEW)[0]
    corpora._write(tmp_path, FEW.seed, take)
    assert (tmp_path / take.path).read_bytes() == (demo / take.path).read_bytes()
    corpora._write(tmp_path, FEW.seed + 1, take)
    assert (tmp_path / take.path).read_bytes() != (demo / take.path).read_bytes()


def test_the_readme_of_a_demo_names_sounds_only_where_there_are_some(demo: Path) -> None:
    text = (demo / "README.txt").read_text(encoding="utf-8")
    assert "ESC-50 names a layout too" in text and '"sound_sources": 10' in text
    plain = corpora._readme(DemoSettings())
    assert "sound" not in plain.lower()
    assert list(json.loads("{" + plain.rpartition("{")[2])) == [  # as before there were sounds
        "seed", "english_speakers", "mandarin_speakers", "codec_training_speakers", "utterances_per_speaker",
        "vocoder_speakers", "bonafide_per_vocoder_speaker", "spoofs_per_attack", "sentences",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sound_sources": 4}, "sound_sources: 4 is out of range; it can be 5 to 1000"),
        ({"sounds_per_source": 27}, "sounds_per_source: 27 is out of range; it can be 1 to 26"),
    ],
)
def test_a_size_without_a_sound_in_each_fold_is_refused(values: dict[str, int], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        DemoSettings(**values)


def test_a_demo_corpus_of_sounds_needs_sounds(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("based_on: sound-demo\ntitle: x\ndemo: {sound_sources: 0}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="demo.sound_sources: the demo has no sounds for corpus sounds; set"):
        site.read({"experiment": str(path)}, ROOT)


def test_the_label_of_a_sound_is_the_class_of_its_number() -> None:
    table = esc50.plan(FEW).texts["ESC-50/meta/esc50.csv"].splitlines()
    rows = pd.DataFrame([line.split(",") for line in table[1:]], columns=table[0].split(","))
    assert {(row.target, row.category) for row in rows.itertuples()} == {
        (str(event.number), event.name) for event in EVENTS
    }
