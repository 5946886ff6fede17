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


def keeps_front_end(settings: ClipSettings) -> bool:
    """Whether the front-end is in the model folder: it is fine-tuned, or included in a released detector."""
    return settings.includes_front_end if isinstance(settings, ImportSettings) else settings.fine_tuning.is_on
