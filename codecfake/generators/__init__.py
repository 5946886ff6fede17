"""Generators of speech and sound from text. `build` is the one door; nothing here imports torch."""
