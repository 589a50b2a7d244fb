#!/bin/bash
# PEFT 0.21.2: add_weighted_adapter(..., combination_type="cat"), which is exact for plain LoRAs, keeps
# use_rslora of the first adapter in the sum's config, and so multiplies the sum by the root of its rank.
#
# Two LoRAs of rank 4, each with weight 0.5, are added up by "cat". The change of the weight that the sum
# makes is divided by the sum of the changes that each makes alone. Without rsLoRA the ratio is 1. With
# rsLoRA it is the root of the sum's rank 8: the scales were multiplied into the matrices already, and the
# new adapter is scaled again. Nothing warns. Seen:
#   plain: 1.0000
#   rsLoRA: 2.8284
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install peft==0.21.2 torch==2.15.0 transformers==5.24.0 safetensors==0.8.0
cat > "$folder/sums.py" <<'PY'
import peft, torch
from transformers import LlamaConfig, LlamaForCausalLM

for name, rslora in [("plain", False), ("rsLoRA", True)]:
    torch.manual_seed(1)
    base = LlamaForCausalLM(LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=4))
    config = peft.LoraConfig(r=4, lora_alpha=8, use_rslora=rslora, init_lora_weights=False, target_modules=["q_proj"])
    model = peft.get_peft_model(base, config, adapter_name="a")
    model.add_adapter("b", config)
    model.add_weighted_adapter(["a", "b"], [0.5, 0.5], "sum", combination_type="cat")
    layer = model.base_model.model.model.layers[0].self_attn.q_proj
    alone = 0.5 * layer.get_delta_weight("a") + 0.5 * layer.get_delta_weight("b")
    print(f"{name}: {(layer.get_delta_weight('sum').norm() / alone.norm()).item():.4f}")
PY
"$folder/venv/bin/python" -W ignore "$folder/sums.py" 2>/dev/null | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
plain: 1.0000
rsLoRA: 2.8284
SEEN
