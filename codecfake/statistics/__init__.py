"""Error rates, intervals and significance, from arrays of scores alone."""
