#!/bin/sh
# check_isa_symbols.sh NM LIBRARY: fails if an object named x_ISA.cpp.o in the library defines a
# symbol outside the namespace of its instruction set. A weak symbol (an inline function or a
# template of the standard library) compiled for AVX-512 could otherwise be the copy that the
# linker keeps for code that runs on any CPU.
set -eu
"$1" -A "$2" | awk '
  match($0, /_(portable|avx2|avx512|avx512bf16)\.cpp\.o/) {
    isa = substr($0, RSTART + 1, RLENGTH - 7)
    kind = $(NF - 1); symbol = $NF
    if (kind !~ /^[TWVBDRuGSi]$/) next
    if (symbol ~ /asan|ubsan|tsan|^DW\.ref|^_GLOBAL__sub_I/) next
    tag = length(isa) isa
    seen++
    if (index(symbol, tag) == 0) { print "outside its namespace: " $0; bad = 1 }
  }
  END { if (!seen) { print "no symbols of any instruction set seen"; bad = 1 } exit bad }'
