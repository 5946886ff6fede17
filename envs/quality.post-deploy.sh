#!/usr/bin/env bash
# Run by Snakemake after it has built quality.yaml; the pin is that of optional.txt.
set -euo pipefail
python -m pip install pesq==0.0.4 || echo "No PESQ: the package pesq could not be built (is there a C compiler?)"
