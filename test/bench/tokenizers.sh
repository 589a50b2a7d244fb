#!/bin/sh
# Tokenizers beside Hugging Face's library, in one table (`make bench`). Usage: tokenizers.sh [build folder]
# PYTHON: a Python with the packages tokenizers and wordfreq (pip install tokenizers wordfreq==3.1.1). Nothing else needs them.
build=${1:-build}
python=${PYTHON:-python3}
bench=$build/bench_tokenizer
inputs=$build/bench_tokenizers
cd "$(dirname "$0")/../.." || exit 1
if ! "$python" -c 'import tokenizers' 2>/dev/null; then
  echo "$python has no tokenizers library: nothing stands beside afina, and only the small tokenizer of data/pocket is measured."
  echo "For the table: python3 -m venv /tmp/peer && /tmp/peer/bin/pip install tokenizers wordfreq==3.1.1, then PYTHON=/tmp/peer/bin/python make bench"
  exec "$bench" data/pocket/tokenizer.json data/samples/support.txt data/samples/support_es.txt docs/compatibility.md
fi
mkdir -p "$inputs"
smollm2=models/smollm2-135m-instruct
if [ -f $smollm2/tokenizer.json ]; then
  cp $smollm2/tokenizer.json "$inputs/smollm2-49k.json"
elif [ -f $smollm2/model.gguf ]; then
  "$bench" --from $smollm2/model.gguf "$inputs/smollm2-49k.json"
else
  echo "SmolLM2's tokenizer is not measured: tools/get-smollm2 downloads it"
fi
"$python" test/bench/tokenizer_inputs.py "$inputs" || exit 1
"$python" test/bench/tokenizer_peer.py "$bench" "$inputs"
