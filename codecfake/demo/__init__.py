"""The demo's corpora: synthetic speech and sounds in the layouts of real corpora, so that every stage runs without
downloads.
"""

SPEECH_FOLDERS = {"vctk": "VCTK", "aishell3": "AISHELL3", "libritts": "LibriTTS", "asvspoof2019la": "LA"}
SOUND_FOLDERS = {"esc50": "ESC-50"}  # only where an experiment has sounds
FOLDERS = SPEECH_FOLDERS | SOUND_FOLDERS  # by their layouts
