#!/usr/bin/env bash
# All benchmarks of published models, one after the other, with the program of build/release:
#
#   PYTHON=path/to/python benchmarks/published/run.sh [OPTIONS OF ALL SCRIPTS] >table.md
#
# PYTHON needs the packages of tools/lock/python.txt, bench.txt and models.txt (.venv has the first after `make
# test`). Quiet machine, 2 threads: hours, most of them accuracy.py's. --tiny shows in minutes that all run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
for script in fine_tuning embedding transcription generation opening accuracy; do
  echo "bench: $script" >&2
  "${PYTHON:-../../.venv/bin/python}" "$script.py" "$@"
  echo
done
