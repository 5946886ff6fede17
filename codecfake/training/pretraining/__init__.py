"""Self-supervised pre-training of small SSL front-ends on the user's own recordings."""
