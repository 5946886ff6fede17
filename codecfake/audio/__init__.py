"""Waveforms in and out through one door, audio shards and their index, loose files."""
