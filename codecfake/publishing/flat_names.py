"""Forms that name a clip by its id alone: no two clips, of whatever corpora, may have the same one."""

from codecfake.publishing.catalog import CLIP
from codecfake.publishing.clips import PublishingError
from codecfake.publishing.publication import Publication


def require_unique(publication: Publication) -> None:
    """Raise PublishingError if two clips have one id."""
    clips = publication.catalog.trials[[*CLIP, "trial_id"]].astype(str).drop_duplicates()
    twice = clips[clips["trial_id"].duplicated(keep=False)].sort_values(["trial_id", "corpus"])
    if not twice.empty:
        first, second = twice["corpus"].iloc[:2]
        raise PublishingError(
            f"{twice['trial_id'].iloc[0]} is a clip of {first} and of {second}, but this form names clips by their ids "
            f"alone; publish the corpora separately (--parts, --languages), or in another --form"
        )
