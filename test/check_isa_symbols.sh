#!/bin/sh
# Fails if an object of engine/cpu exports a weak symbol outside its own instruction set's namespace:
# the linker keeps one copy of such symbols, which could use instructions that the processor lacks.
# Usage: check_isa_symbols.sh [build folder]
build=${1:-build}
found=0
bad=0
for folder in "$build"/CMakeFiles/cpu_*.dir; do
  isa=${folder##*/cpu_}
  isa=${isa%.dir}
  for object in $(find "$folder" -name '*.o'); do
    found=1
    # W, w: weak; V, v: weak object; u: unique object. Pointers to routines of the C++ runtime
    # (DW.ref) and kernel slots contain no code. Names with this set's namespace (mangled: 4avx2)
    # belong to this set alone.
    symbols=$(nm --defined-only "$object" | grep -E '^[0-9a-f]+ [WVu] ' | grep -v -e "${#isa}$isa" -e 'DW\.ref\.' -e ' u _ZN5afina6kernel' | c++filt)
    if [ -n "$symbols" ]; then
      bad=1
      echo "$object: weak symbols outside afina::$isa (use no std templates and no plain inline functions there):"
      echo "$symbols" | sed 's/^/  /'
    fi
  done
done
[ "$found" = 1 ] || { echo "no objects of engine/cpu below $build: build first"; exit 1; }
exit $bad
