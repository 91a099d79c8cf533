#!/usr/bin/env bash
# What `make demo` runs after set-up and build: trains a sentiment classifier on the sentences that
# the project ships, measures it, lets it classify sentences it has not seen, and draws what it
# attends to. Everything is written below demo/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
heed=build/release/heed
data=examples/sentiment
sentence="not a bad film at all , but far from a great one"

say() { echo; echo "demo: $*"; }

mkdir -p demo
say "training a classifier on $data/train.tsv (about 20 s)"
"$heed" train classify --config "$data/settings.toml" \
  --train "$data/train.tsv" --valid "$data/valid.tsv" --out demo/model --overwrite

say "validation accuracy: heed eval demo/model $data/valid.tsv"
"$heed" eval demo/model "$data/valid.tsv"

say "sentences that it has not seen: heed predict demo/model $data/unseen.txt"
"$heed" predict demo/model "$data/unseen.txt" | paste - "$data/unseen.txt"

say "what it attends to: heed attend demo/model \"$sentence\" --out demo/heat.png"
"$heed" attend demo/model "$sentence" --out demo/heat.png
"$heed" attend demo/model "$sentence" --out demo/heat.svg >/dev/null

say "done: the model is demo/model, its attention demo/heat.png and demo/heat.svg"
