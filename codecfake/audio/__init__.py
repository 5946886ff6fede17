"""Reading, writing and resampling of audio, audio shards and their index, and export to loose files."""
