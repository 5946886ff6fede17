"""Publishes a finished run as a data set, in forms that other programs read, and checks such data sets.

`FORMS` are the modules in `codecfake.publishing.forms`, in the order of lists; a folder is recognized by the first that
fits. They are named here, so that the command line needs no imports.
"""

FORMS: tuple[str, ...] = (
    "hf", "webdataset", "audiofolder", "lhotse", "kaldi", "asvspoof", "asvspoof5", "xie2025", "arena", "spoof_bench",
)  # fmt: skip
DEFAULT_FORM = "hf"
