"""Everything around the jobs of a run: planning, watching, checking, locks and dates."""
