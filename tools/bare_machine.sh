#!/usr/bin/env bash
# Shows that Heed works on a machine that has nothing: makes a bare Debian in a folder with debootstrap,
# clones this checkout's HEAD into it, and runs there what README.md says, as root and as a user with
# sudo, then again without a network. Prints the time of each command.
#
#   tools/bare_machine.sh [bookworm|trixie] [--as root|user] [--make "demo test"]
#   tools/bare_machine.sh [bookworm|trixie] --dist     build/heed-*.tar.gz, which `make dist` made,
#                                                      unpacked there and run without a network
#   tools/bare_machine.sh [bookworm|trixie] --wheel    build/wheel/heed-*.whl, which `make wheel` made, in
#                                                      tools/check_wheel.sh with that Debian's Python
#
# Needs root, debootstrap and a network. Works below BARE (default /tmp/heed-bare), where what apt and
# pip fetch is kept for the next time; ccache starts empty. Where this machine has its own pip
# configuration (/etc/pip.conf, PIP_* variables, wheels that PIP_FIND_LINKS names, a certificate) or a
# proxy for apt or does not check dates, the bare one gets that too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source=$PWD
bare=${BARE:-/tmp/heed-bare}
suite=bookworm
people="root user"
commands="demo test"
dist=no
wheel=no

say() { echo "bare machine: $*"; }
die() { echo "bare machine: $*" >&2; exit 2; }

while [[ $# -gt 0 ]]; do
  case $1 in
    bookworm | trixie) suite=$1 ;;
    --as) people=${2:?--as needs root or user} && shift ;;
    --make) commands=${2:?--make needs targets} && shift ;;
    --dist) dist=yes ;;
    --wheel) wheel=yes ;;
    *) sed -n '2,/^set /p' "$0" | sed -n 's/^# \?//p' >&2; exit 2 ;;
  esac
  shift
done
[[ $(id -u) == 0 ]] || die "needs root, for debootstrap and chroot"
command -v debootstrap >/dev/null || die "needs debootstrap: apt-get install debootstrap"
command -v ip >/dev/null || die "needs ip: apt-get install iproute2"

# Only what every Debian has, and what a clone needs.
make_base() {
  local base=$bare/$suite/base
  [[ -e $base/complete ]] && return
  say "debootstrap $suite"
  rm -rf "$base"
  mkdir -p "$base" "$bare/$suite/debs"
  debootstrap --variant=minbase --cache-dir="$bare/$suite/debs" \
    --include=make,git,sudo,ca-certificates "$suite" "$base" http://deb.debian.org/debian \
    >"$bare/$suite/debootstrap.log" || die "debootstrap failed: $bare/$suite/debootstrap.log"
  apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-)' >"$base/etc/apt/apt.conf.d/90host" || true
  [[ ! -e /etc/pip.conf ]] || cp /etc/pip.conf "$base/etc/pip.conf"
  [[ ! -d ${PIP_FIND_LINKS:-/nonexistent} ]] ||
    { mkdir -p "$base$PIP_FIND_LINKS" && cp -r "$PIP_FIND_LINKS/." "$base$PIP_FIND_LINKS"; }
  [[ -z ${PIP_CERT:-} ]] || cp "$PIP_CERT" "$base/etc/host-certificates.crt"
  chroot "$base" useradd --create-home --shell /bin/bash user
  echo 'user ALL=(ALL) NOPASSWD: ALL' >"$base/etc/sudoers.d/user"
  touch "$base/complete"
}

# in_root ROOT WHO FOLDER COMMAND: in namespaces of its own, so that nothing stays mounted.
in_root() {
  local root=$1 who=$2 folder=$3 command=$4 environment=(HOME="/home/$2" PATH=/usr/sbin:/usr/bin:/sbin:/bin)
  [[ $who != root ]] || environment[0]=HOME=/root
  local name
  for name in $(compgen -e PIP_); do
    [[ $name == PIP_CERT ]] && continue
    environment+=("$name=${!name}")
  done
  [[ ! -e $root/etc/host-certificates.crt ]] ||
    environment+=(PIP_CERT=/etc/host-certificates.crt)
  [[ $dist == yes ]] || environment+=(PIP_CACHE_DIR=/var/cache/pip)
  ROOT=$root WHO=$who FOLDER=$folder COMMAND=$command DEBS=$bare/$suite/debs PIPS=$bare/pip \
    unshare "${spaces[@]}" bash -ec '
      ip link set lo up  # a machine without a network still has itself
      mount --make-rprivate /
      mount -t proc proc "$ROOT/proc"
      mount --rbind /dev "$ROOT/dev"
      mount --rbind /sys "$ROOT/sys"
      cp -L /etc/resolv.conf "$ROOT/etc/resolv.conf"
      grep -v "^127\.0\.1\.1" /etc/hosts >"$ROOT/etc/hosts"
      mkdir -p "$ROOT/var/cache/pip" "$PIPS" "$DEBS"
      chmod 777 "$PIPS"
      mount --bind "$DEBS" "$ROOT/var/cache/apt/archives"
      mount --bind "$PIPS" "$ROOT/var/cache/pip"
      exec chroot "$ROOT" runuser -u "$WHO" -- env -i "$@" \
        bash -c "cd \"\$0\" && exec bash -c \"\$1\"" "$FOLDER" "$COMMAND"' bash "${environment[@]}"
}

