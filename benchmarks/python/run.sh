#!/usr/bin/env bash
# All benchmarks of the Python package, one after the other, with the library of build/release:
#
#   PYTHON=path/to/python benchmarks/python/run.sh >table.md
#
# PYTHON needs torch, transformers and torch_geometric (.venv has them after `make test`). Quiet machine, 2
# threads, about a quarter of an hour, most of it training steps. TINY=yes shows in a minute that all run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export HEED_LIBRARY=${HEED_LIBRARY:-$(cd ../.. && pwd)/build/release/folders/libheed.so}
for script in overhead attention_dropout bfloat16_attention window graph_convs bert_step \
  modernbert_step gpt2_step; do
  echo "bench: $script" >&2
  "${PYTHON:-../../.venv/bin/python}" "$script.py"
  echo
done
