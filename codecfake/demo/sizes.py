"""How much speech the demo will synthesize."""

from typing import Any

import pandas as pd

from codecfake.base.utterances import BONAFIDE, SPOOF
from codecfake.demo import aishell3, asvspoof2019, libritts, vctk
from codecfake.demo.plan import Take
from codecfake.demo.settings import DemoSettings

LAYOUTS = {"vctk": vctk, "aishell3": aishell3, "libritts": libritts, "asvspoof2019la": asvspoof2019}
SECONDS = {"long": 2.6, "short": 1.5}  # average length of an utterance, by the length of sentences
PARTITIONS = ("train", "dev", "eval")  # as in ASVspoof's folders


def utterances(corpus: str, layout: str, settings: DemoSettings) -> pd.DataFrame:
    """The expected utterances of a corpus, as columns of an utterance table; each has the average length."""
    takes = LAYOUTS[layout].plan(settings).takes
    seconds = SECONDS[settings.sentences]
    return pd.DataFrame([_row(take, seconds) for take in takes]).assign(corpus=corpus)


def _row(take: Take, seconds: float) -> dict[str, Any]:
    return {
        "key": SPOOF if take.attack else BONAFIDE,
        "split": next((part for part in PARTITIONS if f"_{part}/" in take.path), None),
        "speaker_id": take.voice.speaker_id,
        "path": take.path,
        "sample_rate": take.sample_rate,
        "channels": 1,
        "num_samples": round(seconds * take.sample_rate),
        "utterance_id": take.utterance_id,
    }
