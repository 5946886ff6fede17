"""Which utterances are used for training and evaluation: splits, protocols, trials, sources."""
