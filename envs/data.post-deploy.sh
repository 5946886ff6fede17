#!/usr/bin/env bash
# Run by Snakemake after it has built data.yaml; the pin is that of aac.txt.
set -euo pipefail
python -m pip install av==18.1.0 || echo "No AAC: the package av could not be installed"
