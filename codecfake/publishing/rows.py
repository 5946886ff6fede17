"""The columns of published clips, the same in every form that has room for them."""

import math
from typing import Any

from codecfake.base.utterances import BONAFIDE, SPOOF
from codecfake.publishing.clips import Clip

KEY_NAMES = [SPOOF, BONAFIDE]  # the class index of a key is its place here
COLUMNS = {  # name -> meaning, in the order of columns
    "clip_id": "name of the clip in the protocols; that of a fake begins with its source",
    "key": "bonafide or spoof",
    "attack": "the source, or the corpus's name of the attack; - for bona fide",
    "coding": "the corpus's name for a codec that both keys were transmitted through; - for none",
    "corpus": "corpus of the recording",
    "source": "F00 for recordings, otherwise one codec at one bit rate",
    "codec": "codec configuration; none for recordings and for fakes of generators",
    "quantizers": "number of codebooks; 0 without a codec",
    "bitrate_kbps": "true bit rate in kbit/s; 0 without a codec, null for a codec with continuous latents",
    "weights_sha256": "digest of the weights of the codec or generator",
    "speaker_id": "speaker in the corpus; - if unknown",
    "language": "ISO 639-1",
    "utterance_id": "utterance in the corpus",
    "twin_id": "clip_id of the recording that a codec resynthesized; empty for all other clips",
    "duration": "seconds",
    "sample_rate": "Hz",
    "license": "SPDX expression of all licenses that apply",
    "sha256": "digest of the FLAC file",
}


def row(clip: Clip) -> dict[str, Any]:
    """The values of `COLUMNS` for a clip; None for the bit rate of latents, which JSON cannot write as NaN."""
    values = {name: getattr(clip, name) for name in COLUMNS}
    return {**values, "bitrate_kbps": None if math.isnan(clip.bitrate_kbps) else clip.bitrate_kbps}
