"""From trials to the tensors that a back-end is given."""
