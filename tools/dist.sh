#!/usr/bin/env bash
# What `make dist` runs after the build: puts the program, libheed.so, every library that they need
# but glibc, fonts for pictures and all licences into one archive, build/heed-VERSION-linux-ARCH.tar.gz.
# Unpacked, bin/heed runs on the Debian that it was built on and on later ones; it needs no Python.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=build/release
version=$("$build/heed" --version | sed -n 's/^heed //p')
name=heed-$version-linux-$(uname -m)
out=build/dist/$name

say() { echo "dist: $*"; }
die() { echo "dist: $*" >&2; exit 1; }

rm -rf build/dist
mkdir -p "$out"/{bin,libexec,share/licenses}
cp "$build/heed" "$out/libexec/heed"
cp -r "$build/share/." "$out/share/"
cp LICENSE "$out/share/licenses/heed"
cp README.md CHANGELOG.md "$out/"

tools/bundle.sh "$build/heed" "$out"
torch=$(ldd "$build/heed" | sed -n 's/.* => \(\/[^ ]*\/libc10\.so\) (0x.*/\1/p')
[[ -n $torch ]] || die "found no torch among what $build/heed loads"
site=$(dirname "$(dirname "$(dirname "$torch")")")
for package in "$site"/torch-*.dist-info "$site"/nvidia_*.dist-info; do
  [[ -d $package ]] || continue
  licences=$PWD/$out/share/licenses/$(basename "$package" .dist-info)
  mkdir -p "$licences"
  (cd "$package" && find . \( -iname 'LICENSE*' -o -iname 'NOTICE*' \) -type f -exec \
    cp --parents -t "$licences" {} +)
done

cat >"$out/bin/heed" <<'SH'
#!/bin/sh
# Starts heed with the libraries beside it, and with its fonts where the system has none.
here=$(dirname "$(dirname "$(readlink -f "$0")")")
LD_LIBRARY_PATH=$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
if [ ! -e /etc/fonts/fonts.conf ] && [ -z "$FONTCONFIG_FILE" ]; then
  FONTCONFIG_FILE=$here/share/fonts/fonts.conf
  export FONTCONFIG_FILE
fi
exec "$here/libexec/heed" "$@"
SH
chmod +x "$out/bin/heed"

"$out/bin/heed" --version >/dev/null || die "the program in $out does not run"
tar --owner=0 --group=0 --sort=name -C build/dist -czf "build/$name.tar.gz" "$name"
say "build/$name.tar.gz: $(du -h "build/$name.tar.gz" | cut -f1), $(du -sh "$out" | cut -f1) unpacked," \
    "$(find "$out/lib" -type f | wc -l) libraries"
