"""The names of precisions in settings. No torch: settings are checked before the first job."""

AUTO, FLOAT32, TF32, BFLOAT16 = NAMES = ("auto", "float32", "tf32", "bfloat16")
