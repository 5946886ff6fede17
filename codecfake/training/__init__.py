"""Training of detectors: data, batches, updates and the loop."""
