"""Random generators that depend on names, not on the order in which things are made."""

import hashlib

import numpy as np


def generator(seed: int, *names: str) -> np.random.Generator:
    """A generator of its own for what the names say, such as `("recording", "p301_001")`."""
    digest = hashlib.sha256(repr((seed, names)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))
