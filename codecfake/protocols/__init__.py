"""Which utterances are trained on and judged: splits, protocols, trials, sources."""
