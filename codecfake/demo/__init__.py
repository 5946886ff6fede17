"""The demo's corpora: synthetic speech in the layouts of real corpora, so that every stage runs without downloads."""

FOLDERS = {"vctk": "VCTK", "aishell3": "AISHELL3", "libritts": "LibriTTS", "asvspoof2019la": "LA"}  # by their layouts
