#!/usr/bin/env bash
# Run by Snakemake after it has built codecs.yaml; the pins are those of no-deps.txt.
set -euo pipefail
python -m pip install --no-deps encodec==0.1.1 descript-audio-codec==1.0.0 descript-audiotools==0.7.2 \
    speechtokenizer==1.0.1 funcodec==0.2.0
