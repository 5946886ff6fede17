"""Experiment files, read and checked as a whole, with the settings of the site that runs them."""
