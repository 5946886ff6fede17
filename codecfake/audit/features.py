"""Trivial features that no detector should rely on: lengths, levels, silences, bits and headers.

None of them describes speech. If one of them separates fakes from recordings, a detector may have learned how files
were processed instead of how codecs sound (Müller et al. 2021, Chettri 2023).
"""

from dataclasses import dataclass

HANDLING = "handling"  # the probe on all features that depend on file handling alone


@dataclass(frozen=True)
class Feature:
    name: str
    unit: str
    meaning: str
    remedy: str
    exact: bool = False  # a fake and its recording must agree in it, pair by pair
    tolerance: float = 0.0  # within which they agree
    codec_touches: bool = False  # a codec changes it slightly; tested only separately, because small changes add up
    codec_changes: str = ""  # why codecs change it even if files are handled correctly; "" if none should


_DOOR = "write fakes and recordings with codecfake.audio.shards.ShardWriter alone"
_LENGTH = "cut the codec's padding: a fake has exactly as many samples as its recording (waveforms.fit)"
_GAIN = "undo the codec's input gain (`gain`, without `keep_gain`), or give recordings the same level"
_TRIM = "trim both arms alike, or neither"
_MEAN = "remove the mean from both arms"
_BAND = "give both arms one rate and one band, `audio: {sample_rate: 16000}`"

FEATURES = (
    Feature("sample_rate", "Hz", "sample rate of the file", "set `audio: {sample_rate: 16000}`", exact=True),
    Feature("bits", "", "bits per sample in the header", _DOOR, exact=True),
    Feature("block_size", "samples", "block size of the FLAC encoder", _DOOR, exact=True),
    Feature("header_bytes", "", "bytes before the first FLAC frame", _DOOR, exact=True),
    Feature("encoder", "", "the encoder's name in the header, as a number", _DOOR, exact=True),
    Feature("duration", "s", "duration", _LENGTH, exact=True, tolerance=4e-5),
    Feature("length_grid", "log2", "largest step that divides the length", _LENGTH),
    Feature("head_run", "samples", "equal samples at the start", _LENGTH, codec_touches=True),
    Feature("tail_run", "samples", "equal samples at the end, as padding leaves", _LENGTH, codec_touches=True),
    Feature("tail_repeat", "samples", "samples at the end that repeat earlier ones exactly", _LENGTH),
    Feature("lead_silence", "s", "silence before speech, 40 dB below the loudest", _TRIM, codec_touches=True),
    Feature("trail_silence", "s", "silence after speech, 40 dB below the loudest", _TRIM, codec_touches=True),
    Feature("rms", "dB", "level", _GAIN, codec_touches=True),
    Feature("peak", "dB", "largest sample", _GAIN, codec_touches=True),
    Feature("shared_rms", "", "share of the other files at the same level (0.05 dB), if it is a tenth or more", _GAIN),
    Feature("shared_peak", "", "share of the other files with the same largest sample (0.02 dB), likewise", _GAIN),
    Feature("clipped", "log10", "samples at full scale", "lower the level that the codec's output is written at"),
    Feature("dc", "steps", "mean of all samples, in whole steps of 16 bit", _MEAN, codec_touches=True),
    Feature("odd_share", "", "share of odd samples: the lowest bit", "requantize nothing before ShardWriter"),
    Feature("effective_bits", "", "bits that are ever used", "requantize nothing before ShardWriter"),
    Feature("used_levels", "", "share of small numbers that occur", "requantize nothing before ShardWriter"),
    Feature("bandwidth", "Hz", "highest frequency where the spectrum is within 60 dB of its peak", _BAND,
            codec_changes="a codec fills or cuts the gap that resampling left at the top of the band"),
    Feature("rolloff", "Hz", "frequency below which 99 % of the energy is", _BAND,
            codec_changes="codecs with few bits lose or invent high frequencies"),
    Feature("bytes_per_sample", "", "how well FLAC compresses it", _DOOR,
            codec_changes="codecs replace noise, which FLAC cannot compress, with learned patterns"),
)  # fmt: skip
NAMES = tuple(feature.name for feature in FEATURES)
CODECS_CHANGE = {feature.name: feature.codec_changes for feature in FEATURES if feature.codec_changes}
