#!/usr/bin/env bash
# Runs, on a machine that has them, the parts of Heed that no machine has run yet, and prints what it
# finds: AMX, CUDA, float16, NCCL. Takes less than 8 minutes, all steps cut short by their limits.
#
#   tools/check_device.sh             with what is built in build/release (`make test` builds it all)
#   tools/check_device.sh --dry-run   prints the commands that it would run, on any machine
#
# Exit status: 0 all that this machine has passed (or it has nothing of it), 1 something failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=build/release
heed=$build/heed
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dry=no
case "${1:-}" in
  "") ;;
  --dry-run) dry=yes ;;
  *) echo "check_device: unknown argument '$1' (known: --dry-run)" >&2; exit 2 ;;
esac

failed=()
say() { echo "check_device: $*"; }

# step NAME SECONDS COMMAND...: its last lines where it fails.
step() {
  local name=$1 limit=$2 start=$SECONDS
  shift 2
  if [[ $dry == yes ]]; then
    echo "  $name: timeout $limit $*"
    return
  fi
  if timeout "$limit" "$@" >"$work/log" 2>&1; then
    say "$name: passed in $((SECONDS - start)) s"
  else
    say "$name: FAILED with status $? after $((SECONDS - start)) s:"
    tail -n 15 "$work/log"
    failed+=("$name")
  fi
}

# train NAME SECONDS OPTION...: a small classifier, and the accuracy that it reaches.
train() {
  local name=$1 limit=$2
  shift 2
  step "$name" "$limit" "$heed" train classify --config examples/sentiment/settings.toml \
    --train examples/sentiment/train.tsv --valid examples/sentiment/valid.tsv \
    --out "$work/${name// /_}" --epochs 4 --json "$@"
  [[ $dry == yes || ! -s $work/log ]] || grep -o '"accuracy": *[0-9.]*' "$work/log" | tail -n 1
}

has_amx() { grep -qw amx_bf16 /proc/cpuinfo; }
gpus() { { nvidia-smi -L 2>/dev/null || true; } | grep -c '^GPU'; }

say "processor: $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), AMX: $(has_amx && echo yes || echo no)"
say "GPUs: $(gpus)"
if [[ $dry == no ]]; then
  [[ -x $heed ]] || { say "$heed is missing; run make test first" >&2; exit 2; }
  "$heed" --version
fi

if [[ $dry == yes ]] || has_amx; then
  say "AMX"
  # The products themselves, against a double-precision oracle, and a training in bfloat16 with and
  # without: the accuracies should be alike.
  step "AMX products" 60 env HEED_ISA=amx "$build/folders/ops/heed_ops_test" \
    "--gtest_filter=*Brgemm*:Linear*"
  step "AMX attention" 90 env HEED_ISA=amx "$build/folders/kernels/heed_kernels_test" \
    "--gtest_filter=BrgemmTiles*"
  HEED_ISA=amx train "bfloat16 with AMX" 30 --dtype bfloat16
  HEED_ISA=avx512bf16 train "bfloat16 without AMX" 30 --dtype bfloat16
fi

if [[ $dry == yes || $(gpus) != 0 ]]; then
  say "CUDA"
  train "float32 on the CPU" 30
  train "float32 with CUDA" 45 --device cuda
  train "bfloat16 with CUDA" 30 --device cuda --dtype bfloat16
  train "float16 with CUDA" 30 --device cuda --dtype float16
fi
if [[ $dry == yes || $(gpus) -gt 1 ]]; then
  export MASTER_ADDR=127.0.0.1 MASTER_PORT=29534 WORLD_SIZE=2
  step "NCCL, two processes" 60 bash -c '
    for rank in 0 1; do
      RANK=$rank LOCAL_RANK=$rank "$0" train classify --config examples/sentiment/settings.toml \
        --train examples/sentiment/train.tsv --valid examples/sentiment/valid.tsv --out "$1" \
        --epochs 2 --device cuda & pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || exit 1; done' "$heed" "$work/two"
fi

if [[ $(gpus) == 1 ]]; then
  say "NCCL: not run, it needs two GPUs"
fi
if [[ $dry == no ]] && ! has_amx && [[ $(gpus) == 0 ]]; then
  say "this machine has neither AMX nor a GPU: nothing to run"
fi
if [[ ${#failed[@]} -gt 0 ]]; then
  say "failed: $(IFS=,; echo "${failed[*]}")"
  exit 1
fi
