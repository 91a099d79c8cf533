#!/usr/bin/env bash
# Shows that the wheel of `make wheel` works where it is installed: for each Python, in a fresh
# environment with torch of the locked version, imports it, compares attention with the formula, runs `heed demo`
# and the program, and builds and runs examples/consumer, a C++ project, against it.
#
#   tools/check_wheel.sh [PYTHON...]      default: python3; others are named by path, as python3.13
#
# Before that, without any Python: that the library asks for none of CPython's interface, and that
# every file of the package is written in the language of Python 3.10. Needs a C++ compiler, CMake and a
# network. WHEEL names another wheel than the latest of build/wheel, WORK a folder for the environments
# (default build/check_wheel).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
wheel=$(realpath "${WHEEL:-$(ls -t build/wheel/heed-*.whl 2>/dev/null | head -n 1)}" 2>/dev/null) ||
  { echo "check_wheel: no build/wheel/heed-*.whl; run make wheel first" >&2; exit 66; }
work=${WORK:-build/check_wheel}
mkdir -p "$work"
work=$(realpath "$work")
root=$PWD

say() { echo "check_wheel: $*"; }
die() { echo "check_wheel: $*" >&2; exit 1; }

check_contents() {
  rm -rf "$work/contents"
  mkdir -p "$work/contents"
  python3 -m zipfile -e "$wheel" "$work/contents"
  local wanted
  wanted=$(nm -D --undefined-only "$work/contents/heed/lib/libheed.so" | awk '$2 ~ /^_?Py[A-Z_]/ {print $2}')
  [[ -z $wanted ]] || die "libheed.so asks for CPython's $wanted"
  (cd "$work/contents" && python3 -c '
import ast, pathlib, sys
for path in pathlib.Path().rglob("*.py"):
    ast.parse(path.read_text("utf-8"), str(path), feature_version=(3, 10))')
  say "$(basename "$wheel"): $(du -h "$wheel" | cut -f1), no interface of CPython, Python 3.10's language"
}

# install_torch PIP: torch of the locked version, as a user of the wheel gets it: chosen by pip, wheels only,
# without the hashes of tools/lock, which hold for one Python.
install_torch() {
  local version
  version=$(sed -n 's/^torch==\([0-9.]*\).*/\1/p' "$root/tools/lock/torch.txt")
  # A CPU build where pip knows one, else PyPI's.
  "$1" install --quiet --only-binary :all: "torch==$version+cpu" 2>/dev/null ||
    "$1" install --quiet --only-binary :all: "torch==$version"
}

check_python() {
  local python=$1 version venv
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  venv=$work/python$version
  say "Python $version: a fresh environment"
  rm -rf "$venv"
  "$python" -m venv "$venv"
  install_torch "$venv/bin/pip"
  "$venv/bin/pip" install --quiet --only-binary :all: "$wheel"
  "$venv/bin/pip" check >/dev/null || die "pip check: $("$venv/bin/pip" check)"
  (
    cd "$work"
    "$venv/bin/python" - <<'PYTHON'
import heed
import torch

query, key, value = (torch.randn(2, 4, 50, 16, requires_grad=True) for _ in range(3))
found = heed.attention(query, key, value, pattern=heed.causal())
expected = torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
found.sum().backward()
assert heed.library_path().is_file() and heed.cmake_prefix().is_dir()
PYTHON
    rm -rf "demo$version" "consumer$version"
    "$venv/bin/heed" --version | head -n 1
    "$venv/bin/heed" demo "demo$version" >"demo$version.txt" 2>"demo$version.log" ||
      die "heed demo: $(cat "demo$version.log")"
    [[ -s demo$version/heat.png ]] || die "heed demo drew nothing: $work/demo$version.log"
    cmake -S "$root/examples/consumer" -B "consumer$version" -DCMAKE_BUILD_TYPE=Release \
      -DCMAKE_PREFIX_PATH="$("$venv/bin/python" -c 'import heed; print(heed.cmake_prefix())')" \
      >"consumer$version.log"
    cmake --build "consumer$version" >>"consumer$version.log"
    "consumer$version/consumer"
  )
  say "Python $version: import, attention, heed demo, a C++ project: all work"
}

check_contents
[[ $# -gt 0 ]] || set -- python3
for python in "$@"; do check_python "$python"; done
