"""Codec training: a codec's own architecture and codebooks, learned from recordings by a published recipe."""
