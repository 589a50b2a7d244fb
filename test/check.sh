#!/bin/sh
# Rules of the sources that no compiler checks (`make check`): includes, lengths, first lines, libm,
# layout, symbols of each instruction set. Usage: check.sh [build folder]
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
bad=0
# Prints the findings under a heading, if there are any.
report() {
  [ -z "$2" ] && return
  bad=1
  echo "$1"
  echo "$2" | head -n 20 | sed 's/^/  /'
}
all=$(find . \( -name '.?*' -o -type d -name 'build*' -o -path ./runs -o -path ./gpu-package \) -prune -o -type f -print | sed 's|^\./||' | sort)
files() { echo "$all" | grep -E "\.($1)\$"; }
sources=$(files 'h|cpp|cu|cuh')
in_folder() { echo "$sources" | grep "^$1/"; }

# Arguments: a folder, and the folders whose headers it may include.
includes() {
  for file in $(in_folder "$1"); do grep -nE '^ *# *include *"' "$file" | grep -vE "\"($2)/" | sed "s|^|$file:|"; done
}
# Room of a folder, and the rooms of that folder whose headers its files may include beside their own. "." is the folder itself,
# as ./x.h its headers alone. A room that is missing here is reported: give a new one a line, and its place on the staircase.
rooms() {
  table=$(cat)
  for file in $(in_folder "$1"); do
    room=$(dirname "${file#"$1"/}")
    key=$room
    case $file in *.h) echo "$table" | grep -q "^./x.h:" && [ "$room" = . ] && key=./x.h ;; esac
    line=$(echo "$table" | grep -m1 -F "$key:")
    [ -n "$line" ] || { echo "$file: the room $room is not in the table of $1 in test/check.sh"; continue; }
    allowed=" $room ${line#*:} "
    for include in $(sed -nE "s|^ *# *include *\"$1/([^\"]*)\".*|\1|p" "$file"); do
      case $allowed in *" $(dirname "$include") "*) ;; *) echo "$file: includes $1/$include" ;; esac
    done
  done
}
report "engine includes only engine:" "$(includes engine engine)"
report "model includes only engine and model:" "$(includes model 'engine|model')"
report "data includes only engine and data:" "$(includes data 'engine|data')"
report "tools includes only engine, model, data and tools:" "$(includes tools 'engine|model|data|tools')"
report "cuda includes only engine and cuda:" "$(includes cuda 'engine|cuda')"
report "examples include what is installed:" "$(includes examples 'engine|model|data|tools')"
report "test includes by full path from the root:" "$(includes test 'engine|model|data|tools|test|cuda')"

report "tools: a room includes what stands before it on the staircase:" "$(rooms tools <<'END'
results:
text: results
report: results text
options: results text
runs: results text options
foresight: results text options runs
look: results text options runs
checks: results text options runs
commands: results text report options runs foresight look checks
main: options
END
)"
report "model: a room includes the folder's own headers and itself, the folder's headers no room:" "$(rooms model <<'END'
./x.h:
.: architectures files methods
architectures: .
files: .
methods: .
END
)"
report "data: formats and checks include the folder's headers, templates the tokenizer's, the tokenizer nothing else:" "$(rooms data <<'END'
.: tokenizer jinja
tokenizer:
jinja: tokenizer
formats: .
checks: . tokenizer
END
)"
report "test mirrors the tree:" "$(for folder in $(in_folder test | xargs -n1 dirname | sort -u); do
  case $folder in test | test/bench* | test/crash | test/fuzz* | test/reference | test/stored* | test/cuda/emulator | test/engine/ops/cases) ;;
  *) [ -d "${folder#test/}" ] || echo "$folder: there is no ${folder#test/}" ;;
  esac
done)"

report "longer than 400 lines:" "$(for file in $sources $(files 'py|sh|js|css|cmake'); do
  lines=$(wc -l <"$file")
  [ "$lines" -le 400 ] || echo "$file: $lines lines"
done)"
report "line one must be a comment that says what the file is:" "$(for file in $sources; do
  head -n 1 "$file" | grep -qE '^// .{12,}' || echo "$file: $(head -n 1 "$file")"
