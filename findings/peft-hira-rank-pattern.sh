#!/bin/bash
# PEFT 0.21.2: HiRA takes a rank_pattern, stores it in adapter_config.json, and never reads it.
#
# A HiRA of rank 4 whose rank_pattern asks for rank 2 on v_proj trains rank 4 there as well. A LoRA with the
# same pattern trains rank 2. Nothing warns. Seen:
#   LoRA: q_proj 4, v_proj 2
#   HiRA: q_proj 4, v_proj 4
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install peft==0.21.2 torch==2.15.0 transformers==5.24.0 safetensors==0.8.0
cat > "$folder/ranks.py" <<'PY'
import peft, torch
from transformers import LlamaConfig, LlamaForCausalLM

for name, kind, matrix in [("LoRA", peft.LoraConfig, "lora_A.default.weight"), ("HiRA", peft.HiraConfig, "hira_A.default")]:
    base = LlamaForCausalLM(LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=4))
    model = peft.get_peft_model(base, kind(r=4, rank_pattern={"v_proj": 2}, target_modules=["q_proj", "v_proj"]))
    ranks = {n.split(".")[-4 if name == "LoRA" else -3]: p.shape[0] for n, p in model.named_parameters() if n.endswith(matrix)}
    print(f"{name}: " + ", ".join(f"{layer} {rank}" for layer, rank in sorted(ranks.items())))
PY
"$folder/venv/bin/python" -W ignore "$folder/ranks.py" 2>/dev/null | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
LoRA: q_proj 4, v_proj 2
HiRA: q_proj 4, v_proj 4
SEEN
