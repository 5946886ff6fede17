"""What the cost of a detector's clips depends on, of one that is trained and of one that is released."""

from codecfake.detectors.import_settings import ImportSettings
from codecfake.features.settings import EXACT
from codecfake.training.settings import TrainSettings

ClipSettings = TrainSettings | ImportSettings
CROP_SAMPLES = 64_600  # of the clips that rates are for


def length(settings: ClipSettings) -> float:
    """The length of clips, relative to those that rates are for."""
    return settings.crop_samples / CROP_SAMPLES


def precision(settings: ClipSettings) -> str:
    """In which the front-end of a detector computes."""
    if isinstance(settings, ImportSettings):
        return EXACT
    return settings.fine_tuning.precision if settings.fine_tuning.is_on else settings.front_end_precision


def weight_rates(settings: ClipSettings, detector: str) -> list[str]:
    """Names of the rates of the weights in a model folder, which has the front-end if it is fine-tuned or included."""
    own = settings.detector.rate_names(detector)[2]
    is_whole = settings.includes_front_end if isinstance(settings, ImportSettings) else settings.fine_tuning.is_on
    return [own, "weights_mb.ssl"] if is_whole else [own]
