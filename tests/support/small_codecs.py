"""Tiny `model` settings of every codec that can be built fresh: each law of `test_codecs.py` holds for all of them."""

from typing import Any

from codec_wrappers import entry, names

SMALL: dict[str, dict[str, Any]] = {name: entry(name).small for name in names() if entry(name).has_fresh_form}
TRAINABLE = [name for name in names() if entry(name).is_trainable]
