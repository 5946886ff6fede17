"""Whether published error rates follow from published scores: recomputes them from score files of any form."""
