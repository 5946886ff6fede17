"""From models to scores: conditions of an experiment, and files of any kind."""
