"""Resynthesis: sends the recordings of a shard through a codec."""
