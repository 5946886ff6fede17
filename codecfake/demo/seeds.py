"""Random generators that depend on names, not on the order of generation."""

import hashlib

import numpy as np


def generator(seed: int, *names: str) -> np.random.Generator:
    """A separate generator for each tuple of names, such as `("recording", "p301_001")`."""
    digest = hashlib.sha256(repr((seed, names)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))
