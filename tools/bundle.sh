#!/usr/bin/env bash
# Puts what a program needs beside it, so that it runs on the Debian that it was built on and on later
# ones: the libraries that the loader takes for it but glibc's, fonts for pictures, and all licences.
#
#   tools/bundle.sh PROGRAM FOLDER               into FOLDER/lib, FOLDER/share/fonts, FOLDER/share/licenses
#   tools/bundle.sh PROGRAM FOLDER --no-torch    for where torch is: not torch's libraries, Heed's, nor
#                                                those of the compiler
set -euo pipefail
program=$1
out=$(realpath "$2")
torch_too=yes
[[ ${3:-} != --no-torch ]] || torch_too=no
mkdir -p "$out/lib" "$out/share/fonts" "$out/share/licenses"

die() { echo "bundle: $*" >&2; exit 1; }

# The licence of the Debian package that a file belongs to.
licence_of() {
  local package
  package=$(dpkg-query -S "$(realpath "$1")" 2>/dev/null | head -n 1 | cut -d: -f1) || true
  [[ -n $package ]] || package=$(dpkg-query -S "*/$(basename "$(realpath "$1")")" 2>/dev/null |
    head -n 1 | cut -d: -f1) || true
  [[ -n $package && -e /usr/share/doc/$package/copyright ]] || die "no licence found for $1"
  cp "/usr/share/doc/$package/copyright" "$out/share/licenses/$package"
}

# glibc is in every Debian and must fit its kernel; the compiler's libraries come with torch's needs.
left='^(ld-linux.*|lib(c|m|dl|pthread|rt|resolv|util)\.so\.[0-9]+)$'
[[ $torch_too == yes ]] || left="$left|^lib(stdc\+\+|gcc_s|heed.*|torch.*|c10.*|gloo.*)\.so"
listing=$(ldd "$program")
[[ $listing != *"not found"* ]] || die "$program lacks libraries: $listing"
while read -r library; do
  file=$(basename "$library")
  [[ ! $file =~ $left ]] || continue
  case $library in
    */torch/lib/* | */site-packages/*) [[ $torch_too == yes ]] || continue ;;
    */libheed*.so*) ;;
    *) licence_of "$library" ;;
  esac
  cp -L "$library" "$out/lib/$file"
done < <(sed -n 's/.* => \(\/[^ ]*\) (0x.*/\1/p' <<<"$listing")

for font in DejaVuSans DejaVuSans-Bold DejaVuSansMono DejaVuSansMono-Bold; do
  cp "/usr/share/fonts/truetype/dejavu/$font.ttf" "$out/share/fonts/"
done
licence_of /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
cat >"$out/share/fonts/fonts.conf" <<'XML'
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">.</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
XML
