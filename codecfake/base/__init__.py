"""The base of all stages: files, settings, progress, devices. It imports nothing else from this package."""
