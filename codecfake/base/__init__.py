"""What every stage stands on: files, settings, progress, devices. Imports nothing else of this package."""
