"""Codec weights: published checkpoints are fetched, verified and converted to the files that wrappers load."""
