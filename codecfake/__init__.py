"""codecfake: codec-fake speech datasets and the detectors measured on them."""

__version__ = "0.1.0"
