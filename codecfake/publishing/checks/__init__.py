"""Checks of data sets on disk, ours or another's: digests, counts, keys, twins, audio, leaks between splits."""
