"""How much speech the demo will make, before it has spoken."""

from typing import Any

import pandas as pd

from codecfake.base import settings
from codecfake.base.utterances import BONAFIDE, SPOOF
from codecfake.demo import aishell3, asvspoof2019, libritts, vctk
from codecfake.demo.plan import Take
from codecfake.demo.settings import DemoSettings

LAYOUTS = {"vctk": vctk, "aishell3": aishell3, "libritts": libritts, "asvspoof2019la": asvspoof2019}
SECONDS = 2.6  # of an utterance, on average over the demo's
PARTITIONS = ("train", "dev", "eval")  # as they stand in ASVspoof's folders


def takes(layout: str, demo: dict[str, Any]) -> pd.DataFrame:
    """The utterances to come, as columns of an utterance table; the lengths are the average of all."""
    planned = LAYOUTS[layout].plan(settings.build(DemoSettings, demo)).takes
    return pd.DataFrame([_row(take) for take in planned])


def _row(take: Take) -> dict[str, Any]:
    return {
        "key": SPOOF if take.attack else BONAFIDE,
        "split": next((part for part in PARTITIONS if f"_{part}/" in take.path), None),
        "speaker_id": take.voice.speaker_id,
        "path": take.path,
        "sample_rate": take.sample_rate,
        "channels": 1,
        "num_samples": round(SECONDS * take.sample_rate),
        "utterance_id": take.utterance_id,
    }
