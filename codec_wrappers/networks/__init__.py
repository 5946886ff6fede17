"""Networks of codecs that no installable package offers, under the tensor names of their published checkpoints."""
