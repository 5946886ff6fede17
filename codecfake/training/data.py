"""The data of a detector: train and dev clips as the settings define them, through its front-end."""

from pathlib import Path

import pandas as pd
import torch

from codecfake.base.parallel import ALONE, ParallelError, Team
from codecfake.detectors.detector import Detector
from codecfake.features.augmentation.chain import Chain
from codecfake.features.cache import CachePlace, with_cache
from codecfake.features.clips import Clips
from codecfake.features.settings import DISK
from codecfake.features.streaming import Features, StreamedClips, StreamedFeatures
from codecfake.training.settings import TrainSettings


class TrainingData:
    """Makes the features of train and dev trials, or their clips, if the front-end is trained.

    Only train trials are cropped or augmented at random.
    """

    def __init__(
        self,
        settings: TrainSettings,
        detector: Detector,
        device: torch.device,
        audio_root: Path,
        workers: int,
        place: CachePlace | None,
        team: Team = ALONE,
    ) -> None:
        self._settings, self._detector, self._device = settings, detector, device
        self._audio_root, self._workers, self._place, self._team = audio_root, workers, place, team
        self._chain = Chain(settings.augmentation)
        self.mixed_in = self._chain.recordings()  # the user's recordings

    def train(self, trials: pd.DataFrame) -> Features:
        s = self._settings
        shortest = s.shortest_crop_samples
        if shortest is not None and self._team.size > 1:
            raise ParallelError(
                f"shortest_crop_samples is {shortest}, but {self._team.size} processes extend their parts of a batch "
                f"to different lengths; train on one GPU, or remove it"
            )
        clips = Clips(trials, self._audio_root, s.crop_samples, s.crop, s.pad, self._chain, s.seed, shortest)
        return self._features(clips, "train")

    def dev(self, trials: pd.DataFrame) -> Features:
        return self._features(
            Clips(trials, self._audio_root, self._settings.crop_samples, pad=self._settings.pad), "dev"
        )

    def _features(self, clips: Clips, name: str) -> Features:
        s = self._settings
        if s.fine_tuning.is_on:
            return StreamedClips(clips, self._device, self._workers, self._team)
        # the first process to come writes all features that a store lacks, and each process reads whole batches
        team = ALONE if s.cache == DISK else self._team
        streamed = StreamedFeatures(
            clips,
            self._detector.front_end,
            self._device,
            self._workers,
            s.front_end_precision,
            team,
            s.resolved_feature_precision,
        )
        return with_cache(streamed, s.cache, s.batch_size, name, self._place, s.store)
