#!/bin/sh
# Are the blocks of documents what the program prints, and files as they are? A block begins with
# <!-- afina WORDS --> or <!-- file PATH --> and ends with <!-- end -->. Prints what differs; with
# --write, writes the blocks anew. Usage: methods_document.sh [build folder] [--write]
cd "$(dirname "$0")/.." || exit 1
build=build
write=
for word; do case $word in --write) write=1 ;; *) build=$word ;; esac; done
new=$(mktemp)
trap 'rm -f "$new"' EXIT
for document in docs/methods.md docs/how-to-add.md; do
  inside=
  while IFS= read -r line; do
    if [ -n "$inside" ]; then
      [ "$line" = '<!-- end -->' ] || continue
      inside=
    fi
    printf '%s\n' "$line"
    case $line in
      '<!-- afina '*' -->')
        inside=1
        words=${line#<!-- afina }
        # shellcheck disable=SC2086  # words are words
        AFINA_PROFILE=off "$build/afina" ${words% -->} 2>/dev/null || echo "afina ${words% -->} failed" ;;
      '<!-- file '*' -->')
        inside=1
        file=${line#<!-- file }
        echo
        sed 's/^\(.\)/    \1/' "${file% -->}"
        echo ;;
    esac
  done <"$document" >"$new"
  if [ -n "$write" ]; then cat "$new" >"$document"; else diff "$document" "$new"; fi
done
