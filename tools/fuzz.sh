#!/usr/bin/env bash
# Builds the fuzz targets of tests/fuzz and runs each for a while, five at a time; fails where one finds
# something. Inputs that found new paths stay in build/fuzz/corpus, findings in build/fuzz/findings.
#
#   tools/fuzz.sh SECONDS [TARGET...]     tools/fuzz.sh 60 tokenizer regex
#
# Settings: JOBS, how many compile at a time; FUZZ_JOBS, how many run; FUZZ_SEED, for the same inputs
# each time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:?usage: tools/fuzz.sh SECONDS [TARGET...]}
shift
jobs=${JOBS:-2}

if [[ -f build/release/build.ninja ]]; then
  cmake --build build/release -j "$jobs" --target heed  # pattern and config link it
fi
cmake --preset fuzz --log-level=WARNING
cmake --build --preset fuzz -j "$jobs"

targets=("$@")
if [[ $# == 0 ]]; then
  for program in build/fuzz/tests/fuzz/heed_fuzz_*; do
    [[ -x $program && -f $program ]] && targets+=("${program##*_}")
  done
fi

mkdir -p build/fuzz/findings
fuzz() {
  local name=$1 log=build/fuzz/findings/$1.log
  mkdir -p "build/fuzz/corpus/$name"
  if [[ -z $(ls "tests/fuzz/corpus/$name" 2>/dev/null) ]]; then
    echo "fuzz: $name has no seeds: expected some in tests/fuzz/corpus/$name" >&2
    return 1
  fi
  # Only the first folder is written to. The timeout is one of the clock, and five share the cores.
  if ! "build/fuzz/tests/fuzz/heed_fuzz_$name" -max_total_time="$seconds" -seed="${FUZZ_SEED:-0}" \
      -max_len=8192 -timeout=60 \
      -rss_limit_mb=3000 -malloc_limit_mb=2000 -print_final_stats=1 -verbosity=0 \
      -artifact_prefix="build/fuzz/findings/$name-" \
      "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
    echo "fuzz: $name found something: $log" >&2
    tail -n 60 "$log" >&2
    return 1
  fi
  echo "fuzz: $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s," \
      "nothing found"
}
export -f fuzz
export seconds
printf '%s\n' "${targets[@]}" | xargs -P "${FUZZ_JOBS:-5}" -I NAME bash -c 'fuzz NAME'
