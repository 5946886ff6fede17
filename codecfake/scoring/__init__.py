"""From models to scores: conditions of an experiment, and any audio files."""
