"""From trials to the input tensors of back-ends."""
