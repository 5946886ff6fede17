"""Error rates, intervals and significance, computed from arrays of scores alone."""
