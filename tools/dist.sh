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
mkdir -p "$out"/{bin,lib,libexec,share/fonts,share/licenses}
cp "$build/heed" "$out/libexec/heed"
cp -r "$build/share/." "$out/share/"
cp LICENSE "$out/share/licenses/heed"
cp README.md CHANGELOG.md "$out/"

# The licence of the Debian package that a file belongs to.
licence_of() {
  local package
  package=$(dpkg-query -S "$(realpath "$1")" 2>/dev/null | head -n 1 | cut -d: -f1) || true
  [[ -n $package ]] || package=$(dpkg-query -S "*/$(basename "$(realpath "$1")")" 2>/dev/null |
    head -n 1 | cut -d: -f1) || true
  [[ -n $package && -e /usr/share/doc/$package/copyright ]] || return 1
  cp "/usr/share/doc/$package/copyright" "$out/share/licenses/$package"
}

# What the loader takes now, but for glibc, which every Debian has and which must fit its kernel.
glibc='^(ld-linux.*|lib(c|m|dl|pthread|rt|resolv|util)\.so\.[0-9]+)$'
libraries=$(ldd "$build/heed" | sed -n 's/.* => \(\/[^ ]*\) (0x.*/\1/p')
[[ $(ldd "$build/heed") != *"not found"* ]] || die "$build/heed lacks libraries: $(ldd "$build/heed")"
torch=
for library in $libraries; do
  file=$(basename "$library")
  [[ $file =~ $glibc ]] && continue
  cp -L "$library" "$out/lib/$file"
  case $library in
    */libheed*.so*) ;;
    */torch/lib/* | */site-packages/*) [[ $library != */torch/lib/libc10.so ]] || torch=$library ;;
    *) licence_of "$library" || die "no licence found for $library" ;;
  esac
done
[[ -n $torch ]] || die "found no torch among what $build/heed loads"
site=$(dirname "$(dirname "$(dirname "$torch")")")
for package in "$site"/torch-*.dist-info "$site"/nvidia_*.dist-info; do
  [[ -d $package ]] || continue
  licences=$PWD/$out/share/licenses/$(basename "$package" .dist-info)
  mkdir -p "$licences"
  (cd "$package" && find . \( -iname 'LICENSE*' -o -iname 'NOTICE*' \) -type f -exec \
    cp --parents -t "$licences" {} +)
done

for font in DejaVuSans DejaVuSans-Bold DejaVuSansMono DejaVuSansMono-Bold; do
  cp "/usr/share/fonts/truetype/dejavu/$font.ttf" "$out/share/fonts/"
done
licence_of /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf || die "no licence found for the fonts"
cat >"$out/share/fonts/fonts.conf" <<'XML'
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">.</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
XML

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
