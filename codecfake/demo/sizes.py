"""How much speech the demo will synthesize."""

from typing import Any

import pandas as pd

from codecfake.base.utterances import BONAFIDE, SPOOF
from codecfake.demo import aishell3, asvspoof2019, esc50, libritts, vctk
from codecfake.demo.plan import SoundTake, Take
from codecfake.demo.settings import DemoSettings

LAYOUTS = {
    "vctk": vctk,
    "aishell3": aishell3,
    "libritts": libritts,
    "asvspoof2019la": asvspoof2019,
    "esc50": esc50,
}
SECONDS = {"long": 2.6, "short": 1.5}  # average length of an utterance, by the length of sentences
SOUND_SECONDS = 1.8  # average length of a sound, with its pauses
PARTITIONS = ("train", "dev", "eval")  # as in ASVspoof's folders


def utterances(corpus: str, layout: str, settings: DemoSettings) -> pd.DataFrame:
    """The expected utterances of a corpus, as columns of an utterance table; each has the average length."""
    takes = LAYOUTS[layout].plan(settings).takes
    seconds = SOUND_SECONDS if layout == "esc50" else SECONDS[settings.sentences]
    return pd.DataFrame([_row(take, seconds) for take in takes]).assign(corpus=corpus)


def _row(take: Take | SoundTake, seconds: float) -> dict[str, Any]:
    return {
        "key": SPOOF if take.attack else BONAFIDE,
        "split": _split(take),
        "speaker_id": take.speaker_id,
        "path": take.path,
        "sample_rate": take.sample_rate,
        "channels": 1,
        "num_samples": round(seconds * take.sample_rate),
        "utterance_id": take.utterance_id,
    }


def _split(take: Take | SoundTake) -> str | None:
    if isinstance(take, SoundTake):
        return esc50.split(take)
    return next((part for part in PARTITIONS if f"_{part}/" in take.path), None)
