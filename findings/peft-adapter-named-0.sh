#!/bin/bash
# PEFT 0.21.2: an adapter whose name is "0" makes the saving of another adapter incomplete.
#
# A PeftModel holds two LoRA adapters, "work" and a second one. save_pretrained(selected_adapters=
# ["work"]) writes all four tensors of "work" when the second is called "second". When it is called
# "0", the file lacks every tensor of layer 0: the name is looked for as a part of each tensor's name
# ("model.layers.0.self_attn"), not at its end. There is no warning, and loading the file warns only of
# missing keys. Seen:
#   second: 4 tensors of layers 0 1
#   0: 2 tensors of layers 1
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install peft==0.21.2 torch==2.15.0 transformers==5.24.0 safetensors==0.8.0
cat > "$folder/save.py" <<'PY'
import pathlib, sys
import peft, torch
from safetensors import safe_open
from transformers import LlamaConfig, LlamaForCausalLM

for second in ("second", "0"):
    torch.manual_seed(1)
    base = LlamaForCausalLM(LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=64,
                                        num_hidden_layers=2, num_attention_heads=4))
    config = lambda: peft.LoraConfig(r=2, target_modules=["q_proj"])
    model = peft.get_peft_model(base, config(), adapter_name="work")
    model.add_adapter(second, config())
    folder = pathlib.Path(sys.argv[1]) / ("with-" + second)
    model.save_pretrained(folder, selected_adapters=["work"])
    with safe_open(folder / "work" / "adapter_model.safetensors", "pt") as file:
        names = list(file.keys())
    layers = sorted({name.split(".layers.")[1].split(".")[0] for name in names})
    print(f"{second}: {len(names)} tensors of layers {' '.join(layers)}")
PY
"$folder/venv/bin/python" -W ignore "$folder/save.py" "$folder" 2>/dev/null | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
second: 4 tensors of layers 0 1
0: 2 tensors of layers 1
SEEN
