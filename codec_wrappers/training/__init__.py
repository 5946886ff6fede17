"""Codec training: a codec's architecture and codebooks are trained on recordings by a published recipe."""