# timed ROOT WHO FOLDER COMMAND WHAT: the log beside the root, one line here.
timed() {
  local start=$SECONDS log=$bare/$suite/$2.log
  echo "=== $4 ($5)" >>"$log"
  if in_root "$1" "$2" "$3" "$4" >>"$log" 2>&1; then
    say "$suite, $2, $5: $4: $((SECONDS - start)) s"
  else
    say "$suite, $2, $5: $4: FAILED after $((SECONDS - start)) s; the end of $log:"
    tail -n 30 "$log"
    exit 1
  fi
}

online=(--mount --pid --fork)
offline=(--mount --pid --fork --net)
spaces=("${online[@]}")
make_base
say "$suite on $(nproc) cores of $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)," \
    "commit $(git rev-parse --short=12 HEAD)"

if [[ $dist == yes ]]; then
  archive=$(ls -t build/heed-*.tar.gz 2>/dev/null | head -n 1)
  [[ -n $archive ]] || die "no build/heed-*.tar.gz; run make dist first"
  root=$bare/$suite/dist
  rm -rf "$root"
  cp -a "$bare/$suite/base" "$root"
  tar -xzf "$archive" -C "$root/home/user"
  cp -r examples/sentiment "$root/home/user/"
  rm -f "$bare/$suite/user.log"
  spaces=("${offline[@]}")
  ! in_root "$root" user /home/user "command -v python3" >/dev/null || die "the root has Python"
  bin=$(basename "$archive" .tar.gz)/bin/heed
  timed "$root" user /home/user "$bin --version" "the archive"
  timed "$root" user /home/user \
    "$bin train classify --train sentiment/train.tsv --valid sentiment/valid.tsv --out model --epochs 2" \
    "the archive"
  timed "$root" user /home/user "$bin predict model sentiment/unseen.txt" "the archive"
  timed "$root" user /home/user "$bin attend model 'not a bad film' --out heat.png && test -s heat.png" \
    "the archive"
  say "$suite: $(basename "$archive") runs; its picture is $root/home/user/heat.png"
  exit
fi

if [[ $wheel == yes ]]; then
  root=$bare/$suite/wheel
  rm -rf "$root" "$bare/$suite/root.log" "$bare/$suite/user.log"
  cp -a "$bare/$suite/base" "$root"
  git clone --quiet "file://$source" "$root/home/user/heed"
  mkdir -p "$root/home/user/heed/build"
  cp -r build/wheel "$root/home/user/heed/build/" || die "no build/wheel; run make wheel first"
  chroot "$root" chown -R user: /home/user/heed
  timed "$root" root /root "apt-get -qq update && apt-get -qq install -y --no-install-recommends \
    python3-venv g++ cmake binutils" "what checking needs"
  timed "$root" user /home/user/heed "tools/check_wheel.sh" "the wheel"
  grep '^check_wheel:' "$bare/$suite/user.log"
  exit
fi

for who in $people; do
  root=$bare/$suite/$who
  rm -rf "$root" "$bare/$suite/$who.log"
  cp -a "$bare/$suite/base" "$root"
  home=$root/home/user
  [[ $who != root ]] || home=$root/root
  git clone --quiet "file://$source" "$home/heed"
  chroot "$root" chown -R "$who:" "${home#"$root"}/heed"
  for command in $commands; do
    spaces=("${online[@]}")
    timed "$root" "$who" "${home#"$root"}/heed" "make $command" "bare"
  done
  for command in $commands; do
    spaces=("${offline[@]}")
    timed "$root" "$who" "${home#"$root"}/heed" "make $command" "again, no network"
  done
  [[ ! -e $home/heed/build/release/.ninja_log ]] ||
    say "the ten slowest files: $(awk '/\.o\t/ {t[$4] = ($2 - $1) / 1000} END {for (f in t)
      print t[f], f}' "$home/heed/build/release/.ninja_log" | sort -rn | head -n 10 |
      sed 's/CMakeFiles.*dir.//' | awk '{printf "%s %.1f s; ", $2, $1}')"
done
