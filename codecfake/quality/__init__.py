"""How near codecs' outputs are to their recordings."""
