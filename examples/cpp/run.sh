#!/usr/bin/env bash
# run.sh BUILD: exports the model, then runs the program on the recording of the demo.
set -euo pipefail
here=$(dirname "$0")
python "$here/export_model.py" "$1/model.pt2"
"$1/filter_wav" "$here/../data/tabla.wav" "$1/resonant.wav" "$1/model.pt2"
