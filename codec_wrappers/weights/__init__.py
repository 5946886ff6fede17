"""Codec weights: published checkpoints fetched, verified and converted; what a wrapper loads."""
