"""The base of every stage: files, settings, progress, devices. Imports nothing else from this package."""
