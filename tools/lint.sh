#!/usr/bin/env bash
# The checks that need no test run. Usage: tools/lint.sh all|format|NAME...
#
#   format    rewrite the sources as .clang-format says, and add tasks to heed/tasks.h (not a check)
#   style     clang-format would change nothing
#   tree      tools/check_layers.py and tools/check_tree.py
#   scripts   shell and Python scripts parse
#   clang     sources, tests, examples and benchmarks pass clang without a warning, sixteen at a time;
#             `tools/lint.sh clang-alone` reads each source by itself, and so finds missing includes
#   tidy      clang-tidy (.clang-tidy) over the folders without torch, where it takes seconds a file;
#             `tools/lint.sh tidy-torch` does the others
#   headers   every header compiles by itself
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
jobs=${JOBS:-$(nproc)}

sources() { git ls-files -z -- '*.cpp' '*.h' | xargs -0 ls -d 2>/dev/null; }

# configure_clang [PRESET]
configure_clang() {
  cmake --preset "${1:-clang}" -DHEED_WERROR=ON -DHEED_TORCH="${HEED_TORCH:-}" --log-level=WARNING \
    >/dev/null
}

check_style() {
  sources | xargs clang-format --dry-run --Werror
}

check_tree() {
  python3 tools/check_layers.py
  python3 tools/check_tree.py
}

check_scripts() {
  local script
  for script in tools/*.sh .ci/run; do
    bash -n "$script"
  done
  python3 - tools/*.py <<'PYTHON'
import ast, sys
for path in sys.argv[1:]:
    ast.parse(open(path, encoding="utf-8").read(), path)
PYTHON
}

# precompile_for_clang [PRESET]: with precompiled headers a file costs seconds, not half a minute.
precompile_for_clang() {
  local preset=${1:-clang}
  configure_clang "$preset"
  cmake --build --preset "$preset" -j "$jobs" --target heed_torch_headers heed_commit \
    heed_viz_embedded >/dev/null
}

check_clang() {
  precompile_for_clang clang-all
  python3 tools/check_clang.py build/clang-all "$jobs"
}

check_clang-alone() {
  precompile_for_clang clang
  python3 tools/check_clang.py build/clang "$jobs"
}

without_torch='^heed/(base|io|text|data|kernels|viz)/'

tidy() {
  xargs -n 4 -P "$jobs" clang-tidy -p build/clang --quiet 2> >(grep -v 'warnings generated' >&2)
}

check_tidy() {
  configure_clang
  sources | grep -E "$without_torch.*\.cpp$" | grep -v '_test\.cpp$' | tidy
}

check_tidy-torch() {
  precompile_for_clang
  sources | grep -E '^heed/.*\.cpp$' | grep -vE "$without_torch|_test\.cpp$" | tidy
}

# One file that includes nothing but the header, without precompiled headers.
check_headers() {
  configure_clang
  local torch
  torch=$(sed -n 's/^HeedTorch_FOLDER:INTERNAL=//p' build/clang/CMakeCache.txt)
  sources | grep -E '^heed/.*\.h$' | grep -v '_leaf\.h$' |
    xargs -P "$jobs" -I{} clang++ -std=c++20 -fsyntax-only -Werror -I. -x c++ \
      -isystem "$torch/include" -isystem "$torch/include/torch/csrc/api/include" \
      -DHEED_ISA=portable -DHEED_LANES=4 $(pkg-config --cflags pangocairo) \
      -Wno-pragma-once-outside-header {}
}

run() {
  echo "lint: $1"
  "check_$1"
}

[[ $# -gt 0 ]] || { sed -n '2,/^set /p' "$0" | sed -n 's/^# \?//p'; exit 2; }
if [[ $1 == format ]]; then
  python3 tools/check_tree.py --write >/dev/null || true  # what else it finds is for the check
  sources | xargs clang-format -i
  exit
fi
[[ $1 != all ]] || set -- style tree scripts clang tidy headers
for check in "$@"; do
  declare -F "check_$check" >/dev/null || { echo "lint: no check named '$check'" >&2; exit 2; }
  run "$check"
done
