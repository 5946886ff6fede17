"""How close the outputs of codecs are to their recordings."""
