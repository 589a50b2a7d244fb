#!/bin/bash
# transformers 5.24.0: "use_sliding_window": false switches the window of Qwen2 off, and of Mistral not.
#
# The same two keys, sliding_window 4 and use_sliding_window false, in a config.json of one layer. The
# first token of 16 is changed, and the positions are listed whose logits change with it. In Qwen2 all
# of them do. In Mistral only those within the window do: the switch is kept as an attribute of the
# config and read by nobody. Seen:
#   mistral: sliding_window 4, use_sliding_window False, changed 0 1 2 3
#   qwen2: sliding_window None, use_sliding_window False, changed 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install torch==2.15.0 transformers==5.24.0
cat > "$folder/window.py" <<'PY'
import json, pathlib, sys
import torch
from transformers import AutoConfig, AutoModelForCausalLM

first = torch.arange(1, 17).unsqueeze(0)
other = first.clone()
other[0, 0] = 40
for kind in ("mistral", "qwen2"):
    folder = pathlib.Path(sys.argv[1]) / kind
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({
        "model_type": kind, "vocab_size": 64, "hidden_size": 32, "intermediate_size": 64,
        "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2,
        "max_position_embeddings": 64, "max_window_layers": 0, "sliding_window": 4,
        "use_sliding_window": False}))
    config = AutoConfig.from_pretrained(folder)
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        moved = (model(first).logits - model(other).logits).abs().amax(-1)[0]
    changed = [str(i) for i in range(16) if moved[i] > 1e-6]
    print(f"{kind}: sliding_window {config.sliding_window}, use_sliding_window "
          f"{config.use_sliding_window}, changed {' '.join(changed)}")
PY
"$folder/venv/bin/python" -W ignore "$folder/window.py" "$folder" 2>/dev/null | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
mistral: sliding_window 4, use_sliding_window False, changed 0 1 2 3
qwen2: sliding_window None, use_sliding_window False, changed 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
SEEN
