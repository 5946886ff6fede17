"""Networks of codecs without an installable package, with the tensor names of their published checkpoints."""
