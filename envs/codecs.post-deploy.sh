#!/usr/bin/env bash
# Run by Snakemake after it has built codecs.yaml; the pins are those of no-deps.txt and generators.txt.
set -euo pipefail
python -m pip install --no-deps encodec==0.1.1 descript-audio-codec==1.0.0 descript-audiotools==0.7.2 \
    speechtokenizer==1.0.1 funcodec==0.2.0 snac==1.2.1 bigcodec==0.0.3
python -m pip install --no-deps inflect==7.0.0 eng-to-ipa==0.0.2 cn2an==0.5.24 proces==0.1.7 jieba==0.42.1 \
    pypinyin==0.55.0 vocos==0.1.0
