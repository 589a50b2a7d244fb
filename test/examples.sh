#!/bin/sh
# Runs the commands of examples/README.md and compares what they print with what stands there: in
# code blocks, a line that begins with "$ " and the lines below it, until the next such line.
# Usage: test/examples.sh README FOLDER DATA     FOLDER: where the examples are built, for `build`;
# DATA: folder of pocket, samples and configs, for $DATA
set -eu
readme=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# The commands are run where these names are.
ln -s "$(cd "$2" && pwd)" "$scratch/build"
ln -s "$(cd "$3" && pwd)" "$scratch/data"
export DATA=data
# N.command and N.expected, of blocks that are set in by four blanks
awk -v out="$scratch" '
  /^    \$ / { ++n; print substr($0, 7) > (out "/" n ".command"); printf "" > (out "/" n ".expected"); inside = 1; next }
  /^    / { if (inside) print substr($0, 5) > (out "/" n ".expected"); next }
  /^$/ { next }
  { inside = 0 }' "$readme"
bad=0 count=0
for command in "$scratch"/*.command; do
  [ -e "$command" ] || { echo "$readme: there is no command in it" >&2; exit 1; }
  # What is said on stderr depends on the machine: that it has no GPU.
  (cd "$scratch" && sh "$command") >"$scratch/found" 2>"$scratch/said" || { echo "failed: $(cat "$command" "$scratch/said")"; bad=1; }
  diff "${command%.command}.expected" "$scratch/found" || { echo "differs from $readme: $(cat "$command")"; bad=1; }
  count=$((count + 1))
done
[ "$bad" = 0 ] && echo "examples: $count commands print what $readme says"
exit "$bad"
