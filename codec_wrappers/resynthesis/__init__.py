"""Resynthesis: the recordings of one shard through one codec."""
