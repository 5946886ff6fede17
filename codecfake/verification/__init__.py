"""Whether published error rates follow from published scores: anyone's files, read as they are and counted again."""
