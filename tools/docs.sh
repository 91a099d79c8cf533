#!/usr/bin/env bash
# What `make docs` runs: the pages with MkDocs, the headers with Doxygen, into build/site.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build --quiet --strict
mkdir -p build/site/api
doxygen tools/site/Doxyfile 2>build/doxygen.log
[[ -s build/site/api/index.html ]]
echo "docs: build/site/index.html"
