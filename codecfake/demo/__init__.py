"""The demo's corpora: synthetic speech in the official layouts, so that every stage runs without a download."""

FOLDERS = {"vctk": "VCTK", "aishell3": "AISHELL3", "libritts": "LibriTTS", "asvspoof2019la": "LA"}  # by their layouts
