"""The calibration of a model that was not trained here, on the dev list of a domain."""

from pathlib import Path

import numpy as np
import torch

from codecfake.base.progress import progress
from codecfake.base.utterances import BONAFIDE
from codecfake.protocols import trials
from codecfake.protocols.trials import RECORDING
from codecfake.scoring import verdicts
from codecfake.scoring.conditions import BATCH_SIZE, Scorer


def calibrate_on(
    model: Path, dev_tsv: Path, audio_root: Path, output: Path, device: torch.device, workers: int = 0
) -> None:
    """Score a dev protocol with the model and write `calibration.json` into `output`, as training does.

    Raises TrialsError if the list has one key only, and ValueError if a score is not finite.
    """
    dev = trials.read([dev_tsv])
    trials.require_both_keys(dev, "dev")
    dev = dev.sort_values(RECORDING, ignore_index=True)
    scorer = Scorer(model, audio_root, device, BATCH_SIZE, workers, None)
    with progress(None, "dev", total=len(dev), unit="trial") as bar:
        scores = np.concatenate([scorer.of_source(part, bar) for _, part in dev.groupby(RECORDING[:2])])
    result = verdicts.dev_result(scores.astype(np.float64), (dev["key"] == BONAFIDE).to_numpy())
    verdicts.write(output / verdicts.CALIBRATION, result)
