#!/usr/bin/env bash
# Makes this checkout ready to build: Debian packages, and torch in the virtual environment .venv.
#
#   tools/setup.sh            what building the program and the demo need
#   tools/setup.sh --tests    also GoogleTest, Chromium for the pages that Heed writes (350 MB), and the
#                             Python packages that tests compare Heed with
#   tools/setup.sh --docs     what `make docs` needs: MkDocs Material and Doxygen, without torch
#   tools/setup.sh --checks   also clang, clang-format and clang-tidy, for .ci/run and `make lint`
#
# Every step looks first and fetches only what is missing, so running it again changes nothing and
# needs no network; a stamp makes the usual second run immediate. Python packages are wheels whose
# versions and hashes stand in tools/lock/ (tools/lock.py writes it).
#
#   HEED_TORCH=path   use a torch that is already there (its folder, or a venv or site-packages that
#                     holds it) instead of installing one
#   HEED_APT=no       install no Debian packages (you have seen to their equivalents yourself)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

torch_version=$(sed -n 's/^torch==\([0-9.]*\).*/\1/p' tools/lock/torch.txt)
build_packages=(g++ cmake ninja-build ccache make git python3-venv pkg-config ca-certificates
  libcli11-dev nlohmann-json3-dev libicu-dev libonig-dev libtomlplusplus-dev
  libcairo2-dev libpango1.0-dev fonts-dejavu-core zlib1g-dev libsndfile1-dev libpng-dev libturbojpeg0-dev
  libgloo-dev libmicrohttpd-dev)
test_packages=(libgtest-dev libgmock-dev chromium chromium-driver)
check_packages=(clang clang-format clang-tidy libclang-rt-dev)

say() { echo "set-up: $*"; }
die() { echo "set-up: $*" >&2; exit 1; }

packages=("${build_packages[@]}")
tests=no
case "${1:-}" in
  "") ;;
  --docs) packages=(git python3-venv ca-certificates doxygen) ;;
  --tests) tests=yes packages+=("${test_packages[@]}") ;;
  --checks) tests=yes packages+=("${test_packages[@]}" "${check_packages[@]}") ;;
  *) die "unknown argument '$1' (known: --tests, --docs, --checks)" ;;
esac

# What the stamp vouches for: this script with this argument, the locked packages, this torch.
stamp=.venv/heed-setup${1:-}.stamp
vouched="$(cat tools/setup.sh tools/torch_runtime.py tools/lock/*.txt | sha256sum |
  cut -c1-64) HEED_TORCH=${HEED_TORCH:-}"
if [[ -x .venv/bin/python && -f $stamp && $(<"$stamp") == "$vouched" ]]; then
  exit 0
fi

install_debian_packages() {
  command -v dpkg-query >/dev/null ||
    die "this is not Debian (no dpkg-query). Install the equivalents of: ${packages[*]};" \
        "then run again with HEED_APT=no"
  local missing=() package root=()
  for package in "${packages[@]}"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      missing+=("$package")
  done
  if [[ ${#missing[@]} == 0 ]]; then
    say "Debian packages: all ${#packages[@]} are there"
    return
  fi
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null ||
      die "these Debian packages are missing, and this is neither root nor is there sudo; have" \
          "somebody run: apt-get install --no-install-recommends ${missing[*]}"
    root=(sudo)
  fi
  say "Debian packages: installing ${missing[*]}"
  local quiet=(-qq -o Dpkg::Use-Pty=0 -o Acquire::Retries=3)
  "${root[@]}" apt-get "${quiet[@]}" update ||
    die "apt-get update failed; the first set-up needs a network (see apt's message above)"
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get "${quiet[@]}" install -y --no-install-recommends "${missing[@]}" >build/apt.log ||
    die "apt-get install failed; the first set-up needs a network (apt's output: build/apt.log)"
}

make_environment() {
  if .venv/bin/python -c '' 2>/dev/null && [[ -f .venv/bin/pip ]]; then
    say "virtual environment: .venv is there"
    return
  fi
  local python=/usr/bin/python3
  [[ -x $python ]] || python=$(command -v python3.11 || command -v python3) ||
    die "no python3 found; install Python 3.11 and run again"
  say "virtual environment: making .venv with $("$python" --version 2>&1)"
  "$python" -m venv --clear .venv
}

pip() {
  .venv/bin/python -m pip --disable-pip-version-check --quiet "$@"
}

# The lists are complete, so pip resolves nothing: --no-deps.
pip_locked() {
  pip install --no-deps --require-hashes --only-binary :all: --requirement "$1"
}

pip_install() {
  pip_locked "$1" ||
    die "pip could not install what $1 lists; the first set-up needs a network (see pip's message" \
        "above)"
}

# The folder of the torch in .venv, or nothing.
installed_torch() {
  find .venv/lib/python3*/site-packages -maxdepth 1 -name torch -type d 2>/dev/null | head -n 1
}

torch_version_of() {  # 2.13.0+cpu
  sed -n "s/^__version__ = '\(.*\)'/\1/p" "$1/version.py" 2>/dev/null || true
}

has_gpu() {
  [[ -e /dev/nvidia0 ]] || { command -v nvidia-smi && nvidia-smi -L | grep -q GPU; } >/dev/null 2>&1
}

install_torch() {
  local folder version
  folder=$(installed_torch)
  version=$(torch_version_of "${folder:-/nonexistent}")
  if [[ ${version%%+*} != "$torch_version" ]]; then
    say "torch: fetching $torch_version into .venv (200 MB; 600 MB where pip has no CPU build)"
    pip_locked tools/lock/torch_cpu.txt 2>build/torch_cpu.log || pip_install tools/lock/torch.txt
    folder=$(installed_torch)
    version=$(torch_version_of "$folder")
  fi
  if [[ ! -e $folder/lib/libtorch_cuda.so ]]; then
    say "torch: $version, a CPU build"
  elif has_gpu; then
    say "torch: $version, a CUDA build, and this machine has a GPU: with all of CUDA's libraries"
    pip_install tools/lock/cuda.txt
  else
    .venv/bin/python tools/torch_runtime.py "$folder" tools/lock/cuda.txt >build/torch_runtime.txt
    say "torch: $version, a CUDA build without a GPU: of CUDA's libraries only" \
        "$(sed -n 's/==.*//p' build/torch_runtime.txt | paste -sd ' ')"
    if [[ -s build/torch_runtime.txt ]]; then
      pip_install build/torch_runtime.txt
    fi
  fi
}

mkdir -p build
if [[ ${HEED_APT:-} != no ]]; then
  install_debian_packages
fi
make_environment
if [[ ${1:-} == --docs ]]; then
  say "packages of the site: those of tools/lock/docs.txt"
  pip_install tools/lock/docs.txt
elif [[ -n ${HEED_TORCH:-} ]]; then
  [[ -d $HEED_TORCH ]] || die "HEED_TORCH=$HEED_TORCH is not a folder"
  say "torch: using the one in $HEED_TORCH"
else
  install_torch
fi
if [[ $tests == yes ]]; then
  say "test packages: those of tools/lock/tests.txt and python.txt (100 MB)"
  pip_install tools/lock/tests.txt
  pip_install tools/lock/python.txt
fi
echo "$vouched" >"$stamp"
say "done"