done)"
report "statements joined by commas (perl test/statements.pl --fix FILE):" "$(perl test/statements.pl $sources 2>&1)"
# Tables that clang-format is told to leave alone may be wider; that of Unicode is written by a program.
report "longer than 100 columns (120 where clang-format is off):" "$(for file in $sources; do
  case $file in data/tokenizer/*_table.cpp) continue ;; esac; awk -v file="$file" '/clang-format off/ { off = 1 } /clang-format on/ { off = 0 }
    { line = $0; gsub(/[\200-\277]/, "", line) }  # a letter of several bytes is one column
    length(line) > (off ? 120 : 100) { print file ":" FNR ": " length(line) " columns" }' "$file"
done)"
report "headers begin with #pragma once:" "$(for file in $(echo "$sources" | grep -E '\.(h|cuh)$'); do grep -q '^#pragma once' "$file" || echo "$file"; done)"

# Only functions that IEEE 754 requires to be correctly rounded may come from libm; the others are in
# engine/math.h. A use that affects no trained number says "libm:" and why on its line.
functions='exp|exp2|exp10|expm1|log|log2|log10|log1p|pow|cbrt|hypot|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|erf|erfc|tgamma|lgamma'
report "results of libm differ between machines; use engine/math.h:" \
  "$(for file in $(in_folder engine) $(in_folder model) $(in_folder data); do
    grep -nE "(std::|[^a-zA-Z0-9_:.>]::)($functions)[fl]?\(|[^a-zA-Z0-9_:.>]($functions)f\(" "$file" | grep -v 'libm:' | sed "s|^|$file:|"
  done)"
# The bits of std::mt19937 itself are those of the standard; what others draw with it can be drawn again.
report "standard distributions and shuffles are not portable; use engine/random.h:" \
  "$(for file in $(in_folder engine) $(in_folder model) $(in_folder data) $(in_folder tools); do
    grep -nE 'std::((shuffle|sample)\(|[a-z_]+_distribution|random_device)' "$file" | sed "s|^|$file:|"
  done)"
report "no exit, assert or printing below tools:" \
  "$(for file in $(in_folder engine) $(in_folder model) $(in_folder data); do
    grep -nE '[^a-zA-Z0-9_](exit|abort|assert|printf|puts)\(|std::(cout|cerr|exit|abort)' "$file" | grep -v 'static_assert' | sed "s|^|$file:|"
  done)"
# Launches and dynamic shared memory are confined to these files of the CUDA backend.
report "kernels are launched by launch.cuh alone:" \
  "$(for file in $sources; do case $file in cuda/launch.cuh | cuda/mma.cuh) ;; *) grep -nE '<<<|extern __shared__' "$file" | sed "s|^|$file:|" ;; esac; done)"

# Two types of one name in one namespace: the linker takes the functions of either for both.
report "one name stands for two types:" "$(for file in $(echo "$sources" | grep -E '^(engine|model|data|tools)/.*\.h$'); do
  awk -v file="$file" '/^namespace [a-zA-Z_:]* *\{/ { space = $2 }
    match($0, /^(struct|class) [A-Z][A-Za-z0-9]*( final)? *[{:]/) { print space "::" $2, file ":" NR }' "$file"
done | sort | awk '{ if ($1 == name && $2 != place) print $1 ": " place " and " $2; name = $1; place = $2 }')"
report "README.md and README.es.md say the same:" "$(sh test/same_readme.sh)"

# Each block between <!-- afina WORDS --> and <!-- end --> in documents is what the command prints.
[ -x "$build/afina" ] && report "documents are not what the program says and files hold (test/methods_document.sh --write):" \
  "$(sh test/methods_document.sh "$build")"

# The tables of docs/data.md are what 'afina check' reaches on the sets whose defects are known.
[ -x "$build/afina" ] && report "docs/data.md is not what is measured (perl test/check_precision.pl $build --write):" \
  "$(perl test/check_precision.pl "$build" 2>&1)"

# Releases of clang-format format differently with the same settings: only Debian 12's is used.
if clang-format --version 2>/dev/null | grep -q ' 14\.'; then
  report "layout differs from .clang-format (make format):" "$(for file in $(files 'h|cpp|cu|cuh'); do
    clang-format --dry-run -Werror "$file" >/dev/null 2>&1 || echo "$file"
  done)"
fi

if [ -d "$build/CMakeFiles" ]; then
  sh test/check_isa_symbols.sh "$build" || bad=1
else
  echo "check: nothing is built in $build, so the symbols of the instruction sets are not checked"
fi
[ "$bad" = 0 ] && echo "check: all rules are kept"
exit "$bad"
