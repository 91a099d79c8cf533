#!/usr/bin/env bash
# What `make test` leaves out of the tests of the Python package, since it takes other packages or minutes of
# a compiler:
#
# - the models, the training loops and the pages with the last transformers 4 (tools/lock/transformers4.txt)
#   instead of the transformers 5 of .venv; it lies in build/transformers4, where nothing else finds it;
# - torch.compile as it is called by default, which runs g++ and needs Python's headers (python3-dev).
#
#   tools/check_python.sh       after `make test`, which fills .venv and build/release
#
# Needs a network the first time. About three minutes of one core.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=.venv/bin/python
library=build/release/folders/libheed.so
four=$PWD/build/transformers4

say() { echo "check_python: $*"; }
die() { echo "check_python: $*" >&2; exit 1; }

[[ -x $python && -f $library ]] || die "no $python or no $library; run make test first"

if [[ ! -d $four ]] || ! cmp -s tools/lock/transformers4.txt "$four/lock.txt"; then
  rm -rf "$four"
  "$python" -m pip --disable-pip-version-check --quiet install --target "$four" --no-deps \
    --require-hashes --only-binary :all: --requirement tools/lock/transformers4.txt
  cp tools/lock/transformers4.txt "$four/lock.txt"
fi

say "transformers $(PYTHONPATH=$four "$python" -c 'import transformers; print(transformers.__version__)')"
for name in transformers trainers pages; do
  PYTHONPATH=$four "$python" "tests/python_package/test_$name.py" "$library"
done

say "torch.compile with its own compiler"
HEED_TEST_INDUCTOR=yes "$python" tests/python_package/test_transforms.py "$library" Inductor
say "all passed"
