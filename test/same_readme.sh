#!/bin/sh
# Prints what README.md and README.es.md do not both say: code, numbers, links, pictures and names in
# code, each with the file that lacks it. The words between them are a translation.
# Usage: test/same_readme.sh [FILE FILE]
one=${1:-README.md} other=${2:-README.es.md}
# Every line is one fact; equal ones are counted.
facts() {
  # Each links to the other.
  # Thousands are set apart by a comma here and by a space there.
  sed -E 's/README(\.es)?\.md//g; s/([0-9])[, ]([0-9]{3})([^0-9]|$)/\1\2\3/g' "$1" | awk '
    /^    / { sub(/ *# .*/, ""); print "code: " $0; next }  # comments are translated
    /^\|[-: |]*$/ { print "table: " $0; next }
    { print }' >"$1.facts.$$"
  {
    grep '^code: ' "$1.facts.$$"
    # A number in a cell of a table must stand in the same row and column.
    grep '^|' "$1.facts.$$" | awk -F'|' '{ ++row; for (i = 3; i < NF; ++i) if ($i ~ /[0-9]/) print "cell " row "," i ":" $i }'
    grep '^table: ' "$1.facts.$$"
    grep -v '^code: ' "$1.facts.$$" | tr '\n' ' ' | sed 's/ \{2,\}/ /g' >"$1.text.$$"
    grep -oE '\]\([^)]*\)' "$1.text.$$" | sed 's/^/link: /'
    grep -oE '`[^`]*`' "$1.text.$$" | sed 's/^/name: /'
    sed -E 's/\]\([^)]*\)//g; s/`[^`]*`//g' "$1.text.$$" | grep -oE '[0-9]+([.,][0-9]+)*' | sed 's/^/number: /'
  } | sort >"$2"
  rm -f "$1.facts.$$" "$1.text.$$"
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for file in "$one" "$other"; do [ -f "$file" ] || { echo "$file is not there"; exit; }; done
cp "$one" "$scratch/one.md"
cp "$other" "$scratch/other.md"
facts "$scratch/one.md" "$scratch/one"
facts "$scratch/other.md" "$scratch/other"
comm -23 "$scratch/one" "$scratch/other" | sed "s|^|only in $one: |"
comm -13 "$scratch/one" "$scratch/other" | sed "s|^|only in $other: |"
lines=$(wc -l <"$one")
[ "$lines" -lt 100 ] || echo "$one has $lines lines: expected fewer than 100"
