#!/bin/sh
# Fails when an object of engine/cpu offers a weak symbol outside its own instruction set's namespace: the linker keeps one copy of those,
# and the one it keeps could use instructions that the processor lacks. Usage: check_isa_symbols.sh [build folder]
build=${1:-build}
found=0
bad=0
for folder in "$build"/CMakeFiles/cpu_*.dir; do
  isa=${folder##*/cpu_}
  isa=${isa%.dir}
  for object in $(find "$folder" -name '*.o'); do
    found=1
    # W, w: weak; V, v: weak object; u: unique object. A pointer to a routine of the C++ runtime (DW.ref) and a kernel slot hold no
    # code. A name that mentions this set's namespace (as mangled: 4avx2) is nobody else's.
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
