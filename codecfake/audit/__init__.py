"""The audit: leaks between lists, duplicate audio, and shortcuts that separate fakes from recordings."""
