#!/bin/bash
# Installs what is built into a scratch folder, moves that folder, and uses it from there as its users
# do: the program, its data, its manual, completion, the libraries by the examples, and uninstalling.
# Usage: test/install.sh [build folder]
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "${1:-build}" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
bad=0
wrong() { echo "install: $*"; bad=1; }

cmake --build "$build" --target installed >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
DESTDIR=$scratch/stage cmake --install "$build" --prefix /opt/afina >"$scratch/log" || { cat "$scratch/log"; exit 1; }
cp "$build/install_manifest.txt" "$scratch/manifest"
cp -r "$scratch/stage" "$scratch/again"
home=$scratch/somewhere\ else
mv "$scratch/stage/opt/afina" "$home"
cd "$scratch"
afina() { env -i HOME="$scratch" PATH=/usr/bin:/bin AFINA_PROFILE=off "$home/bin/afina" "$@"; }

# The program needs nothing of the source tree. (The line tables of GPU kernels name their folders.)
afina --version | grep -q '^afina [0-9]' || wrong "no version"
grep -qF -e "$source/data" -e "$source/docs" -e "$source/test" -e "$source/tools" "$home/bin/afina" && wrong "the program has the source folder in it"
afina compare --model "$home/share/afina/pocket" --data "$home/share/afina/samples/support.jsonl" \
  --retain "$home/share/afina/samples/general.jsonl" --retain-tokens 500 --eval-rows 4 --generations 1 \
  --method full:lr=1e-3 --method lora:rank=4,lr=1e-3 --steps 2 --batch 2 --out first >log 2>&1 || { cat log; wrong "compare failed"; }
[ -s first/report.html ] || wrong "no report"
afina plan --model "$home/share/afina/configs/llama-3-8b" --method lora:rank=16 --length 64 --batch 1 >log || { cat log; wrong "plan failed"; }

# A page for every command, which man shows without a warning, and every word of completion.
commands=$(afina --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ "$(echo "$commands" | wc -w)" -ge 10 ] || wrong "few commands: $commands"
for page in afina $(echo "$commands" | sed 's/^/afina-/'); do
  file=$home/share/man/man1/$page.1
  [ -s "$file" ] || { wrong "no $file"; continue; }
  if command -v man >/dev/null; then
    shown=$(MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings -l "$file" 2>warnings) || wrong "man cannot show $page"
    [ ! -s warnings ] || wrong "man warns of $page: $(cat warnings)"
    echo "$shown" | grep -q -- '--help' || wrong "$page says nothing of --help"
  fi
done
complete_with() { # the words that bash offers after these
  bash -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _afina; echo "${COMPREPLY[*]}"' \
    - "$home/share/bash-completion/completions/afina" "$@"
}
offers() { # EXPECTED WORD...
  local expected=$1 found
  shift
  found=$(complete_with "$@")
  case " $found " in *" $expected "*) ;; *) wrong "completing '$*' offers '$found', not '$expected'" ;; esac
}
for command in $commands; do offers "$command" afina ""; done
offers "bf16 bf16-tiles" afina compare --dtype b
offers "bf16 bf16-tiles" afina compare --dtype = b
offers "block" afina train --steps 3 --checkpoint bl
offers lora afina compare --method lo
offers --retain-tokens afina compare --model x --retain
offers lora afina methods lo
offers zsh afina completion z
mkdir -p models/tiny
touch models/tiny.gguf
offers "models/tiny models/tiny.gguf" afina inspect -m models/t
[ -z "$(complete_with afina compare --steps "")" ] || wrong "a number is completed"
if command -v zsh >/dev/null; then zsh -n "$home/share/zsh/site-functions/_afina" || wrong "zsh cannot read its completion"; fi
if command -v fish >/dev/null; then
  fish -n "$home/share/fish/vendor_completions.d/afina.fish" || wrong "fish cannot read its completion"
fi

# The examples, against the libraries alone.
cp -r "$home/share/doc/afina/examples" examples
if cmake -S examples -B examples/build -DCMAKE_PREFIX_PATH="$home" -DCMAKE_CXX_COMPILER_LAUNCHER="$(grep -oP '^CCACHE:.*=\K/.*' "$build/CMakeCache.txt" || true)" >log 2>&1 &&
  cmake --build examples/build >log 2>&1; then
  (cd examples && bash "$source/test/examples.sh" README.md "$PWD/build" "$home/share/afina") || bad=1
else
  cat log
  wrong "the examples do not build"
fi
grep -rqF "$source" "$home"/lib*/cmake "$home"/lib/*/cmake 2>/dev/null && wrong "the source folder is named in what CMake reads"

# Uninstalling leaves nothing.
"$source/packaging/uninstall" manifest "$scratch/again" >log || { cat log; wrong "uninstall failed"; }
left=$(find again -type f)
[ -z "$left" ] || wrong "left behind: $left"
[ ! -e again/opt/afina/share/afina ] || wrong "a folder is left behind"
[ "$bad" = 0 ] && echo "install: program, manual, completion, libraries and examples work from another folder"
exit "$bad"
